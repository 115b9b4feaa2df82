/*
 * Selection of rows, a linear map S.
 *
 *   forward    y  = S x        backward    dx  = S^T dy
 *   R-forward  Ry = S Rx       R-backward  Rdx = S^T Rdy
 */
#include "ops/select.h"

#include <string.h>

static void gather(const dlg_select *sel, const dlg_real *from, dlg_real *to)
{
    const size_t C = sel->y->n_cols;
    for (size_t i = 0; i < sel->y->n_rows; i++) memcpy(to + i * C, from + sel->row[i] * C, C * sizeof *to);
}

static void scatter(const dlg_select *sel, const dlg_real *from, dlg_real *to)
{
    const size_t C = sel->y->n_cols;
    memset(to, 0, sel->x->n_rows * C * sizeof *to);
    for (size_t i = 0; i < sel->y->n_rows; i++) memcpy(to + sel->row[i] * C, from + i * C, C * sizeof *to);
}

static void forward(dlg_op *op)
{
    dlg_select *sel = (dlg_select *)op;
    gather(sel, sel->x->x, sel->y->x);
}

static void backward(dlg_op *op)
{
    dlg_select *sel = (dlg_select *)op;
    scatter(sel, sel->y->dx, sel->x->dx);
    sel->x->dx_begun = true;
}

static void rforward(dlg_op *op)
{
    dlg_select *sel = (dlg_select *)op;
    gather(sel, sel->x->rx, sel->y->rx);
}

static void rbackward(dlg_op *op)
{
    dlg_select *sel = (dlg_select *)op;
    scatter(sel, sel->y->rdx, sel->x->rdx);
    sel->x->rdx_begun = true;
}

const dlg_op_class dlg_select_class = {"select", NULL, forward, backward, NULL, NULL, rforward, rbackward};
