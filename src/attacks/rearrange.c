#include "attacks/rearrange.h"

#include <assert.h>

static void reverse(size_t *order, size_t begin, size_t end)
{
    for (; begin + 1 < end; begin++) {
        const size_t other = order[--end];
        order[end] = order[begin];
        order[begin] = other;
    }
}

/* The neighbours [a, b) and [b, c) change places. */
static void exchange(size_t *order, size_t a, size_t b, size_t c)
{
    reverse(order, a, b);
    reverse(order, b, c);
    reverse(order, a, c);
}

/* Two different numbers below n, the smaller first. */
static void draw_two(size_t n, size_t *low, size_t *high, dlg_random *random)
{
    const size_t i = (size_t)dlg_random_below(random, n), other = (size_t)dlg_random_below(random, n - 1),
                 j = other + (other >= i);
    *low = i < j ? i : j;
    *high = i < j ? j : i;
}

void dlg_rearrange(size_t *order, size_t n, dlg_rearrangement kind, dlg_random *random)
{
    size_t i, j;
    assert(n >= 2);
    draw_two(n, &i, &j, random);
    switch (kind) {
    case DLG_SWAP:
        reverse(order, i, j + 1);
        reverse(order, i + 1, j);
        break;
    case DLG_MOVE: /* either up, or down */
        if (dlg_random_below(random, 2)) exchange(order, i, i + 1, j + 1);
        else exchange(order, i, j, j + 1);
        break;
    case DLG_MOVE_SPAN: exchange(order, i, i + 1 + (size_t)dlg_random_below(random, j - i), j + 1); break;
    default: exchange(order, 0, 1 + (size_t)dlg_random_below(random, n - 1), n); break;
    }
}

void dlg_rearrange_rows(size_t *order, size_t n, const size_t *free_row, dlg_rearrangement kind, size_t *scratch,
                        dlg_random *random)
{
    for (size_t i = 0; i < n; i++) scratch[i] = i;
    if (n >= 2 && kind == DLG_REARRANGEMENTS) dlg_random_permutation(scratch, n, random);
    else if (n >= 2) dlg_rearrange(scratch, n, kind, random);
    for (size_t i = 0; i < n; i++) order[free_row[i]] = free_row[scratch[i]];
}
