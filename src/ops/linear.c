/*
 * Linear layer, differentiated twice. The gradient of W is dy^T x; c is the direction in W, e the one in b.
 *
 *   forward      y   = x W^T + b
 *   backward     dx  = dy W
 *   gradient     dW  = dy^T x,  db = sum over the rows of dy
 *   R-start      Ry  = x c^T + e,  Rdx = dy c
 *   R-forward    Ry  += Rx W^T
 *   R-backward   Rdx += Rdy W
 *
 * The products with c are the direction's own affair (weight_direction.h).
 */
#include "ops/linear.h"

#include "math/blas.h"
#include "math/simd.h"

#include <string.h>

static void broadcast(const dlg_value *y, const dlg_real *bias, dlg_real *rows)
{
    for (size_t i = 0; i < y->n_rows; i++) memcpy(rows + i * y->n_cols, bias, y->n_cols * sizeof *rows);
}

static void forward(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    broadcast(lin->y, lin->bias.value, lin->y->x);
    dlg_products_times_transpose(lin->weight, lin->x->x, 1, lin->y->x);
}

static void backward(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    const size_t n = lin->y->n_rows;
    dlg_products_times(lin->weight, lin->y->dx, dlg_value_begin_dx(lin->x), lin->x->dx);
    if (lin->direction && lin->direction->backward) lin->direction->backward(lin->direction, n, lin->x->x, lin->y->dx);
}

DLG_SIMD static void sum_of_rows(size_t n, size_t n_cols, const dlg_real *rows, dlg_real *restrict sum)
{
    memset(sum, 0, n_cols * sizeof *sum);
    for (size_t i = 0; i < n; i++, rows += n_cols)
        for (size_t j = 0; j < n_cols; j++) sum[j] += rows[j];
}

static void gradient(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    const size_t n = lin->y->n_rows;
    if (lin->direction) lin->direction->gradient(lin->direction, n, lin->x->x, lin->y->dx);
    sum_of_rows(n, lin->y->n_cols, lin->y->dx, lin->bias.gradient);
}

static void rstart(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    broadcast(lin->y, lin->bias.direction, lin->y->rx);
    if (lin->direction)
        lin->direction->rstart(lin->direction, lin->y->n_rows, lin->x->x, lin->y->dx, lin->y->rx,
                               dlg_value_begin_rdx(lin->x), lin->x->rdx);
}

static void rforward(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    dlg_products_times_transpose(lin->weight, lin->x->rx, 1, lin->y->rx);
}

static void rbackward(dlg_op *op)
{
    dlg_linear *lin = (dlg_linear *)op;
    const size_t n = lin->y->n_rows;
    dlg_products_times(lin->weight, lin->y->rdx, dlg_value_begin_rdx(lin->x), lin->x->rdx);
    if (lin->direction && lin->direction->rbackward)
        lin->direction->rbackward(lin->direction, n, lin->y->dx, lin->x->rdx);
}

const dlg_op_class dlg_linear_class = {"linear", NULL, forward, backward, gradient, rstart, rforward, rbackward};

void dlg_linear_weight_gradient(const dlg_linear *lin, size_t first_row, size_t n_rows, dlg_real *out)
{
    const size_t n_out = lin->y->n_cols, n_in = lin->x->n_cols;
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, n_rows, n_in, lin->y->n_rows, 1, lin->y->dx + first_row, n_out, lin->x->x, n_in,
             0, out, n_in);
}
