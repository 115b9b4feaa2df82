/** Linear assignment against every assignment there is. */
#include "math/assign.h"

#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 6, SCRATCH = 3 * (MOST + 1), TRIALS = 40 };

/* The least sum for columns `column` and on, with the rows that are not used yet. */
static double least_sum(size_t n_rows, size_t n_columns, const dlg_real *cost, size_t column, bool *used)
{
    double least = INFINITY;
    if (column == n_columns) return 0;
    for (size_t r = 0; r < n_rows; r++) {
        if (used[r]) continue;
        used[r] = true;
        least =
            fmin(least, (double)cost[r * n_columns + column] + least_sum(n_rows, n_columns, cost, column + 1, used));
        used[r] = false;
    }
    return least;
}

static void check(size_t n_rows, size_t n_columns, const dlg_real *cost)
{
    double scratch[SCRATCH], sum = 0;
    size_t used_scratch[3 * (MOST + 1)], row_of[MOST];
    bool used[MOST] = {false}, taken[MOST] = {false};
    assert_true(dlg_assign_scratch(n_rows, n_columns) <= SCRATCH);
    /* What is left in the scratch by somebody else must not matter. */
    for (size_t i = 0; i < SCRATCH; i++) scratch[i] = (double)NAN;
    memset(used_scratch, 0xff, sizeof used_scratch);
    memset(row_of, 0xff, sizeof row_of);
    dlg_assign(n_rows, n_columns, cost, row_of, scratch, used_scratch);
    for (size_t c = 0; c < n_columns; c++) {
        assert_true(row_of[c] < n_rows);
        assert_false(taken[row_of[c]]);
        taken[row_of[c]] = true;
        sum += (double)cost[row_of[c] * n_columns + c];
    }
    const double want = least_sum(n_rows, n_columns, cost, 0, used);
    if (!(fabs(sum - want) <= 1e-9 * (1 + fabs(want))))
        fail_msg("%zu rows, %zu columns: want %.9g, found %.9g", n_rows, n_columns, want, sum);
}

typedef dlg_real draw(dlg_random *);

static dlg_real draw_any(dlg_random *random)
{
    return (dlg_real)(20 * dlg_random_uniform(random) - 10);
}

static dlg_real draw_negative(dlg_random *random)
{
    return (dlg_real)(-1000 * dlg_random_uniform(random) - 1);
}

/* Many equal sums. */
static dlg_real draw_few(dlg_random *random)
{
    return (dlg_real)dlg_random_below(random, 3);
}

static dlg_real draw_equal(dlg_random *random)
{
    (void)random;
    return (dlg_real)0.1;
}

static void check_all(draw *next)
{
    dlg_random random = dlg_random_at(1, dlg_random_stream("assign"));
    for (size_t n_rows = 1; n_rows <= MOST; n_rows++)
        for (size_t n_columns = 0; n_columns <= n_rows; n_columns++)
            for (size_t trial = 0; trial < TRIALS; trial++) {
                dlg_real cost[MOST * MOST];
                for (size_t i = 0; i < n_rows * n_columns; i++) cost[i] = next(&random);
                check(n_rows, n_columns, cost);
            }
}

static void random_costs(void **state)
{
    (void)state;
    check_all(draw_any);
}

static void negative_costs(void **state)
{
    (void)state;
    check_all(draw_negative);
}

static void equal_costs(void **state)
{
    (void)state;
    check_all(draw_few);
    check_all(draw_equal);
}

/* Taking the least entry first leads astray. */
static void greed_loses(void **state)
{
    (void)state;
    static const dlg_real cost[] = {1, 2, 2, 100};
    double scratch[SCRATCH];
    size_t used_scratch[3 * (MOST + 1)], row_of[2];
    dlg_assign(2, 2, cost, row_of, scratch, used_scratch);
    assert_int_equal(row_of[0], 1);
    assert_int_equal(row_of[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_costs),
        cmocka_unit_test(negative_costs),
        cmocka_unit_test(equal_costs),
        cmocka_unit_test(greed_loses),
    };
    return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
