/*
 * Activation y = a(x), element by element. a' and a'' are computed with a, where its exponential is at hand.
 *
 *   forward      y   = a(x)
 *   backward     dx  = a' dy
 *   R-forward    Ry  = a' Rx
 *   R-backward   Rdx = a' Rdy + a'' Rx dy
 *
 * gelu, exact, with phi and Phi the normal density and distribution function:
 *   a = x Phi,   a' = Phi + x phi,   a'' = (2 - x^2) phi
 * gelu by tanh, u = k (x + c x^3), t = tanh u:
 *   a = x (1 + t)/2,   a' = (1 + t)/2 + x t'/2,   a'' = t' + x t''/2   with t' = (1 - t^2) u',  t'' = (1 - t^2)(u'' - 2
 *   t u'^2)
 * tanh:
 *   a = t,   a' = 1 - t^2,   a'' = -2 t (1 - t^2)
 */
#include "ops/activation.h"

#include "math/simd.h"
#include "math/threads.h"

#include <assert.h>
#include <tgmath.h>

DLG_SIMD void dlg_gelu_erf(size_t n, const dlg_real *restrict x, dlg_real *restrict y, dlg_real *restrict first,
                           dlg_real *restrict second)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const dlg_real density = (dlg_real)0.3989422804014326779 * exp(-x[i] * x[i] / 2);
        const dlg_real distribution = (1 + erf(x[i] * (dlg_real)0.7071067811865475244)) / 2;
        y[i] = x[i] * distribution;
        first[i] = distribution + x[i] * density;
        second[i] = (2 - x[i] * x[i]) * density;
    }
}

DLG_SIMD void dlg_gelu_tanh(size_t n, const dlg_real *restrict x, dlg_real *restrict y, dlg_real *restrict first,
                            dlg_real *restrict second)
{
    const dlg_real k = (dlg_real)0.7978845608028653559 /* sqrt(2/pi) */, c = (dlg_real)0.044715;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const dlg_real z = x[i], t = tanh(k * (z + c * z * z * z)), du = k * (1 + 3 * c * z * z), ddu = 6 * k * c * z;
        const dlg_real dt = (1 - t * t) * du, ddt = (1 - t * t) * (ddu - 2 * t * du * du);
        y[i] = z * (1 + t) / 2;
        first[i] = (1 + t) / 2 + z * dt / 2;
        second[i] = dt + z * ddt / 2;
    }
}

DLG_SIMD void dlg_tanh(size_t n, const dlg_real *restrict x, dlg_real *restrict y, dlg_real *restrict first,
                       dlg_real *restrict second)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const dlg_real t = tanh(x[i]);
        y[i] = t;
        first[i] = 1 - t * t;
        second[i] = -2 * t * (1 - t * t);
    }
}

DLG_SIMD void dlg_relu(size_t n, const dlg_real *restrict x, dlg_real *restrict y, dlg_real *restrict first,
                       dlg_real *restrict second)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : 0;
        first[i] = x[i] > 0;
        second[i] = 0;
    }
}

static size_t size(const dlg_activation *act)
{
    return act->y->n_rows * act->y->n_cols;
}

static bool is_large(const dlg_activation *act)
{
    return size(act) > DLG_WORTH_A_THREAD;
}

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_activation *act = (dlg_activation *)op;
    act->first = dlg_arena_carve(arena, size(act), sizeof *act->first);
    act->second = dlg_arena_carve(arena, size(act), sizeof *act->second);
}

/* out = a b */
DLG_SIMD static void multiply(size_t n, const dlg_real *a, const dlg_real *b, dlg_real *restrict out)
{
    for (size_t i = 0; i < n; i++) out[i] = a[i] * b[i];
}

/* rdx = a' rdy + a'' rx dy */
DLG_SIMD static void multiply_twice(size_t n, const dlg_real *first, const dlg_real *rdy, const dlg_real *second,
                                    const dlg_real *rx, const dlg_real *dy, dlg_real *restrict rdx)
{
    for (size_t i = 0; i < n; i++) rdx[i] = first[i] * rdy[i] + second[i] * rx[i] * dy[i];
}

/* Each row of a sweep is a thread's own. */
#define FOR_EACH_ROW(act)                                                                                              \
    _Pragma(                                                                                                           \
        "omp parallel for schedule(static) num_threads(dlg_blas_threads()) if (is_large(act))") for (size_t at = 0;    \
                                                                                                     at < size(act);   \
                                                                                                     at +=             \
                                                                                                     (act)->y->n_cols)

static void forward(dlg_op *op)
{
    const dlg_activation *act = (dlg_activation *)op;
    FOR_EACH_ROW(act) act->function(act->y->n_cols, act->x->x + at, act->y->x + at, act->first + at, act->second + at);
}

static void backward(dlg_op *op)
{
    const dlg_activation *act = (dlg_activation *)op;
    assert(!act->x->dx_begun);
    act->x->dx_begun = true;
    FOR_EACH_ROW(act) multiply(act->y->n_cols, act->first + at, act->y->dx + at, act->x->dx + at);
}

static void rforward(dlg_op *op)
{
    const dlg_activation *act = (dlg_activation *)op;
    FOR_EACH_ROW(act) multiply(act->y->n_cols, act->first + at, act->x->rx + at, act->y->rx + at);
}

static void rbackward(dlg_op *op)
{
    const dlg_activation *act = (dlg_activation *)op;
    assert(!act->x->rdx_begun);
    act->x->rdx_begun = true;
    FOR_EACH_ROW(act)
    multiply_twice(act->y->n_cols, act->first + at, act->y->rdx + at, act->second + at, act->x->rx + at,
                   act->y->dx + at, act->x->rdx + at);
}

const dlg_op_class dlg_activation_class = {"activation", plan, forward, backward, NULL, NULL, rforward, rbackward};
