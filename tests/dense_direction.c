#include "dense_direction.h"

#include "math/blas.h"

static void gradient(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    const dlg_dense_direction *dense = (const dlg_dense_direction *)self;
    const size_t out = dense->n_out, in = dense->n_in;
    if (dense->gradient) dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, out, in, n, 1, dy, out, x, in, 0, dense->gradient, in);
}

static void rstart(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry,
                   dlg_real beta, dlg_real *rdx)
{
    const dlg_dense_direction *dense = (const dlg_dense_direction *)self;
    const size_t out = dense->n_out, in = dense->n_in;
    if (dense->direction) dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, out, in, 1, x, in, dense->direction, in, 1, ry, out);
    if (dense->direction) dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, out, 1, dy, out, dense->direction, in, beta, rdx, in);
    for (size_t i = 0; !dense->direction && beta == 0 && i < n * in; i++) rdx[i] = 0;
}

void dlg_dense_direction_init(dlg_dense_direction *dense, size_t n_out, size_t n_in, dlg_real *gradient_out,
                              const dlg_real *direction)
{
    *dense = (dlg_dense_direction){{NULL, gradient, rstart, NULL}, n_out, n_in, gradient_out, direction};
}
