#include "math/sorted.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void dlg_sort(size_t n, double *values)
{
    if (n) qsort(values, n, sizeof *values, compare);
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

void dlg_sort_sizes(size_t n, size_t *sizes)
{
    if (n) qsort(sizes, n, sizeof *sizes, compare_sizes);
}

double dlg_sort_median(size_t n, double *values)
{
    dlg_sort(n, values);
    return n ? values[n / 2] : 0;
}
