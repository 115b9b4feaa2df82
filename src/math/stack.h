/** Row blocks under each other as one matrix. */
#ifndef DLG_MATH_STACK_H
#define DLG_MATH_STACK_H

#include "base/status.h"
#include "math/real.h"

#include <stddef.h>

/** Blocks of rows[i] rows and n_in columns as one matrix w (n_out, n_in): the block itself where there is one, else a copy of them all. */
typedef struct {
    size_t n_out;
    const dlg_real *w;
    dlg_real *owned; /**< w where it was copied, else NULL; free with dlg_free */
} dlg_stacked;

/** Errors: DLG_ENOMEM; *out is then empty. */
DLG_MUST_USE dlg_status dlg_stack_rows(dlg_stacked *out, size_t n_blocks, const dlg_real *const blocks[], const size_t rows[], size_t n_in,
                                       dlg_error *);

#endif
