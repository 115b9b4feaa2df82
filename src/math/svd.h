/**
 * In double, where small singular values count: what row_space.h finds of a stack, to the rounding of its numbers; and
 * what follows.
 */
#ifndef DLG_MATH_SVD_H
#define DLG_MATH_SVD_H

#include "math/stack.h"

/**
 * The k largest singular values of the stack (n_out, n_in) and the right vectors that belong to them, k <= min(n_out,
 * n_in); each block is divided by its norm. Where k is less than a third of n_in, by a random sketch with one subspace
 * iteration (Halko, Martinsson & Tropp 2011, SIAM Rev. 53, algorithm 4.4), whose last few are only about right.
 * @param[out] values (k) descending @param[out] vectors (k, n_in) orthonormal rows
 * Errors: DLG_ENOMEM; DLG_ENONFINITE when LAPACK rejects the numbers.
 */
DLG_MUST_USE dlg_status dlg_svd_right(const dlg_stack *, size_t k, double *values, double *vectors, dlg_error *);

/**
 * Take from x (n) what lies in the space of the orthonormal rows of basis (rank, n).
 * @param along (rank) scratch @return the norm of what is left
 */
double dlg_take_out(size_t rank, size_t n, const double *basis, double *x, double *along);

/** The same of the k columns of a (n,k). @param along (rank,k) scratch */
void dlg_take_out_of_columns(size_t rank, size_t n, const double *basis, size_t k, double *a, double *along);

/**
 * Least squares: x (n, k) with a (m, n) x = b (m, k) as nearly as can be; directions of a below
 * `smallest` of its largest are left out. Errors: as above.
 */
DLG_MUST_USE dlg_status dlg_least_squares(size_t m, size_t n, size_t k, const double *a, const double *b,
                                          double smallest, double *x, dlg_error *);

#endif
