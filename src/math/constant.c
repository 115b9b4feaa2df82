#include "math/constant.h"

#include "base/memory.h"
#include "math/blas.h"

#include <string.h>

struct dlg_constant {
    size_t n_out, n_in;
    const dlg_real *w; /* (n_out, n_in) */
    dlg_real *owned;   /* the same where it was copied, else NULL */
};

dlg_status dlg_constant_create(dlg_constant **out, size_t n_blocks, const dlg_real *const blocks[], const size_t rows[], size_t n_in,
                               dlg_error *err)
{
    *out = NULL;
    dlg_constant *constant = dlg_allocate(1, sizeof *constant);
    if (!constant) return dlg_fail(err, DLG_ENOMEM, "weights: no memory");
    constant->n_in = n_in;
    for (size_t i = 0; i < n_blocks; i++) constant->n_out += rows[i];
    constant->w = blocks[0];
    if (n_blocks > 1) {
        constant->owned = dlg_allocate(constant->n_out * n_in, sizeof *constant->owned);
        if (!constant->owned) {
            const dlg_status status = dlg_fail(err, DLG_ENOMEM, "weights: no memory for %zu numbers", constant->n_out * n_in);
            dlg_constant_free(constant);
            return status;
        }
        dlg_real *next = constant->owned;
        for (size_t i = 0; i < n_blocks; i++) {
            memcpy(next, blocks[i], rows[i] * n_in * sizeof *next);
            next += rows[i] * n_in;
        }
        constant->w = constant->owned;
    }
    *out = constant;
    return DLG_OK;
}

void dlg_constant_free(dlg_constant *constant)
{
    if (!constant) return;
    dlg_free(constant->owned);
    dlg_free(constant);
}

void dlg_constant_times_transpose(const dlg_constant *w, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, w->n_out, w->n_in, 1, x, w->n_in, w->w, w->n_in, beta, y, w->n_out);
}

void dlg_constant_times(const dlg_constant *w, size_t n, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, w->n_in, w->n_out, 1, dy, w->n_out, w->w, w->n_in, beta, dx, w->n_in);
}
