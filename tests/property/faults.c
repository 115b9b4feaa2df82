/*
 * The checker of the checker: every operator with one sweep made wrong must be rejected by the checks of sweeps.h. A
 * copy of the operator's class calls the real sweep and then spoils one of the arrays it has written.
 */
#include "sweeps.h"

#include "math/blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef enum { FORWARD, BACKWARD, GRADIENT, RFORWARD, RBACKWARD, SWEEPS } sweep;
static const char *const sweep_names[SWEEPS] = {"forward", "backward", "gradient", "R-forward", "R-backward"};

typedef enum { NEGATED, ZEROED, SCALED, ONE_ENTRY, FAULTS } fault;
static const char *const fault_names[FAULTS] = {"negated", "zeroed", "a little too large",
                                                "a little wrong in one entry"};

/* How little is noticed, in this build. */
static const double little = sizeof(dlg_real) == sizeof(double) ? 1e-5 : 0.05;

/* What the spoiled class does: it is called without arguments of ours. */
static struct {
    rig *r;
    const dlg_op_class *real;
    sweep sweep;
    fault fault;
    size_t array;
} now;

static void spoil(size_t n, dlg_real *numbers)
{
    size_t largest = 0;
    for (size_t i = 0; i < n; i++)
        if (fabs((double)numbers[i]) > fabs((double)numbers[largest])) largest = i;
    for (size_t i = 0; i < n; i++) {
        if (now.fault == NEGATED) numbers[i] = -numbers[i];
        else if (now.fault == ZEROED) numbers[i] = 0;
        else if (now.fault == SCALED || i == largest) numbers[i] *= (dlg_real)(1 + little);
    }
}

static size_t items(const dlg_value *v)
{
    return v->n_rows * v->n_cols;
}

/* How many arrays a sweep writes. */
static size_t n_arrays(const rig *r, sweep which)
{
    switch (which) {
    case FORWARD:
    case RFORWARD: return r->y ? 1 : 2;
    case GRADIENT: return r->n_parameters;
    default: return r->n_inputs;
    }
}

static void spoil_result(bool derivative)
{
    dlg_cross_entropy *ce = now.r->loss;
    const size_t n = ce ? ce->logits->n_rows * ce->n_labels : 0;
    if (now.r->y) {
        spoil(items(now.r->y), derivative ? now.r->y->rx : now.r->y->x);
    } else if (now.array == 0) {
        spoil(n, derivative ? ce->rlog_p : ce->log_p);
    } else if (derivative) {
        spoil(items(ce->logits), ce->logits->rx);
    } else {
        dlg_real loss = (dlg_real)ce->loss;
        spoil(1, &loss);
        ce->loss = (double)loss;
    }
}

static void forward(dlg_op *op)
{
    now.real->forward(op);
    if (now.sweep == FORWARD) spoil_result(false);
}

static void backward(dlg_op *op)
{
    now.real->backward(op);
    if (now.sweep == BACKWARD) spoil(items(now.r->inputs[now.array].value), now.r->inputs[now.array].value->dx);
}

static void gradient(dlg_op *op)
{
    now.real->gradient(op);
    if (now.sweep == GRADIENT) spoil(now.r->parameters[now.array].n, now.r->parameters[now.array].gradient);
}

static void rforward(dlg_op *op)
{
    now.real->rforward(op);
    if (now.sweep == RFORWARD) spoil_result(true);
}

static void rbackward(dlg_op *op)
{
    now.real->rbackward(op);
    if (now.sweep == RBACKWARD) spoil(items(now.r->inputs[now.array].value), now.r->inputs[now.array].value->rdx);
}

/* @return the name of the first check that rejects the operator, or NULL */
static const char *rejected_by(rig *r)
{
    for (size_t k = 0; k < SWEEP_CHECKS; k++)
        if (!(sweep_checks[k].off_by(r) <= sweep_checks[k].tolerance)) return sweep_checks[k].name;
    return NULL;
}

static void every_fault_is_rejected(void **state)
{
    (void)state;
    size_t n_rejected = 0, n_accepted = 0;
    for (size_t i = 0; i < rig_count(); i++) {
        rig r;
        rig_create(&r, i, 1);
        const dlg_op_class *real = r.op->class;
        const dlg_op_class spoiled = {real->name,   real->plan, forward,  backward, real->gradient ? gradient : NULL,
                                      real->rstart, rforward,   rbackward};
        now.r = &r, now.real = real;
        r.op->class = &spoiled;
        now.sweep = SWEEPS;
        assert_null(rejected_by(&r));
        for (now.sweep = 0; now.sweep < SWEEPS; now.sweep++)
            for (now.array = 0; now.array < n_arrays(&r, now.sweep); now.array++)
                for (now.fault = 0; now.fault < FAULTS; now.fault++) {
                    /* One entry of forward is seen by its derivative alone, and tanh's largest has next to none. */
                    if (now.sweep == FORWARD && now.fault == ONE_ENTRY) continue;
                    const char *check = rejected_by(&r);
                    n_rejected += check != NULL;
                    if (check) continue;
                    n_accepted++;
                    printf("accepted: %s with %s %s (array %zu)\n", r.name, sweep_names[now.sweep],
                           fault_names[now.fault], now.array);
                }
        rig_release(&r);
    }
    printf("%zu faults in %zu operators rejected\n", n_rejected, rig_count());
    assert_int_equal(n_accepted, 0);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fault_is_rejected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
