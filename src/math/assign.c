#include "math/assign.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t dlg_assign_scratch(size_t n_rows, size_t n_columns)
{
    return n_columns + 1 + 2 * (n_rows + 1);
}

/*
 * Rows and columns are counted from 1 here; 0 stands for "none". column_of[row] is the column a row is given to. For
 * each new column the shortest augmenting path is grown from it, with potentials u, v that keep all reduced costs
 * non-negative.
 */
void dlg_assign(size_t n_rows, size_t n_columns, const dlg_real *cost, size_t *row_of, double *scratch,
                size_t *used_scratch)
{
    assert(n_rows >= n_columns);
    double *u = scratch, *v = u + n_columns + 1, *least = v + n_rows + 1;
    size_t *column_of = used_scratch, *before = column_of + n_rows + 1, *done = before + n_rows + 1;
    memset(scratch, 0, dlg_assign_scratch(n_rows, n_columns) * sizeof *scratch);
    memset(column_of, 0, (n_rows + 1) * sizeof *column_of);
    for (size_t column = 1; column <= n_columns; column++) {
        size_t at = 0;
        column_of[0] = column;
        for (size_t r = 0; r <= n_rows; r++) least[r] = INFINITY, done[r] = 0;
        do {
            const size_t c = column_of[at];
            size_t next = 0;
            double step = INFINITY;
            done[at] = 1;
            for (size_t r = 1; r <= n_rows; r++) {
                if (done[r]) continue;
                const double reduced = (double)cost[(r - 1) * n_columns + c - 1] - u[c] - v[r];
                if (reduced < least[r]) least[r] = reduced, before[r] = at;
                if (least[r] < step) step = least[r], next = r;
            }
            for (size_t r = 0; r <= n_rows; r++) {
                if (done[r]) u[column_of[r]] += step, v[r] -= step;
                else least[r] -= step;
            }
            at = next;
        } while (column_of[at]);
        for (; at; at = before[at]) column_of[at] = column_of[before[at]];
    }
    for (size_t r = 1; r <= n_rows; r++)
        if (column_of[r]) row_of[column_of[r] - 1] = r - 1;
}
