#include "math/stack.h"

#include "base/memory.h"

#include <string.h>

dlg_status dlg_stack_rows(dlg_stacked *out, size_t n_blocks, const dlg_real *const blocks[], const size_t rows[], size_t n_in,
                          dlg_error *err)
{
    size_t n_out = 0, n_items = 0;
    *out = (dlg_stacked){0};
    for (size_t i = 0; i < n_blocks; i++) n_out += rows[i];
    if (n_blocks == 1) {
        *out = (dlg_stacked){.n_out = n_out, .w = blocks[0]};
        return DLG_OK;
    }
    dlg_real *owned = dlg_multiply(n_out, n_in, &n_items) ? dlg_allocate(n_items, sizeof *owned) : NULL;
    if (!owned) return dlg_fail(err, DLG_ENOMEM, "weights: no memory for %zu x %zu numbers", n_out, n_in);
    dlg_real *next = owned;
    for (size_t i = 0; i < n_blocks; i++) {
        memcpy(next, blocks[i], rows[i] * n_in * sizeof *next);
        next += rows[i] * n_in;
    }
    *out = (dlg_stacked){n_out, owned, owned};
    return DLG_OK;
}
