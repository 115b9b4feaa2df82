/* Products with a constant matrix on OpenBLAS, which reads the matrix as it is and packs it anew for each product. */
#include "math/constant.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/constant_rows.h"

struct dlg_constant {
    size_t n_in;
    dlg_stacked rows; /* (n_out, n_in) */
};

dlg_status dlg_constant_of_rows(dlg_constant **out, dlg_stacked rows, size_t n_in, dlg_error *err)
{
    *out = dlg_allocate(1, sizeof **out);
    if (*out) **out = (dlg_constant){n_in, rows};
    else dlg_free(rows.owned);
    return *out ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "weights: no memory");
}

void dlg_constant_free(dlg_constant *constant)
{
    if (!constant) return;
    dlg_free(constant->rows.owned);
    dlg_free(constant);
}

dlg_status dlg_constant_reserve(dlg_constant *constant, size_t n, dlg_error *err)
{
    (void)constant, (void)n, (void)err;
    return DLG_OK;
}

/* A product is shared out in slices of W, one a thread, for OpenBLAS itself keeps to one (dlg_blas_start). */
static size_t slice_begin(size_t n, int slice)
{
    return n * (size_t)slice / (size_t)dlg_blas_threads();
}

void dlg_constant_times_transpose(const dlg_constant *c, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y)
{
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (int i = 0; i < dlg_blas_threads(); i++) {
        const size_t begin = slice_begin(c->rows.n_out, i), end = slice_begin(c->rows.n_out, i + 1);
        const dlg_real *w = c->rows.w + begin * c->n_in;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, end - begin, c->n_in, 1, x, c->n_in, w, c->n_in, beta, y + begin, c->rows.n_out);
    }
}

void dlg_constant_times(const dlg_constant *c, size_t n, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (int i = 0; i < dlg_blas_threads(); i++) {
        const size_t begin = slice_begin(c->n_in, i), end = slice_begin(c->n_in, i + 1);
        const dlg_real *w = c->rows.w + begin;
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, end - begin, c->rows.n_out, 1, dy, c->rows.n_out, w, c->n_in, beta, dx + begin, c->n_in);
    }
}

const char *dlg_constant_start(int n_threads)
{
    (void)n_threads;
    return NULL;
}
