/* Products with a weight on OpenBLAS, which reads the matrix as it is and packs it anew for each product. */
#include "math/packed_weight.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/packed_weight_rows.h"

struct dlg_packed_weight {
    size_t n_in;
    dlg_stacked rows; /* (n_out, n_in) */
};

struct dlg_products {
    const dlg_packed_weight *weight;
    size_t n;
};

dlg_status dlg_packed_weight_of_rows(dlg_packed_weight **out, dlg_stacked rows, size_t n_in, dlg_error *err)
{
    *out = dlg_allocate(1, sizeof **out);
    if (*out) **out = (dlg_packed_weight){n_in, rows};
    else dlg_free(rows.owned);
    return *out ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "weights: no memory");
}

void dlg_packed_weight_free(dlg_packed_weight *weight)
{
    if (!weight) return;
    dlg_free(weight->rows.owned);
    dlg_free(weight);
}

dlg_status dlg_packed_weight_pack_both_ways(dlg_packed_weight *weight, dlg_error *err)
{
    (void)weight, (void)err;
    return DLG_OK;
}

dlg_status dlg_products_create(dlg_products **out, dlg_packed_weight *weight, size_t n, dlg_ways ways, dlg_error *err)
{
    (void)ways;
    *out = dlg_allocate(1, sizeof **out);
    if (*out) **out = (dlg_products){weight, n};
    return *out ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "products: no memory");
}

void dlg_products_free(dlg_products *products)
{
    dlg_free(products);
}

/* A product is shared out in slices of W, one a thread, for OpenBLAS itself keeps to one (dlg_blas_start). */
static size_t slice_begin(size_t n, int slice)
{
    return n * (size_t)slice / (size_t)dlg_blas_threads();
}

void dlg_products_times_transpose(const dlg_products *products, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    const dlg_packed_weight *c = products->weight;
    const size_t n = products->n;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (int i = 0; i < dlg_blas_threads(); i++) {
        const size_t begin = slice_begin(c->rows.n_out, i), end = slice_begin(c->rows.n_out, i + 1);
        const dlg_real *w = c->rows.w + begin * c->n_in;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, end - begin, c->n_in, 1, x, c->n_in, w, c->n_in, beta, y + begin,
                 c->rows.n_out);
    }
}

void dlg_products_times(const dlg_products *products, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    const dlg_packed_weight *c = products->weight;
    const size_t n = products->n;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (int i = 0; i < dlg_blas_threads(); i++) {
        const size_t begin = slice_begin(c->n_in, i), end = slice_begin(c->n_in, i + 1);
        const dlg_real *w = c->rows.w + begin;
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, end - begin, c->rows.n_out, 1, dy, c->rows.n_out, w, c->n_in, beta,
                 dx + begin, c->n_in);
    }
}

const char *dlg_packed_weight_start(int n_threads)
{
    (void)n_threads;
    return NULL;
}
