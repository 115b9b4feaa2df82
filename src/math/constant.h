/**
 * A matrix that never changes while many products are done with it: the one seam behind which weights may be kept in whatever layout
 * makes those products fast. constant_onednn.c keeps them packed, constant_openblas.c as they are; one of the two is built.
 */
#ifndef DLG_MATH_CONSTANT_H
#define DLG_MATH_CONSTANT_H

#include "math/stack.h"

/** W (n_out, n_in), as torch.nn.Linear stores its weight. One thread at a time. */
typedef struct dlg_constant dlg_constant;

/**
 * Make a constant of a stack. One block may be borrowed and must outlive the constant; several are copied together. *out is NULL on
 * failure. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_constant_create(dlg_constant **out, const dlg_stack *, dlg_error *);

/** Make a constant of one block (n_out, n_in) from dlg_allocate, which is the constant's from now on, and freed also on failure. */
DLG_MUST_USE dlg_status dlg_constant_adopt(dlg_constant **out, dlg_real *block, size_t n_out, size_t n_in, dlg_error *);

/** Accepts NULL. */
void dlg_constant_free(dlg_constant *);

/**
 * Prepare products of n rows, on as many threads as dlg_blas_threads says now: all that they need is allocated here, once for each n.
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_constant_reserve(dlg_constant *, size_t n, dlg_error *);

/** y (n,n_out) = x (n,n_in) W^T + beta y; beta is 0 (overwrite) or 1 (accumulate). n was reserved, or is 0. */
void dlg_constant_times_transpose(const dlg_constant *, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y);

/** dx (n,n_in) = dy (n,n_out) W + beta dx; beta is 0 (overwrite) or 1 (accumulate). n was reserved, or is 0. */
void dlg_constant_times(const dlg_constant *, size_t n, const dlg_real *dy, dlg_real beta, dlg_real *dx);

/**
 * Called by dlg_blas_start: let the products of all constants made from now on use n_threads (at least 1).
 * @return the library that does them where it is not OpenBLAS, such as "oneDNN 2.6.3 (AVX-512)", else NULL; valid until the next call
 */
const char *dlg_constant_start(int n_threads);

#endif
