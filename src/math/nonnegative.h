/** Quadratic programmes without negative numbers, in double, on LAPACK. */
#ifndef DLG_MATH_NONNEGATIVE_H
#define DLG_MATH_NONNEGATIVE_H

#include "base/status.h"

#include <stddef.h>

/**
 * x (n), none of it negative, that makes x^T q x / 2 - p^T x small: projected Newton steps among what is not held at
 * zero (Bertsekas 1982, SIAM J. Control Optim. 20), until they are worth no more than a small part of it.
 * @param q (n, n) symmetric, positive definite @param[in,out] x where to begin, not negative
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_solve_nonnegative(size_t n, const double *q, const double *p, double *x, dlg_error *);

#endif
