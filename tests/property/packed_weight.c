/* Products with a packed weight against double loops: odd sizes, any number of rows, stacked blocks, overwriting and
 * accumulating. */
#include "math/packed_weight.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ROWS = 40 };

typedef struct {
    size_t n_blocks, rows[DLG_STACK_MOST], n_in;
} shape;

/* Both sides of the tiles of packed layouts (16 and 64), and vectors. */
static const shape shapes[] = {
    {1, {1}, 1},      {1, {1}, 70},          {1, {70}, 1},       {1, {3}, 5},           {1, {17}, 33},
    {1, {64}, 16},    {1, {63}, 65},         {1, {128}, 128},    {1, {130}, 257},       {1, {301}, 100},
    {2, {7, 12}, 19}, {3, {16, 16, 16}, 16}, {3, {1, 2, 3}, 31}, {3, {48, 48, 48}, 48}, {3, {5, 64, 33}, 129},
};

static const double tolerance = sizeof(dlg_real) == sizeof(double) ? 1e-14 : 2e-6;

static dlg_real *draw(size_t n, const char *stream)
{
    dlg_real *numbers = malloc(n * sizeof *numbers);
    assert_non_null(numbers);
    dlg_random_normal_fill(numbers, n, 1, 1, dlg_random_stream(stream));
    return numbers;
}

static dlg_stack stack_of(const shape *s, const dlg_real *w)
{
    dlg_stack stack = {.n_blocks = s->n_blocks, .n_in = s->n_in};
    for (size_t i = 0; i < s->n_blocks; w += s->rows[i++] * s->n_in) stack.blocks[i] = w, stack.n_rows[i] = s->rows[i];
    return stack;
}

static dlg_packed_weight *create(const shape *s, const dlg_real *w)
{
    const dlg_stack stack = stack_of(s, w);
    dlg_packed_weight *weight = NULL;
    assert_int_equal(dlg_packed_weight_create(&weight, &stack, NULL), DLG_OK);
    return weight;
}

static size_t n_out_of(const shape *s)
{
    size_t n_out = 0;
    for (size_t i = 0; i < s->n_blocks; i++) n_out += s->rows[i];
    return n_out;
}

/* Largest |y - (x B + beta before)| over the size of the sums, where B (k,m) has B[i,j] at b[i * row + j * col]. */
static double off_by(size_t n, size_t k, size_t m, const dlg_real *x, const dlg_real *b, size_t row, size_t col,
                     double beta, const dlg_real *before, const dlg_real *y)
{
    double worst = 0;
    for (size_t r = 0; r < n; r++)
        for (size_t j = 0; j < m; j++) {
            double want = beta == 0 ? 0 : (double)before[r * m + j], size = 1;
            for (size_t i = 0; i < k; i++) {
                const double term = (double)x[r * k + i] * (double)b[i * row + j * col];
                want += term;
                size += fabs(term);
            }
            const double off = fabs((double)y[r * m + j] - want) / size;
            if (!(off <= worst)) worst = isnan(off) ? INFINITY : off;
        }
    return worst;
}

/* One of the two products at one n; beta 0 overwrites NaN, and nothing behind the last row is touched. */
static double check(const dlg_products *products, const shape *s, const dlg_real *w, bool transpose, size_t n,
                    dlg_real beta)
{
    const size_t n_out = n_out_of(s), k = transpose ? s->n_in : n_out, m = transpose ? n_out : s->n_in;
    dlg_real *x = draw(n * k, "x"), *before = draw((n + 1) * m, "before"), *y = draw((n + 1) * m, "before");
    for (size_t i = 0; i < n * m && beta == 0; i++) y[i] = NAN;
    if (transpose) dlg_products_times_transpose(products, x, beta, y);
    else dlg_products_times(products, x, beta, y);
    double off = off_by(n, k, m, x, w, transpose ? 1 : s->n_in, transpose ? s->n_in : 1, (double)beta, before, y);
    if (memcmp(y + n * m, before + n * m, m * sizeof *y)) off = INFINITY;
    free(x);
    free(before);
    free(y);
    return off;
}

static double check_at(dlg_packed_weight *weight, const shape *s, const dlg_real *w, bool transpose, size_t n,
                       dlg_real beta)
{
    dlg_products *products;
    assert_int_equal(dlg_products_create(&products, weight, n, transpose ? DLG_FORWARD_ONLY : DLG_BOTH_WAYS, NULL),
                     DLG_OK);
    const double off = check(products, s, w, transpose, n, beta);
    dlg_products_free(products);
    return off;
}

static void products_agree_with_double_loops(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    double worst = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        dlg_real *w = draw(n_out_of(s) * s->n_in, "w");
        dlg_packed_weight *weight = create(s, w);
        for (size_t k = 0; k < MAX_ROWS; k++)
            for (int kind = 3; kind >= 0; kind--) {
                const size_t n = (k * 27) % MAX_ROWS + 1;
                const double off = check_at(weight, s, w, kind & 1, n, (dlg_real)(kind >> 1));
                worst = off > worst ? off : worst;
                if (off <= tolerance) continue;
                n_wrong++;
                printf("%zu x %zu, %zu rows, %s, beta %d: off by %.1e, want at most %.0e\n", n_out_of(s), s->n_in, n,
                       kind & 1 ? "x W^T" : "dy W", kind >> 1, off, tolerance);
            }
        dlg_packed_weight_free(weight);
        free(w);
    }
    printf("off by %.1e at most\n", worst);
    assert_int_equal(n_wrong, 0);
}

/* Also those that are packed for the way back later. */
static void stacked_blocks_are_copied(void **state)
{
    (void)state;
    const shape *s = &(shape){3, {5, 64, 33}, 129};
    const size_t n = 4, n_items = n_out_of(s) * s->n_in;
    dlg_real *w = draw(n_items, "w"), *spoiled = draw(n_items, "w");
    dlg_packed_weight *weight = create(s, spoiled);
    memset(spoiled, 0, n_items * sizeof *spoiled);
    assert_true(check_at(weight, s, w, true, n, 0) <= tolerance);
    assert_true(check_at(weight, s, w, false, n, 0) <= tolerance);
    dlg_packed_weight_free(weight);
    free(w);
    free(spoiled);
}

static void no_rows_are_no_work(void **state)
{
    (void)state;
    const shape *s = &shapes[3];
    dlg_real *w = draw(n_out_of(s) * s->n_in, "w"), y = 7;
    dlg_packed_weight *weight = create(s, w);
    dlg_products *products;
    assert_int_equal(dlg_products_create(&products, weight, 0, DLG_BOTH_WAYS, NULL), DLG_OK);
    dlg_products_times_transpose(products, &y, 0, &y);
    dlg_products_times(products, &y, 0, &y);
    assert_true(y == 7);
    dlg_products_free(products);
    dlg_packed_weight_free(weight);
    free(w);
}

static void products_allocate_nothing(void **state)
{
    (void)state;
    const shape *s = &shapes[7];
    dlg_real *w = draw(n_out_of(s) * s->n_in, "w");
    dlg_packed_weight *weight = create(s, w);
    dlg_products *products;
    assert_int_equal(dlg_products_create(&products, weight, 5, DLG_BOTH_WAYS, NULL), DLG_OK);
    const size_t count = dlg_allocation_count();
    assert_true(check(products, s, w, true, 5, 1) <= tolerance);
    assert_true(check(products, s, w, false, 5, 1) <= tolerance);
    assert_int_equal(dlg_allocation_count(), count);
    dlg_products_free(products);
    dlg_packed_weight_free(weight);
    free(w);
}

enum { N_USERS = 4 };

/* Each makes products of its own with one weight, which is packed for the way back while others use it. */
static void threads_share_a_weight(void **state)
{
    (void)state;
    const shape *s = &shapes[13];
    dlg_real *w = draw(n_out_of(s) * s->n_in, "w");
    dlg_packed_weight *weight = create(s, w);
    double off[N_USERS];
#pragma omp parallel for num_threads(N_USERS)
    for (size_t i = 0; i < N_USERS; i++) {
        off[i] = 0;
        for (size_t n = 1; n <= 8; n++)
            for (int kind = 0; kind < 2; kind++)
                off[i] = fmax(off[i], check_at(weight, s, w, (i + (size_t)kind) % 2, n + i, 0));
    }
    for (size_t i = 0; i < N_USERS; i++) assert_true(off[i] <= tolerance);
    dlg_packed_weight_free(weight);
    free(w);
}

/* Every allocation fails once: an error, nothing leaked, and after it the weight is as it was. */
static void failing_allocations_are_reported(void **state)
{
    (void)state;
    const shape *s = &shapes[13];
    dlg_real *w = draw(n_out_of(s) * s->n_in, "w");
    const dlg_stack stack = stack_of(s, w);
    for (size_t k = 1;; k++) {
        dlg_packed_weight *weight = (dlg_packed_weight *)w;
        dlg_products *products = NULL;
        dlg_error err = {0};
        dlg_allocation_fail_from(k);
        dlg_status status = dlg_packed_weight_create(&weight, &stack, &err);
        if (status) assert_null(weight);
        else status = dlg_products_create(&products, weight, 6, DLG_BOTH_WAYS, &err);
        dlg_allocation_fail_from(0);
        if (status) {
            assert_null(products);
            assert_int_equal(status, DLG_ENOMEM);
            assert_true(strlen(err.message) > 0);
        }
        if (weight) {
            assert_true(check_at(weight, s, w, true, 6, 0) <= tolerance);
            assert_true(check_at(weight, s, w, false, 6, 0) <= tolerance);
        }
        dlg_products_free(products);
        dlg_packed_weight_free(weight);
        if (!status) break;
        assert_true(k < 20);
    }
    free(w);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_agree_with_double_loops),
        cmocka_unit_test(stacked_blocks_are_copied),
        cmocka_unit_test(no_rows_are_no_work),
        cmocka_unit_test(products_allocate_nothing),
        cmocka_unit_test(threads_share_a_weight),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
