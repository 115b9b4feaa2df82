#include "optimise/minimise.h"

#include <lbfgs.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* What the callbacks need; liblbfgs's own callbacks cannot report errors. */
typedef struct {
    const dlg_function *function;
    bool ended;
} descent;

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *dx, const int n,
                                const lbfgsfloatval_t step)
{
    descent *d = instance;
    (void)step;
    const double f = d->function->evaluate(d->function->payload, x, dx);
    if (isfinite(f)) return f;
    /* A finite wall: the line search turns back from it, where a NaN would pass all its comparisons. */
    memset(dx, 0, (size_t)n * sizeof *dx);
    return 1e300;
}

static int progress(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *dx, const lbfgsfloatval_t f,
                    const lbfgsfloatval_t norm_x, const lbfgsfloatval_t norm_dx, const lbfgsfloatval_t step, int n,
                    int iteration, int n_evaluations)
{
    descent *d = instance;
    (void)dx, (void)norm_x, (void)norm_dx, (void)step, (void)n, (void)iteration, (void)n_evaluations;
    d->ended = d->function->accept(d->function->payload, x, f);
    return d->ended;
}

static dlg_status run(dlg_minimise_end *end, const dlg_function *function, double *x, dlg_error *err)
{
    if (function->n > INT_MAX)
        return dlg_fail(err, DLG_ESHAPE, "L-BFGS: want at most %d numbers, found %zu", INT_MAX, function->n);
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.m = 100;
    parameters.epsilon = 0; /* the caller decides when it is enough */
    parameters.linesearch = LBFGS_LINESEARCH_MORETHUENTE;
    parameters.max_linesearch = 20;
    descent d = {function, false};
    lbfgsfloatval_t *point = lbfgs_malloc((int)function->n);
    if (!point) return dlg_fail(err, DLG_ENOMEM, "L-BFGS: no memory");
    memcpy(point, x, function->n * sizeof *x);
    const int code = lbfgs((int)function->n, point, NULL, evaluate, progress, &d, &parameters);
    memcpy(x, point, function->n * sizeof *x);
    lbfgs_free(point);
    if (code == LBFGSERR_OUTOFMEMORY) return dlg_fail(err, DLG_ENOMEM, "L-BFGS: no memory");
    *end = d.ended ? DLG_ENDED_BY_CALLER : DLG_NO_DESCENT;
    return DLG_OK;
}

const dlg_minimiser dlg_lbfgs = {"lbfgs", "L-BFGS with strong Wolfe conditions", run};
