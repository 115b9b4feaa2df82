/**
 * What rounding leaves of a row outside its space is what is expected, however weak a direction it lies along, and
 * nothing else is.
 */
#include "math/row_rounding.h"

#include "base/memory.h"
#include "math/random.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { M = 160, N = 96, R = 10 };

/* dY^T X, rounded; X (R, N) */
typedef struct {
    dlg_real x[R * N], g[M * N];
    double basis[N * N], form[R * R], values[R];
} scene;

/* The participant's rounding of one number: to so many bits, or noise. */
typedef double (*rounded)(double value, size_t i);

static double to_bits(double value, int bits)
{
    int exponent;
    const double mantissa = frexp(value, &exponent);
    return ldexp(nearbyint(ldexp(mantissa, bits)), exponent - bits);
}

static double to_single(double value, size_t i)
{
    (void)i;
    return to_bits(value, 24);
}

static double to_brain(double value, size_t i)
{
    (void)i;
    return to_bits(value, 8);
}

static double with_noise(double value, size_t i)
{
    dlg_real noise;
    dlg_random_normal_fill(&noise, 1, 1e-5, 7, (uint32_t)i);
    return value + (double)noise;
}

/* Rows of dY, one a row of X, from 1 down to `least`; rows of the gradient, from 1 to 1000. The rank is known. */
static void make(scene *s, double least, rounded round)
{
    dlg_real dy[R * M];
    dlg_random_normal_fill(s->x, R * N, 1, 1, 0);
    dlg_random_normal_fill(dy, R * M, 1, 1, 1);
    for (size_t j = 0; j < M; j++)
        for (size_t i = 0; i < N; i++) {
            double sum = 0;
            for (size_t t = 0; t < R; t++)
                sum += pow(least, (double)t / (R - 1)) * pow(1000, (double)j / (M - 1)) * (double)dy[t * M + j] *
                       (double)s->x[t * N + i];
            s->g[j * N + i] = (dlg_real)round(sum, j * N + i);
        }
    const dlg_stack stack = {
        .n_blocks = 2, .n_in = N, .blocks = {s->g, s->g + M / 4 * N}, .n_rows = {M / 4, M - M / 4}};
    assert_int_equal(dlg_svd_right(&stack, R, s->values, s->basis, NULL), DLG_OK);
    assert_int_equal(dlg_row_rounding_find(s->form, &stack, R, s->basis, NULL), DLG_OK);
}

/* What is left of x, as a multiple of what is expected of the gradient's rounding; norm2 > 0: and of the row's. */
static double left_beside_expected(const scene *s, const double *form, const double *x, double norm2)
{
    double rest[N], along[R];
    memcpy(rest, x, sizeof rest);
    const double left = dlg_take_out(R, N, s->basis, rest, along);
    return left / sqrt(dlg_row_rounding(R, form, along, dlg_tolerance_row(DLG_SINGLE_ROUNDOFF, N), norm2));
}

static void row(const scene *s, size_t t, double *x)
{
    for (size_t i = 0; i < N; i++) x[i] = (double)s->x[t * N + i];
}

/* Whether of every row as much is left as expected, and no less. */
static bool fits(const scene *s, const double *form)
{
    bool all = true;
    for (size_t t = 0; t < R; t++) {
        double x[N];
        row(s, t, x);
        const double times = left_beside_expected(s, form, x, 0);
        all &= times > 0.5 && times < 2;
    }
    return all;
}

static const double least[] = {1, 1e-1, 1e-3, 1e-5};

static void as_much_is_left_as_expected(void **state)
{
    (void)state;
    static scene s;
    for (size_t k = 0; k < sizeof least / sizeof *least; k++) {
        make(&s, least[k], to_single);
        assert_true(fits(&s, s.form));
    }
    const double of_rough[] = {1, 1e-1};
    for (size_t k = 0; k < 2; k++) { /* it is not told how the gradient was rounded */
        make(&s, of_rough[k], to_brain);
        assert_true(fits(&s, s.form));
        make(&s, of_rough[k], with_noise);
        assert_true(fits(&s, s.form));
    }
}

static void a_row_that_is_off_is_outside(void **state)
{
    (void)state;
    static scene s;
    for (size_t k = 0; k < sizeof least / sizeof *least; k++) {
        make(&s, least[k], to_single);
        for (size_t t = 0; t < R; t++) {
            double x[N], along[R], rest[N], norm2 = 0;
            dlg_real other[N];
            row(&s, t, x);
            for (size_t i = 0; i < N; i++) norm2 += x[i] * x[i];
            assert_true(left_beside_expected(&s, s.form, x, norm2) < 2);
            memcpy(rest, x, sizeof rest);
            dlg_take_out(R, N, s.basis, rest, along);
            const double expected =
                sqrt(dlg_row_rounding(R, s.form, along, dlg_tolerance_row(DLG_SINGLE_ROUNDOFF, N), norm2));
            dlg_random_normal_fill(other, N, 1, 2, (uint32_t)t);
            for (size_t i = 0; i < N; i++) x[i] += 6 * expected / sqrt(N) * (double)other[i];
            const double times = left_beside_expected(&s, s.form, x, norm2);
            assert_true(times > 3 && times < 9);
        }
    }
}

/* Other ways to expect it: as much in each direction; by the singular value once, not squared; three times as much of
 * everything. */
static void a_wrong_form_does_not_fit(void **state)
{
    (void)state;
    static scene s;
    make(&s, 1e-3, to_single);
    double alike[R * R] = {0}, once[R * R], thrice[R * R];
    for (size_t k = 0; k < R; k++)
        for (size_t l = 0; l < R; l++) {
            if (k == l)
                for (size_t i = 0; i < R; i++) alike[k * R + k] += s.form[i * R + i] / R;
            once[k * R + l] = s.form[k * R + l] * sqrt(s.values[k] * s.values[l]);
            thrice[k * R + l] = 9 * s.form[k * R + l];
        }
    assert_true(fits(&s, s.form));
    assert_false(fits(&s, alike));
    assert_false(fits(&s, once));
    assert_false(fits(&s, thrice));
}

static void no_memory(void **state)
{
    (void)state;
    static scene s;
    make(&s, 1, to_single);
    const dlg_stack stack = {.n_blocks = 1, .n_in = N, .blocks = {s.g}, .n_rows = {M}};
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_allocation_fail_from(k);
        status = dlg_row_rounding_find(s.form, &stack, R, s.basis, NULL);
        dlg_allocation_fail_from(0);
        assert_true(k < 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_much_is_left_as_expected),
        cmocka_unit_test(a_row_that_is_off_is_outside),
        cmocka_unit_test(a_wrong_form_does_not_fit),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
