#include "sweeps.h"

#include <math.h>

#ifdef DLG_DOUBLE
enum { IS_DOUBLE = 1 };
#else
enum { IS_DOUBLE = 0 };
#endif

/* Central differences: truncation goes with the square of the step, rounding with its inverse. */
static const double step = IS_DOUBLE ? 1e-5 : 1e-2;

static double part_of(double off, double scale)
{
    return isnan(off) ? INFINITY : off / (scale > 0 ? scale : 1);
}

/* max |found - want| / max |want| */
static double off_by(size_t n, const double *found, const double *want)
{
    double off = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs(found[i] - want[i]);
        if (!(difference <= off)) off = difference;
        if (isnan(difference)) return INFINITY;
        scale = fmax(scale, fabs(want[i]));
    }
    return part_of(off, scale);
}

/* out = dx, or rdx, of the i-th input */
static size_t input_numbers(const rig *r, size_t i, bool derivative, double *out)
{
    const dlg_value *v = r->inputs[i].value;
    const size_t n = v->n_rows * v->n_cols;
    for (size_t k = 0; k < n; k++) out[k] = (double)(derivative ? v->rdx[k] : v->dx[k]);
    return n;
}

static double adjoint(rig *r)
{
    double ry[RIG_ITEMS], u[RIG_ITEMS], dx[RIG_ITEMS], left = 0, right = 0, scale = 0;
    rig_evaluate(r, MOVE_INPUTS, 0);
    const size_t n_results = rig_result_derivatives(r, ry);
    rig_result_weights(r, u);
    for (size_t k = 0; k < n_results; k++) left += u[k] * ry[k], scale += fabs(u[k] * ry[k]);
    for (size_t i = 0; i < r->n_inputs; i++) {
        const size_t n = input_numbers(r, i, false, dx);
        for (size_t k = 0; k < n; k++)
            right += dx[k] * (double)r->inputs[i].along[k], scale += fabs(dx[k] * (double)r->inputs[i].along[k]);
    }
    return part_of(fabs(left - right), scale);
}

/* <dy, forward> with one number moved by `by` */
static double weighted_result(rig *r, dlg_real *start, double by)
{
    double y[RIG_ITEMS], u[RIG_ITEMS], sum = 0;
    const dlg_real before = *start;
    *start = (dlg_real)((double)before + by);
    rig_evaluate(r, 0, 0);
    *start = before;
    const size_t n = rig_results(r, y);
    rig_result_weights(r, u);
    for (size_t k = 0; k < n; k++) sum += u[k] * y[k];
    return sum;
}

/* The derivative of <dy, forward> by each of n numbers. */
static void differences(rig *r, size_t n, dlg_real *start, double *out)
{
    for (size_t k = 0; k < n; k++)
        out[k] = (weighted_result(r, start + k, step) - weighted_result(r, start + k, -step)) / (2 * step);
}

static double backward(rig *r)
{
    double worst = 0, dx[RIG_ITEMS], want[RIG_ITEMS];
    for (size_t i = 0; i < r->n_inputs; i++) {
        rig_evaluate(r, 0, 0);
        const size_t n = input_numbers(r, i, false, dx);
        differences(r, n, r->inputs[i].start, want);
        worst = fmax(worst, off_by(n, dx, want));
    }
    return worst;
}

static double gradient(rig *r)
{
    double worst = 0, found[RIG_ITEMS], want[RIG_ITEMS];
    for (size_t i = 0; i < r->n_parameters; i++) {
        const rig_parameter *p = &r->parameters[i];
        rig_evaluate(r, 0, 0);
        for (size_t k = 0; k < p->n; k++) found[k] = (double)p->gradient[k];
        differences(r, p->n, p->start, want);
        worst = fmax(worst, off_by(p->n, found, want));
    }
    return worst;
}

static double rforward(rig *r)
{
    double found[RIG_ITEMS], plus[RIG_ITEMS], minus[RIG_ITEMS];
    rig_evaluate(r, MOVE_INPUTS | MOVE_PARAMETERS, 0);
    const size_t n = rig_result_derivatives(r, found);
    rig_evaluate(r, MOVE_INPUTS | MOVE_PARAMETERS, step);
    rig_results(r, plus);
    rig_evaluate(r, MOVE_INPUTS | MOVE_PARAMETERS, -step);
    rig_results(r, minus);
    for (size_t k = 0; k < n; k++) plus[k] = (plus[k] - minus[k]) / (2 * step);
    return off_by(n, found, plus);
}

static double rbackward(rig *r)
{
    double worst = 0, found[RIG_ITEMS], plus[RIG_ITEMS], minus[RIG_ITEMS];
    for (size_t i = 0; i < r->n_inputs; i++) {
        rig_evaluate(r, MOVE_ALL, 0);
        const size_t n = input_numbers(r, i, true, found);
        rig_evaluate(r, MOVE_ALL, step);
        input_numbers(r, i, false, plus);
        rig_evaluate(r, MOVE_ALL, -step);
        input_numbers(r, i, false, minus);
        for (size_t k = 0; k < n; k++) plus[k] = (plus[k] - minus[k]) / (2 * step);
        worst = fmax(worst, off_by(n, found, plus));
    }
    return worst;
}

static double accumulation(rig *r)
{
    double worst = 0, dx[RIG_ITEMS], rdx[RIG_ITEMS], added[RIG_ITEMS];
    for (size_t i = 0; i < r->n_inputs; i++) {
        if (!r->inputs[i].shared) continue;
        dlg_value *v = r->inputs[i].value;
        rig_evaluate(r, MOVE_ALL, 0);
        const size_t n = input_numbers(r, i, false, dx);
        input_numbers(r, i, true, rdx);
        for (size_t k = 0; k < n; k++) {
            v->dx[k] = (dlg_real)(k + 1), v->rdx[k] = -(dlg_real)(k + 2);
            dx[k] += (double)(k + 1), rdx[k] -= (double)(k + 2);
        }
        v->dx_begun = v->rdx_begun = true;
        rig_evaluate(r, MOVE_ALL, 0);
        input_numbers(r, i, false, added);
        worst = fmax(worst, off_by(n, added, dx));
        input_numbers(r, i, true, added);
        worst = fmax(worst, off_by(n, added, rdx));
    }
    return worst;
}

const sweep_check sweep_checks[SWEEP_CHECKS] = {
    {"adjoint", adjoint, IS_DOUBLE ? 1e-12 : 1e-5},     {"backward", backward, IS_DOUBLE ? 1e-7 : 5e-3},
    {"gradient", gradient, IS_DOUBLE ? 1e-7 : 5e-3},    {"R-forward", rforward, IS_DOUBLE ? 1e-7 : 5e-3},
    {"R-backward", rbackward, IS_DOUBLE ? 1e-7 : 5e-3}, {"accumulation", accumulation, IS_DOUBLE ? 1e-12 : 1e-5},
};
