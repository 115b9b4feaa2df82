/*
 * Dropout, a diagonal linear map K that is drawn with the forward sweep: K[i] = 0 with probability p, else 1 / (1 - p),
 * so that y is x on average.
 *
 *   forward    y  = K x        backward    dx  = K dy
 *   R-forward  Ry = K Rx       R-backward  Rdx = K Rdy
 */
#include "ops/dropout.h"

#include "math/random.h"

static size_t size(const dlg_dropout *drop)
{
    return drop->y->n_rows * drop->y->n_cols;
}

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_dropout *drop = (dlg_dropout *)op;
    size_t n = 0;
    if (!dlg_multiply(drop->y->n_rows, drop->y->n_cols, &n)) arena->overflow = true;
    drop->keep = dlg_arena_carve(arena, n, sizeof *drop->keep);
}

static void multiply(const dlg_dropout *drop, const dlg_real *from, dlg_real *to)
{
    for (size_t i = 0; i < size(drop); i++) to[i] = drop->keep[i] * from[i];
}

static void forward(dlg_op *op)
{
    dlg_dropout *drop = (dlg_dropout *)op;
    dlg_random random = dlg_random_at(drop->seed, drop->stream);
    for (size_t i = 0; i < size(drop); i++)
        drop->keep[i] = dlg_random_uniform(&random) < drop->rate ? 0 : (dlg_real)(1 / (1 - drop->rate));
    multiply(drop, drop->x->x, drop->y->x);
}

static void backward(dlg_op *op)
{
    dlg_dropout *drop = (dlg_dropout *)op;
    multiply(drop, drop->y->dx, drop->x->dx);
    drop->x->dx_begun = true;
}

static void rforward(dlg_op *op)
{
    dlg_dropout *drop = (dlg_dropout *)op;
    multiply(drop, drop->x->rx, drop->y->rx);
}

static void rbackward(dlg_op *op)
{
    dlg_dropout *drop = (dlg_dropout *)op;
    multiply(drop, drop->y->rdx, drop->x->rdx);
    drop->x->rdx_begun = true;
}

const dlg_op_class dlg_dropout_class = {"dropout", plan, forward, backward, NULL, NULL, rforward, rbackward};
