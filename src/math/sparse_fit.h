/**
 * What of a vector lies in a row space where a part of its numbers is wrong, however much. Where these are few enough
 * the others come out exactly, which least squares never do.
 */
#ifndef DLG_MATH_SPARSE_FIT_H
#define DLG_MATH_SPARSE_FIT_H

#include <stdbool.h>
#include <stddef.h>

/** Numbers of scratch that both functions need. */
size_t dlg_sparse_fit_scratch(size_t k, size_t n);

/**
 * left (n) := y - r, with an r of the space for which the sum of |left[i]|^0.7 is small: least squares again and
 * again, each with the weights that the one before gives (Chartrand & Yin 2008). An entry is at most gone: left[i] is
 * wanted between 0 and y[i], and weighs more elsewhere. A few rounds show which y are near; it ends before n_rounds
 * where it has converged, mostly after some twenty. @param basis (k, n) orthonormal rows @param is_exact (n) entries
 * that must be met; NULL: none @param goes_on whether `left` holds the result of earlier rounds @return false where
 * numbers are not finite
 */
bool dlg_sparse_fit(size_t k, size_t n, const double *basis, const double *y, const bool *is_exact, size_t n_rounds,
                    bool goes_on, double *left, double *scratch);

/**
 * left (n) := y - r, with the r of the space that is nearest to y in those entries alone for which `counts` holds.
 */
bool dlg_fit_some(size_t k, size_t n, const double *basis, const double *y, const bool *counts, double *left,
                  double *scratch);

/** Sum of |left[i]|^0.7 as a part of that of |y[i]|^0.7. */
double dlg_sparse_fit_rest(size_t n, const double *y, const double *left);

#endif
