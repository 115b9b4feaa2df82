/** Defences on random tensors: what holds whatever the numbers are. */
#include "base/memory.h"
#include "defend/defence.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 40000, ROUNDS = 60 };

static dlg_real before[N], after[N], again[N];

static void apply(const char *const *specs, size_t n_specs, const char *name, dlg_real *values, size_t n, uint64_t seed)
{
    dlg_defence chain[4];
    dlg_error err = {0};
    for (size_t i = 0; i < n_specs; i++) assert_int_equal(dlg_defence_parse(&chain[i], specs[i], &err), DLG_OK);
    assert_int_equal(dlg_defence_apply(chain, n_specs, name, values, n, seed, &err), DLG_OK);
}

static void apply_one(const char *spec, dlg_real *values, size_t n, uint64_t seed)
{
    apply(&spec, 1, "tensor", values, n, seed);
}

/**
 * Tensors as gradients are: many magnitudes; every third round with many equal entries and zeros. @return how many
 * entries
 */
static size_t draw(int round)
{
    dlg_random random = dlg_random_at(2024, (uint32_t)round);
    const size_t n = 1 + (size_t)dlg_random_below(&random, 3000);
    for (size_t i = 0; i < n; i++) {
        const double value = dlg_random_uniform(&random) - 0.5;
        before[i] = (dlg_real)(round % 3 ? ldexp(value, -(int)dlg_random_below(&random, 20)) : nearbyint(16 * value));
    }
    memcpy(after, before, n * sizeof *after);
    return n;
}

static void pruning_keeps_the_largest(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = draw(round);
        apply_one("prune:0.7", after, n, 1);
        dlg_real largest_gone = 0, smallest_kept = (dlg_real)INFINITY;
        size_t n_kept = 0, n_zero_before = 0;
        for (size_t i = 0; i < n; i++) {
            const dlg_real size = (dlg_real)fabs((double)before[i]);
            n_zero_before += before[i] == 0;
            if (after[i] == 0) {
                largest_gone = size > largest_gone ? size : largest_gone;
                continue;
            }
            assert_true(after[i] == before[i]);
            n_kept++;
            smallest_kept = size < smallest_kept ? size : smallest_kept;
        }
        assert_true(largest_gone <= smallest_kept);
        const size_t n_pruned = n * 7 / 10;
        assert_int_equal(n - n_kept, n_pruned > n_zero_before ? n_pruned : n_zero_before);
        /* Of those that are as large as the smallest kept, the later ones stay. */
        int kept_an_equal = 0;
        for (size_t i = 0; i < n; i++)
            if ((dlg_real)fabs((double)before[i]) == smallest_kept) {
                kept_an_equal |= after[i] != 0;
                assert_true(!kept_an_equal || after[i] != 0);
            }
    }
}

static void rounding_is_idempotent_and_near(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = draw(round);
        apply_one("fp16", after, n, 1);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)(after[i] - before[i])) <= fabs((double)before[i]) * 0x1p-11 + 0x1p-25);
        memcpy(again, after, n * sizeof *again);
        apply_one("fp16", again, n, 2);
        assert_memory_equal(again, after, n * sizeof *again);

        memcpy(after, before, n * sizeof *after);
        apply_one("bf16", after, n, 1);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)(after[i] - before[i])) <= fabs((double)before[i]) * 0x1p-8);
        memcpy(again, after, n * sizeof *again);
        apply_one("bf16", again, n, 2);
        assert_memory_equal(again, after, n * sizeof *again);
    }
}

static void int8_is_within_half_a_step(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = draw(round);
        double largest = 0;
        for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)before[i]));
        apply_one("int8", after, n, 1);
        char used[255] = {0};
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs((double)(after[i] - before[i])) <= largest / 254 * (1 + 1e-5));
            const double level = largest > 0 ? (double)after[i] * 127 / largest : 0;
            assert_true(fabs(level - nearbyint(level)) < 1e-4 && fabs(level) < 127.5);
            used[(int)nearbyint(level) + 127] = 1;
        }
        assert_true(largest == 0 || used[0] || used[254]);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** The noise itself, drawn on zeros: mean, variance, and a quantile that tells normal from Laplace. */
static void noise_has_the_moments_asked_for(void **state)
{
    (void)state;
    static double size[N];
    static const struct {
        const char *spec;
        double variance, median_of_size;
    } noises[] = {{"gaussian:1e-3", 1e-6, 0.67449e-3}, {"laplace:2e-3", 8e-6, 2e-3 * 0.693147}};
    for (size_t k = 0; k < 2; k++) {
        double sum = 0, squares = 0;
        memset(after, 0, sizeof after);
        apply_one(noises[k].spec, after, N, 5);
        for (size_t i = 0; i < N; i++) {
            sum += (double)after[i];
            squares += (double)after[i] * (double)after[i];
            size[i] = fabs((double)after[i]);
        }
        qsort(size, N, sizeof *size, ascending);
        assert_true(fabs(sum / N) < 4 * sqrt(noises[k].variance / N));
        assert_true(fabs(squares / N / noises[k].variance - 1) < 0.05);
        assert_true(fabs(size[N / 2] / noises[k].median_of_size - 1) < 0.04);
    }
}

static double correlation(const dlg_real *a, const dlg_real *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < N; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/** Noise of another seed, tensor or place in the chain is other noise; of the same it is the same. */
static void noises_are_independent(void **state)
{
    (void)state;
    static const char *const twice[] = {"gaussian:1", "gaussian:1"};
    static dlg_real first[N], other[N];
    memset(first, 0, sizeof first);
    apply(twice, 1, "a", first, N, 1);

    memset(other, 0, sizeof other);
    apply(twice, 1, "a", other, N, 1);
    assert_memory_equal(first, other, sizeof first);
    memset(other, 0, sizeof other);
    apply(twice, 1, "b", other, N, 1);
    assert_true(fabs(correlation(first, other)) < 0.02);
    memset(other, 0, sizeof other);
    apply(twice, 1, "a", other, N, 2);
    assert_true(fabs(correlation(first, other)) < 0.02);
    memset(other, 0, sizeof other);
    apply(twice, 2, "a", other, N, 1); /* the first again, and a second of its own */
    for (size_t i = 0; i < N; i++) other[i] -= first[i];
    assert_true(fabs(correlation(first, other)) < 0.02);
    /* what a model would draw from that seed and name */
    dlg_random_normal_fill(other, N, 1, 1, dlg_random_stream("a"));
    assert_true(fabs(correlation(first, other)) < 0.02);
    /* A part of a tensor gets the part of the noise: nothing depends on the size. */
    memset(other, 0, sizeof other);
    apply(twice, 1, "a", other, 100, 1);
    assert_memory_equal(first, other, 100 * sizeof *first);
}

/** Prune then noise leaves nothing zero; noise then prune leaves the fraction zero. */
static void order_matters(void **state)
{
    (void)state;
    static const char *const prune_first[] = {"prune:0.5", "gaussian:1e-3"}, *const noise_first[] = {"gaussian:1e-3",
                                                                                                     "prune:0.5"};
    size_t zeros[2] = {0};
    dlg_random_normal_fill(before, N, 1, 7, 7);
    memcpy(after, before, sizeof after);
    memcpy(again, before, sizeof again);
    apply(prune_first, 2, "t", after, N, 1);
    apply(noise_first, 2, "t", again, N, 1);
    for (size_t i = 0; i < N; i++) zeros[0] += after[i] == 0, zeros[1] += again[i] == 0;
    assert_int_equal(zeros[0], 0);
    assert_int_equal(zeros[1], N / 2);
}

static void nothing_is_allocated(void **state)
{
    (void)state;
    static const char *const all[] = {"gaussian:1e-3", "int8", "prune:0.5", "bf16"};
    const size_t count = dlg_allocation_count();
    apply(all, 4, "t", after, N, 1);
    assert_int_equal(dlg_allocation_count(), count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pruning_keeps_the_largest),  cmocka_unit_test(rounding_is_idempotent_and_near),
        cmocka_unit_test(int8_is_within_half_a_step), cmocka_unit_test(noise_has_the_moments_asked_for),
        cmocka_unit_test(noises_are_independent),     cmocka_unit_test(order_matters),
        cmocka_unit_test(nothing_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
