#include "math/solve.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

bool dlg_solve_positive(size_t n, double *a, double *b)
{
    return !LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', (lapack_int)n, 1, a, (lapack_int)n, b, (lapack_int)n);
}

bool dlg_invert_positive(size_t n, double *a)
{
    return !LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n) &&
           !LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n);
}

/* With A = columns^T and W the weights, x = W^2 A^T (A W^2 A^T + mu)^-1 b. */
bool dlg_solve_weighted(size_t n, size_t m, const double *columns, size_t stride, const double *weights, double ridge,
                        const double *b, double *x, double *scratch)
{
    double *weighted = scratch, *normal = weighted + m * n, *y = normal + n * n, trace = 0;
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < n; i++) weighted[j * n + i] = weights[j] * columns[j * stride + i];
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, (int)n, (int)m, 1, weighted, (int)n, 0, normal, (int)n);
    for (size_t i = 0; i < n; i++) trace += normal[i * n + i];
    for (size_t i = 0; i < n; i++) normal[i * n + i] += ridge * trace / (double)n;
    memcpy(y, b, n * sizeof *y);
    if (!dlg_solve_positive(n, normal, y)) return false;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)m, (int)n, 1, weighted, (int)n, y, 1, 0, x, 1);
    for (size_t j = 0; j < m; j++) x[j] *= weights[j];
    return true;
}
