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
 *   a = x (1 + t)/2,   a' = (1 + t)/2 + x t'/2,   a'' = t' + x t''/2   with t' = (1 - t^2) u',  t'' = (1 - t^2)(u'' - 2 t u'^2)
 * tanh:
 *   a = t,   a' = 1 - t^2,   a'' = -2 t (1 - t^2)
 */
#include "ops/activation.h"

#include <assert.h>
#include <tgmath.h>

void dlg_gelu_erf(dlg_real x, dlg_real *y, dlg_real *first, dlg_real *second)
{
    const dlg_real density = (dlg_real)0.3989422804014326779 * exp(-x * x / 2);
    const dlg_real distribution = (1 + erf(x * (dlg_real)0.7071067811865475244)) / 2;
    *y = x * distribution;
    *first = distribution + x * density;
    *second = (2 - x * x) * density;
}

void dlg_gelu_tanh(dlg_real x, dlg_real *y, dlg_real *first, dlg_real *second)
{
    const dlg_real k = (dlg_real)0.7978845608028653559 /* sqrt(2/pi) */, c = (dlg_real)0.044715;
    const dlg_real t = tanh(k * (x + c * x * x * x)), du = k * (1 + 3 * c * x * x), ddu = 6 * k * c * x;
    const dlg_real dt = (1 - t * t) * du, ddt = (1 - t * t) * (ddu - 2 * t * du * du);
    *y = x * (1 + t) / 2;
    *first = (1 + t) / 2 + x * dt / 2;
    *second = dt + x * ddt / 2;
}

void dlg_tanh(dlg_real x, dlg_real *y, dlg_real *first, dlg_real *second)
{
    const dlg_real t = tanh(x);
    *y = t;
    *first = 1 - t * t;
    *second = -2 * t * (1 - t * t);
}

static size_t size(const dlg_activation *act)
{
    return act->y->n_rows * act->y->n_cols;
}

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_activation *act = (dlg_activation *)op;
    act->first = dlg_arena_carve(arena, size(act), sizeof *act->first);
    act->second = dlg_arena_carve(arena, size(act), sizeof *act->second);
}

static void forward(dlg_op *op)
{
    dlg_activation *act = (dlg_activation *)op;
    for (size_t i = 0; i < size(act); i++) act->function(act->x->x[i], &act->y->x[i], &act->first[i], &act->second[i]);
}

static void backward(dlg_op *op)
{
    dlg_activation *act = (dlg_activation *)op;
    assert(!act->x->dx_begun);
    for (size_t i = 0; i < size(act); i++) act->x->dx[i] = act->first[i] * act->y->dx[i];
    act->x->dx_begun = true;
}

static void rforward(dlg_op *op)
{
    dlg_activation *act = (dlg_activation *)op;
    for (size_t i = 0; i < size(act); i++) act->y->rx[i] = act->first[i] * act->x->rx[i];
}

static void rbackward(dlg_op *op)
{
    dlg_activation *act = (dlg_activation *)op;
    assert(!act->x->rdx_begun);
    for (size_t i = 0; i < size(act); i++)
        act->x->rdx[i] = act->first[i] * act->y->rdx[i] + act->second[i] * act->x->rx[i] * act->y->dx[i];
    act->x->rdx_begun = true;
}

const dlg_op_class dlg_activation_class = {"activation", plan, forward, backward, NULL, rforward, rbackward};
