#include "dense_direction.h"

#include "math/blas.h"

static void take(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    const dlg_dense_direction *dense = (const dlg_dense_direction *)self;
    const size_t out = dense->n_out, in = dense->n_in;
    if (dense->gradient) dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, out, in, n, 1, dy, out, x, in, 0, dense->gradient, in);
}

static void add_rforward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry)
{
    const dlg_dense_direction *dense = (const dlg_dense_direction *)self;
    const size_t out = dense->n_out, in = dense->n_in;
    (void)dy;
    if (dense->direction) dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, out, in, 1, x, in, dense->direction, in, 1, ry, out);
}

static void add_rbackward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *rdx)
{
    const dlg_dense_direction *dense = (const dlg_dense_direction *)self;
    const size_t out = dense->n_out, in = dense->n_in;
    (void)x;
    if (dense->direction) dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, out, 1, dy, out, dense->direction, in, 1, rdx, in);
}

void dlg_dense_direction_init(dlg_dense_direction *dense, size_t n_out, size_t n_in, dlg_real *gradient, const dlg_real *direction)
{
    *dense = (dlg_dense_direction){{take, add_rforward, add_rbackward}, n_out, n_in, gradient, direction};
}
