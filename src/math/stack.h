/** Row blocks under each other: parameters that are one weight. */
#ifndef DLG_MATH_STACK_H
#define DLG_MATH_STACK_H

#include "base/status.h"
#include "math/real.h"

#include <stddef.h>

enum { DLG_STACK_MOST = 3 };

/** Row blocks stacked on each other: block i is (n_rows[i], n_in). Borrowed. */
typedef struct {
    size_t n_blocks, n_in;
    const dlg_real *blocks[DLG_STACK_MOST];
    size_t n_rows[DLG_STACK_MOST];
} dlg_stack;

/** n_out, rows of all blocks together. */
size_t dlg_stack_height(const dlg_stack *);

/** The stack as one matrix w (n_out, n_in): the block itself where there is one, else a copy of them all. */
typedef struct {
    size_t n_out;
    const dlg_real *w;
    dlg_real *owned; /**< w where it was copied, else NULL; free with dlg_free */
} dlg_stacked;

/** Errors: DLG_ENOMEM; *out is then empty. */
DLG_MUST_USE dlg_status dlg_stack_rows(dlg_stacked *out, const dlg_stack *, dlg_error *);

#endif
