/** Linear assignment. */
#ifndef DLG_MATH_ASSIGN_H
#define DLG_MATH_ASSIGN_H

#include "math/real.h"

#include <stddef.h>

/** Numbers of scratch that dlg_assign needs. */
size_t dlg_assign_scratch(size_t n_rows, size_t n_columns);

/**
 * Give each column a row of its own so that the sum of cost is least (Kuhn 1955; shortest augmenting paths, Jonker &
 * Volgenant 1987). @param[in] cost (n_rows, n_columns), n_rows >= n_columns @param[out] row_of (n_columns)
 * @param scratch dlg_assign_scratch numbers @param used_scratch n_rows + 1 sizes, thrice
 * Cost: O(n_columns^2 n_rows).
 */
void dlg_assign(size_t n_rows, size_t n_columns, const dlg_real *cost, size_t *row_of, double *scratch,
                size_t *used_scratch);

#endif
