/** Sums of exponentials are found from their values and slopes, also where some points are none. */
#include "math/exponential_sum.h"

#include "math/random.h"
#include "scarce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 6, POINTS = 1500, ODD = 20 };

typedef struct {
    size_t K;
    double rates[MOST * MOST], levels[MOST], x[POINTS * MOST], offset[POINTS], slope[POINTS * MOST], value[POINTS];
    dlg_exponential_points points;
} scene;

/* K terms that differ, of points that some of them have nearly for themselves. */
static void make(scene *s, size_t K)
{
    const uint32_t stream = dlg_random_stream("exponential sum");
    uint64_t drawn = 0;
    s->K = K;
    s->points = (dlg_exponential_points){POINTS, K, s->x, s->offset, s->slope, s->value};
    for (size_t k = 0; k < K; k++) {
        for (size_t j = 0; j < K; j++)
            s->rates[k * K + j] = dlg_random_normal_at(K, stream, drawn++) + (j == k ? 3 : 0);
        s->levels[k] = dlg_random_normal_at(K, stream, drawn++);
    }
    memset(s->slope, 0, sizeof s->slope);
    for (size_t i = 0; i < POINTS; i++) {
        s->offset[i] = dlg_random_normal_at(K, stream, drawn++);
        for (size_t j = 0; j < K; j++) s->x[i * K + j] = dlg_random_normal_at(K, stream, drawn++) / 2;
        double q[MOST];
        dlg_exponential_sum_at(&(dlg_exponential_sum){.K = K, .rates = s->rates, .levels = s->levels}, s->x + i * K,
                               s->offset[i], q);
        s->value[i] = 0;
        for (size_t k = 0; k < K; k++) {
            s->value[i] += q[k];
            for (size_t j = 0; j < K; j++) s->slope[i * K + j] += q[k] * s->rates[k * K + j];
        }
    }
}

/* Each term is one of those found, whatever their order. */
static void assert_found(const scene *s, const dlg_exponential_sum *sum)
{
    const size_t K = s->K;
    assert_int_equal(sum->K, K);
    assert_true(sum->misfit < 1e-9);
    for (size_t k = 0; k < K; k++) {
        double least = INFINITY;
        for (size_t m = 0; m < K; m++) {
            double off = fabs(sum->levels[m] - s->levels[k]);
            for (size_t j = 0; j < K; j++) off = fmax(off, fabs(sum->rates[m * K + j] - s->rates[k * K + j]));
            least = fmin(least, off);
            assert_true(sum->off[m] < 1e-6);
        }
        assert_true(least < 1e-6);
    }
}

static void finds_the_terms(void **state)
{
    (void)state;
    static scene s;
    for (size_t K = 1; K <= MOST; K++) {
        dlg_exponential_sum sum;
        make(&s, K);
        assert_int_equal(dlg_exponential_sum_fit(&sum, &s.points, NULL), DLG_OK);
        assert_found(&s, &sum);
        dlg_exponential_sum_release(&sum);
    }
}

/* As labels' rows are: values that have lost more than there was. */
static void beside_odd_points(void **state)
{
    (void)state;
    static scene s;
    dlg_exponential_sum sum;
    make(&s, MOST);
    for (size_t i = 0; i < ODD; i++) {
        const size_t at = i * POINTS / ODD, k = i % MOST;
        s.value[at] -= 1000;
        for (size_t j = 0; j < MOST; j++) s.slope[at * MOST + j] -= 1000 * s.rates[k * MOST + j];
    }
    assert_int_equal(dlg_exponential_sum_fit(&sum, &s.points, NULL), DLG_OK);
    assert_found(&s, &sum);
    dlg_exponential_sum_release(&sum);
}

static void of_anything_else_nothing_fits(void **state)
{
    (void)state;
    static scene s;
    dlg_exponential_sum sum;
    make(&s, 3);
    for (size_t i = 0; i < POINTS; i++) s.value[i] *= 1 + 0.5 * sin((double)i);
    assert_int_equal(dlg_exponential_sum_fit(&sum, &s.points, NULL), DLG_OK);
    assert_true(sum.misfit > 1e-2);
    dlg_exponential_sum_release(&sum);
    memset(s.value, 0, sizeof s.value);
    assert_int_equal(dlg_exponential_sum_fit(&sum, &s.points, NULL), DLG_OK);
    assert_true(isinf(sum.misfit));
    dlg_exponential_sum_release(&sum);
}

static dlg_status attempt(void *points, dlg_error *err)
{
    dlg_exponential_sum sum;
    const dlg_status status = dlg_exponential_sum_fit(&sum, points, err);
    dlg_exponential_sum_release(&sum);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    static scene s;
    make(&s, 2);
    assert_true(fail_every_allocation(attempt, &s.points) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_terms),
        cmocka_unit_test(beside_odd_points),
        cmocka_unit_test(of_anything_else_nothing_fits),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
