/** The row space of weight gradients: dY^T X lies, row by row, in the span of the rows of X. */
#ifndef DLG_MATH_ROW_SPACE_H
#define DLG_MATH_ROW_SPACE_H

#include "math/stack.h"

/** An orthonormal basis (rank, n_in), to be freed with dlg_free. */
typedef struct {
    size_t rank;
    dlg_real *basis;
} dlg_row_space;

/**
 * A basis of at most max_rank directions of the rows of all blocks, largest first, each block divided by its norm so
 * that a small one counts as much as the others; directions below single precision's rounding are left out. A random
 * sketch finds it in two passes over the blocks (Halko, Martinsson & Tropp 2011, SIAM Rev. 53, algorithm 4.1). Errors:
 * DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_row_space_find(dlg_row_space *out, const dlg_stack *, size_t max_rank, dlg_error *);

/**
 * The largest singular values of the same stack, descending: `most` of them, or all there are.
 * @param[out] n how many @param[out] values (most) Errors: as above.
 */
DLG_MUST_USE dlg_status dlg_singular_values(size_t *n, double *values, const dlg_stack *, size_t most, dlg_error *);

#endif
