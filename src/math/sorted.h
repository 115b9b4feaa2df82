/** Numbers in ascending order. */
#ifndef DLG_MATH_SORTED_H
#define DLG_MATH_SORTED_H

#include <stddef.h>

/** Sort n numbers, none of which is NaN, in place. */
void dlg_sort(size_t n, double *values);

/** The same of sizes. */
void dlg_sort_sizes(size_t n, size_t *sizes);

/** The value in their middle, the upper one of two; they are sorted for it. 0 where n is. */
double dlg_sort_median(size_t n, double *values);

#endif
