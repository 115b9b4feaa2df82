/** Singular values and right singular vectors in double, of what may hardly be of full rank. */
#ifndef DLG_MATH_SVD_H
#define DLG_MATH_SVD_H

#include "base/status.h"

#include <stddef.h>

/**
 * The k largest singular values of a (m, n) and the right vectors that belong to them, k <= min(m, n). Where k is less than a third of n,
 * by a random sketch with one subspace iteration (Halko, Martinsson & Tropp 2011, SIAM Rev. 53, algorithm 4.4), whose last few are only
 * about right.
 * @param[out] values (k) descending @param[out] vectors (k, n) orthonormal rows
 * Errors: DLG_ENOMEM; DLG_ENONFINITE when LAPACK rejects the numbers.
 */
DLG_MUST_USE dlg_status dlg_svd_right(size_t m, size_t n, const double *a, size_t k, double *values, double *vectors, dlg_error *);

/**
 * How many of n descending singular values of a single-precision matrix mean something: those up to the last that is followed by a fall,
 * where rounding, or noise, does not fall. Where all of it is noise that is nearly n.
 */
size_t dlg_svd_rank(size_t n, const double *values);

/**
 * Least squares: x (n, k) with a (m, n) x = b (m, k) as nearly as can be; directions of a below
 * `smallest` of its largest are left out. Errors: as above.
 */
DLG_MUST_USE dlg_status dlg_least_squares(size_t m, size_t n, size_t k, const double *a, const double *b, double smallest, double *x,
                                          dlg_error *);

#endif
