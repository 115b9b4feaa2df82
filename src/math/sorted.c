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

double dlg_sort_median(size_t n, double *values)
{
    dlg_sort(n, values);
    return n ? values[n / 2] : 0;
}
