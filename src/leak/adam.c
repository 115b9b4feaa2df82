#include "base/memory.h"
#include "leak/minimise.h"

#include <math.h>

/* Step of the first updates as a part of the start's root mean square, and the updates after which it has fallen to half. */
static const double first_step = 0.5, half_life = 200;

static double root_mean_square(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum / (double)n);
}

static dlg_status run(dlg_minimise_end *end, const dlg_function *function, double *x, dlg_error *err)
{
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-16;
    const size_t n = function->n;
    double *dx = dlg_allocate(n, sizeof *dx), *mean = dlg_allocate(n, sizeof *mean), *square = dlg_allocate(n, sizeof *square);
    dlg_status status = DLG_OK;
    if (!dx || !mean || !square) {
        status = dlg_fail(err, DLG_ENOMEM, "Adam: no memory");
        goto out;
    }
    const double scale = first_step * root_mean_square(n, x);
    *end = DLG_NO_DESCENT;
    for (size_t step = 1;; step++) {
        const double f = function->evaluate(function->payload, x, dx);
        if (!isfinite(f)) break;
        if (function->accept(function->payload, x, f)) {
            *end = DLG_ENDED_BY_CALLER;
            break;
        }
        const double rate = scale * exp2(-(double)step / half_life);
        for (size_t i = 0; i < n; i++) {
            mean[i] = beta1 * mean[i] + (1 - beta1) * dx[i];
            square[i] = beta2 * square[i] + (1 - beta2) * dx[i] * dx[i];
            const double m = mean[i] / (1 - pow(beta1, (double)step)), v = square[i] / (1 - pow(beta2, (double)step));
            x[i] -= rate * m / (sqrt(v) + epsilon);
        }
    }
out:
    dlg_free(dx);
    dlg_free(mean);
    dlg_free(square);
    return status;
}

const dlg_minimiser dlg_adam = {"adam", "Adam, with a decaying step", run};
