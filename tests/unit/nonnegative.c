/** Quadratic programmes without negative numbers: what they end at fulfils the conditions of a minimum. */
#include "math/nonnegative.h"

#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROWS = 12, N = 8, TRIALS = 30 };

/* q = a^T a, p = a^T b: least squares, of columns whose sizes are far apart. */
static void make(double *q, double *p, uint64_t seed)
{
    double a[ROWS * N], b[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        b[i] = dlg_random_normal_at(seed, 1, i);
        for (size_t j = 0; j < N; j++)
            a[i * N + j] = dlg_random_normal_at(seed, 2, i * N + j) * pow(10, (double)j - N / 2);
    }
    for (size_t j = 0; j < N; j++) {
        p[j] = 0;
        for (size_t i = 0; i < ROWS; i++) p[j] += a[i * N + j] * b[i];
        for (size_t k = 0; k < N; k++) {
            q[j * N + k] = 0;
            for (size_t i = 0; i < ROWS; i++) q[j * N + k] += a[i * N + j] * a[i * N + k];
        }
    }
}

static void ends_at_a_minimum(void **state)
{
    (void)state;
    size_t n_held = 0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        double q[N * N], p[N], x[N] = {0};
        make(q, p, seed);
        for (size_t again = 0; again < 3; again++) assert_int_equal(dlg_solve_nonnegative(N, q, p, x, NULL), 0);
        for (size_t j = 0; j < N; j++) {
            double slope = -p[j];
            for (size_t k = 0; k < N; k++) slope += q[j * N + k] * x[k];
            slope /= sqrt(q[j * N + j]);
            assert_true(x[j] >= 0);
            if (x[j] > 0) assert_true(fabs(slope) < 1e-6);
            else assert_true(slope > -1e-6);
            n_held += x[j] == 0;
        }
    }
    assert_true(n_held > TRIALS && n_held < TRIALS * N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ends_at_a_minimum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
