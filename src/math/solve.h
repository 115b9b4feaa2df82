/** Small systems of linear equations, in double, on LAPACK. */
#ifndef DLG_MATH_SOLVE_H
#define DLG_MATH_SOLVE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * b := a^-1 b for the symmetric positive definite a (n, n), which is overwritten (Cholesky). @return false when a is not positive definite:
 * b is then undefined
 */
bool dlg_solve_positive(size_t n, double *a, double *b);

#endif
