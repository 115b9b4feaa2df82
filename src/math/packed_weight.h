/**
 * A weight that never changes while many products are done with it: the one seam behind which weights may be kept in
 * whatever layout makes those products fast. packed_weight_onednn.c packs them, packed_weight_openblas.c leaves them as
 * they are; one of the two is built.
 */
#ifndef DLG_MATH_PACKED_WEIGHT_H
#define DLG_MATH_PACKED_WEIGHT_H

#include "math/stack.h"

/** W (n_out, n_in), as torch.nn.Linear stores its weight. Any number of threads may share one. */
typedef struct dlg_packed_weight dlg_packed_weight;

/** Which products: x W^T alone, or dy W as well. */
typedef enum { DLG_FORWARD_ONLY, DLG_BOTH_WAYS } dlg_ways;

/**
 * Pack a stack for x W^T. One block may be borrowed and must outlive the weight; several are copied together. *out is
 * NULL on failure. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_packed_weight_create(dlg_packed_weight **out, const dlg_stack *, dlg_error *);

/**
 * The same of one block (n_out, n_in) from dlg_allocate, which is the weight's from now on, and freed also on
 * failure.
 */
DLG_MUST_USE dlg_status dlg_packed_weight_adopt(dlg_packed_weight **out, dlg_real *block, size_t n_out, size_t n_in,
                                                dlg_error *);

/**
 * Pack it for dy W too, unless it is already: dlg_products_create does so, one weight after the other. Errors:
 * DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_packed_weight_pack_both_ways(dlg_packed_weight *, dlg_error *);

/** Accepts NULL. */
void dlg_packed_weight_free(dlg_packed_weight *);

/** Products of n rows with one weight, and the memory that they need: for one thread at a time. */
typedef struct dlg_products dlg_products;

/**
 * Prepare products, on as many threads as dlg_blas_threads says now. The weight must outlive them. Errors:
 * DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_products_create(dlg_products **out, dlg_packed_weight *, size_t n, dlg_ways, dlg_error *);

/** Accepts NULL. */
void dlg_products_free(dlg_products *);

/** y (n,n_out) = x (n,n_in) W^T + beta y; beta is 0 (overwrite) or 1 (accumulate). */
void dlg_products_times_transpose(const dlg_products *, const dlg_real *x, dlg_real beta, dlg_real *y);

/** dx (n,n_in) = dy (n,n_out) W + beta dx; beta is 0 (overwrite) or 1 (accumulate). Of products made for both ways. */
void dlg_products_times(const dlg_products *, const dlg_real *dy, dlg_real beta, dlg_real *dx);

/**
 * Called by dlg_blas_start: let all products made from now on use n_threads (at least 1).
 * @return the library that does them where it is not OpenBLAS, such as "oneDNN 2.6.3 (AVX-512)", else NULL; valid until
 * the next call
 */
const char *dlg_packed_weight_start(int n_threads);

#endif
