/** The numerical rank: of products with and without noise, of zeros, of more than is looked for. */
#include "math/rank.h"
#include "math/spectrum.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/solve.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROWS = 96, COLUMNS = 160 };

/* a (ROWS, COLUMNS) of a rank, whose factors fall off by 1/2 from one to the next, with normal noise of a deviation */
static dlg_real *make(size_t rank, double noise)
{
    dlg_real *left = dlg_allocate(ROWS * (rank + 1), sizeof *left),
             *right = dlg_allocate((rank + 1) * COLUMNS, sizeof *right);
    dlg_real *a = dlg_allocate(ROWS * COLUMNS, sizeof *a);
    assert_true(left && right && a);
    dlg_random_normal_fill(left, ROWS * rank, 1, 1, 1);
    dlg_random_normal_fill(right, rank * COLUMNS, 1, 1, 2);
    if (noise > 0) dlg_random_normal_fill(a, ROWS * COLUMNS, noise, 1, 3);
    for (size_t i = 0; i < rank; i++)
        for (size_t j = 0; j < COLUMNS; j++) right[i * COLUMNS + j] *= (dlg_real)pow(0.5, (double)(i % 12));
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, ROWS, COLUMNS, rank, 1, left, rank, right, COLUMNS, 1, a, COLUMNS);
    dlg_free(left);
    dlg_free(right);
    return a;
}

static dlg_rank find(size_t rank, double noise, size_t most)
{
    dlg_rank found;
    dlg_real *a = make(rank, noise);
    assert_int_equal(dlg_rank_find(&found, &(dlg_stack){1, COLUMNS, {a}, {ROWS}}, most, NULL), DLG_OK);
    dlg_free(a);
    return found;
}

static void products(void **state)
{
    (void)state;
    for (size_t rank = 1; rank <= 40; rank += 3) {
        const dlg_rank found = find(rank, 0, 48);
        assert_true(found.is_clear);
        assert_int_equal(found.rank, rank);
        assert_true(found.gap > 5);
    }
}

static void wide_and_tall(void **state)
{
    (void)state;
    dlg_real *a = make(7, 0);
    dlg_rank found;
    /* other rows, other rank */
    assert_int_equal(dlg_rank_find(&found, &(dlg_stack){1, ROWS, {a}, {COLUMNS}}, 20, NULL), DLG_OK);
    dlg_free(a);
    dlg_real tiny[6] = {1, 2, 3, 2, 4, 6};
    assert_int_equal(dlg_rank_find(&found, &(dlg_stack){1, 3, {tiny}, {2}}, 20, NULL), DLG_OK);
    assert_true(found.is_clear);
    assert_int_equal(found.rank, 1);
}

static void zeros(void **state)
{
    (void)state;
    dlg_real *a = dlg_allocate(ROWS * COLUMNS, sizeof *a);
    dlg_rank found;
    assert_int_equal(dlg_rank_find(&found, &(dlg_stack){1, COLUMNS, {a}, {ROWS}}, 10, NULL), DLG_OK);
    assert_true(found.is_clear);
    assert_int_equal(found.rank, 0);
    dlg_free(a);
}

static void more_than_looked_for(void **state)
{
    (void)state;
    const dlg_rank found = find(60, 0, 30);
    assert_false(found.is_clear);
    assert_int_equal(found.rank, 30);
}

/* A little noise leaves a floor with a step down to it; noise as large as the smallest values leaves none. */
static void noise(void **state)
{
    (void)state;
    const dlg_rank little = find(8, 1e-5, 40);
    assert_true(little.is_clear);
    assert_int_equal(little.rank, 8);
    assert_false(find(12, 1e-2, 40).is_clear);
    assert_false(find(0, 1, ROWS).is_clear);
}

static void visible(void **state)
{
    (void)state;
    double clear[40], some[40];
    for (size_t i = 0; i < 40; i++) {
        clear[i] = i < 13 ? pow(0.4, (double)i) : 2e-8 * (1 - (double)i / 80);
        some[i] = 1 - (double)i / 80;
    }
    assert_int_equal(dlg_rank_visible(40, clear, DLG_SINGLE_ROUNDOFF), 13);
    assert_true(dlg_rank_visible(40, some, DLG_SINGLE_ROUNDOFF) >= 32);
}

/* Rows of a lie in the visible space, and nothing else is in it. */
static void visible_space(void **state)
{
    (void)state;
    double row[COLUMNS], along[COLUMNS];
    for (size_t rank = 1; rank <= 70; rank += 23) { /* few, and more than are looked for at first */
        dlg_real *a = make(rank, 0);
        const dlg_stack stack = {1, COLUMNS, {a}, {ROWS}};
        dlg_spectrum found = {0};
        assert_int_equal(dlg_spectrum_grow(&found, &stack, 8, dlg_roundoff, NULL), DLG_OK);
        assert_true(found.n >= 8);
        assert_int_equal(dlg_spectrum_grow(&found, &stack, SIZE_MAX, dlg_roundoff, NULL), DLG_OK);
        assert_true(found.is_whole);
        assert_int_equal(dlg_rank_visible(found.n, found.values, found.roundoff), rank);
        for (size_t i = 0; i < ROWS; i++) {
            const double norm = sqrt(dlg_dot(COLUMNS, a + i * COLUMNS, a + i * COLUMNS));
            for (size_t j = 0; j < COLUMNS; j++) row[j] = (double)a[i * COLUMNS + j];
            assert_true(dlg_take_out(rank, COLUMNS, found.vectors, row, along) < 1e-5 * norm);
        }
        dlg_spectrum_release(&found);
        dlg_free(a);
    }
}

static void solve(void **state)
{
    (void)state;
    double a[] = {4, 1, 1, 3}, b[] = {1, 2}, not_positive[] = {1, 2, 2, 1};
    assert_true(dlg_solve_positive(2, a, b));
    assert_true(fabs(b[0] - 1.0 / 11) < 1e-15 && fabs(b[1] - 7.0 / 11) < 1e-15);
    assert_false(dlg_solve_positive(2, not_positive, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),      cmocka_unit_test(wide_and_tall),
        cmocka_unit_test(zeros),         cmocka_unit_test(more_than_looked_for),
        cmocka_unit_test(noise),         cmocka_unit_test(visible),
        cmocka_unit_test(visible_space), cmocka_unit_test(solve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
