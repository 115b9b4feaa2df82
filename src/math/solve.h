/** Small systems of linear equations, in double, on LAPACK. */
#ifndef DLG_MATH_SOLVE_H
#define DLG_MATH_SOLVE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * b := a^-1 b for the symmetric positive definite a (n, n), which is overwritten (Cholesky). @return false when a is
 * not positive definite: b is then undefined
 */
bool dlg_solve_positive(size_t n, double *a, double *b);

/** a := a^-1, of which the diagonal and what is above it, likewise. @return false when a is not positive definite */
bool dlg_invert_positive(size_t n, double *a);

/**
 * x (m) with sum_j x[j] columns[j] = b (n): of all solutions the one with the smallest sum of (x[j] / weights[j])^2,
 * x[j] = 0 where the weight is. A ridge, as a part of the mean square of the weighted columns, keeps rounding out of
 * it.
 * @param columns (m, n), `stride` numbers apart @param scratch (n (m + n + 1)) @return false when the numbers are not
 * finite
 */
bool dlg_solve_weighted(size_t n, size_t m, const double *columns, size_t stride, const double *weights, double ridge,
                        const double *b, double *x, double *scratch);

#endif
