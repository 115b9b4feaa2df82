#include "math/solve.h"

#include <lapacke.h>

bool dlg_solve_positive(size_t n, double *a, double *b)
{
    return !LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', (lapack_int)n, 1, a, (lapack_int)n, b, (lapack_int)n);
}
