/** LAMP's rearrangements: each is a permutation that changes something, of its own kind, and all of that kind occur. */
#include "attacks/rearrange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 7, TRIALS = 2000 };

/* Whether order is two neighbours [a, b) and [b, c) that have changed places, whatever they are. */
static bool is_exchange(const size_t *order, size_t n, size_t a, size_t b, size_t c)
{
    for (size_t i = 0; i < n; i++) {
        const size_t want = i < a || i >= c ? i : i < a + c - b ? i - a + b : i - (c - b);
        if (order[i] != want) return false;
    }
    return true;
}

/* What kind says: an exchange of neighbours with bounds like these. */
static bool is_of_kind(dlg_rearrangement kind, const size_t *order, size_t n)
{
    size_t away = 0;
    for (size_t i = 0; i < n; i++) away += order[i] != i;
    if (kind == DLG_SWAP) return away == 2;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            for (size_t c = b + 1; c <= n; c++) {
                const bool fits = kind == DLG_MOVE     ? b == a + 1 || c == b + 1
                                  : kind == DLG_ROTATE ? a == 0 && c == n
                                                       : true;
                if (fits && is_exchange(order, n, a, b, c)) return true;
            }
    return false;
}

/* How many different orders of n there are of that kind: pairs, moves to another place, spans, beginnings. */
static size_t count_of_kind(dlg_rearrangement kind, size_t n)
{
    switch (kind) {
    case DLG_SWAP: return n * (n - 1) / 2;
    case DLG_MOVE: return (n - 1) * (n - 1);
    case DLG_MOVE_SPAN: return (n + 1) * n * (n - 1) / 6;
    default: return n - 1;
    }
}

static void rearranges_by_its_kind(void **state)
{
    (void)state;
    dlg_random random = dlg_random_at(1, dlg_random_stream("rearrange"));
    for (int kind = 0; kind < DLG_REARRANGEMENTS; kind++)
        for (size_t n = 2; n <= MOST; n++) {
            size_t met[TRIALS][MOST], n_met = 0;
            for (size_t trial = 0; trial < TRIALS; trial++) {
                size_t order[MOST], seen[MOST] = {0};
                for (size_t i = 0; i < n; i++) order[i] = i;
                dlg_rearrange(order, n, (dlg_rearrangement)kind, &random);
                for (size_t i = 0; i < n; i++) {
                    assert_true(order[i] < n);
                    seen[order[i]]++;
                }
                for (size_t i = 0; i < n; i++) assert_int_equal(seen[i], 1);
                assert_true(is_of_kind((dlg_rearrangement)kind, order, n));
                bool is_new = true;
                for (size_t k = 0; k < n_met; k++) is_new &= memcmp(met[k], order, n * sizeof *order) != 0;
                if (is_new) memcpy(met[n_met++], order, n * sizeof *order);
            }
            assert_int_equal(n_met, count_of_kind((dlg_rearrangement)kind, n));
        }
}

/* Free rows change places among themselves, and the others stay. */
static void rearranges_free_rows(void **state)
{
    (void)state;
    static const size_t free_row[] = {1, 3, 4, 6};
    enum { ROWS = 8, FREE = sizeof free_row / sizeof *free_row };
    dlg_random random = dlg_random_at(2, dlg_random_stream("rearrange"));
    for (int kind = 0; kind <= DLG_REARRANGEMENTS; kind++)
        for (size_t n = 0; n <= FREE; n++) {
            size_t n_changed = 0;
            for (size_t trial = 0; trial < 100; trial++) {
                size_t order[ROWS], scratch[FREE], seen[ROWS] = {0};
                for (size_t i = 0; i < ROWS; i++) order[i] = i;
                dlg_rearrange_rows(order, n, free_row, (dlg_rearrangement)kind, scratch, &random);
                for (size_t i = 0; i < ROWS; i++) {
                    bool is_free = false;
                    for (size_t k = 0; k < n; k++) is_free |= free_row[k] == i;
                    if (!is_free) assert_int_equal(order[i], i);
                    seen[order[i]]++;
                    n_changed += order[i] != i;
                }
                for (size_t i = 0; i < ROWS; i++) assert_int_equal(seen[i], 1);
            }
            assert_int_equal(n_changed > 0, n >= 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rearranges_by_its_kind),
                                       cmocka_unit_test(rearranges_free_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
