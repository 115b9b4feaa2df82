/** Random numbers: known answers, distributions, and that a number depends on nothing but its place. */
#include "base/memory.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** The three vectors that Random123 publishes for philox4x32, 10 rounds. */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4];
        uint64_t key;
        uint32_t block[4];
    } answers[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         0xffffffffffffffff,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint32_t block[4];
        dlg_random_block(block, answers[i].counter, answers[i].key);
        assert_memory_equal(block, answers[i].block, sizeof block);
    }
}

static void streams_are_hashes_of_names(void **state)
{
    (void)state;
    assert_int_equal(dlg_random_stream(""), 0x811c9dc5);
    assert_int_equal(dlg_random_stream("foobar"), 0xbf9cf968); /* FNV-1a's published test value */
    assert_int_not_equal(dlg_random_stream("encoder.layer.0"), dlg_random_stream("encoder.layer.1"));
}

static void words_follow_the_blocks(void **state)
{
    (void)state;
    dlg_random random = dlg_random_at(0x123456789abcdef0, 77);
    for (uint32_t at = 0; at < 40; at++) {
        uint32_t block[4];
        dlg_random_block(block, (const uint32_t[4]){at / 4, 0, 77, 0}, 0x123456789abcdef0);
        assert_int_equal(dlg_random_u32(&random), block[at % 4]);
    }
    dlg_random copy = random;
    assert_true(dlg_random_u64(&random) == dlg_random_u64(&copy));
    dlg_random other = dlg_random_at(0x123456789abcdef0, 78);
    other.counter = copy.counter;
    assert_true(dlg_random_u64(&random) != dlg_random_u64(&other));
    copy.counter = (uint64_t)1 << 40; /* the block's number has 64 bits */
    dlg_random low = copy;
    low.counter = 0;
    assert_true(dlg_random_u64(&copy) != dlg_random_u64(&low));
}

static void below_is_unbiased(void **state)
{
    (void)state;
    enum { N = 7, DRAWS = 70000 };
    size_t counts[N] = {0};
    dlg_random random = dlg_random_at(1, 2);
    for (int i = 0; i < DRAWS; i++) {
        const uint64_t drawn = dlg_random_below(&random, N);
        assert_true(drawn < N);
        counts[drawn]++;
    }
    double chi_squared = 0;
    for (int i = 0; i < N; i++) chi_squared += pow((double)counts[i] - DRAWS / N, 2) / (DRAWS / (double)N);
    assert_true(chi_squared < 22.5); /* 6 degrees of freedom, 1 in 1,000 */
    /* With a plain remainder the lowest third of 3 * 2^62 values would come twice as often as the rest. */
    const uint64_t n = (uint64_t)3 << 62;
    size_t lower = 0;
    for (int i = 0; i < 10000; i++) lower += dlg_random_below(&random, n) < (uint64_t)1 << 62;
    assert_true(fabs((double)lower - 10000.0 / 3) < 250);
    assert_int_equal(dlg_random_below(&random, 1), 0);
}

static void permutations_are_uniform(void **state)
{
    (void)state;
    enum { ROUNDS = 24000 };
    size_t counts[64] = {0}, order[4];
    dlg_random random = dlg_random_at(5, 6);
    for (int i = 0; i < ROUNDS; i++) {
        dlg_random_permutation(order, 4, &random);
        assert_int_equal(1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3], 15);
        counts[order[0] * 16 + order[1] * 4 + order[2]]++;
    }
    double chi_squared = 0;
    size_t n_seen = 0;
    for (int i = 0; i < 64; i++)
        if (counts[i]) n_seen++, chi_squared += pow((double)counts[i] - ROUNDS / 24, 2) / (ROUNDS / 24.0);
    assert_int_equal(n_seen, 24);
    assert_true(chi_squared < 49.8); /* 23 degrees of freedom, 1 in 1,000 */
    dlg_random_permutation(order, 0, &random);
    dlg_random_permutation(order, 1, &random);
    assert_int_equal(order[0], 0);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/**
 * The largest distance between the sample's distribution function and the true one, times sqrt(n): above 1.95 once in
 * 1,000.
 */
static double kolmogorov_smirnov(double *sample, size_t n, double (*distribution)(double))
{
    qsort(sample, n, sizeof *sample, ascending);
    double distance = 0;
    for (size_t i = 0; i < n; i++) {
        const double p = distribution(sample[i]);
        distance = fmax(distance, fmax(fabs(p - (double)i / (double)n), fabs((double)(i + 1) / (double)n - p)));
    }
    return distance * sqrt((double)n);
}

static double normal_distribution(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

static double symmetric_distribution(double x)
{
    return (x + 1) / 2;
}

static void fill_laplace(dlg_real *out, size_t n, uint64_t seed, uint32_t stream)
{
    for (size_t i = 0; i < n; i++) out[i] = (dlg_real)dlg_random_laplace_at(seed, stream, i);
}

static double laplace_distribution(double x)
{
    return x < 0 ? exp(x) / 2 : 1 - exp(-x) / 2;
}

static double uniform_distribution(double x)
{
    return x;
}

enum { N_SAMPLES = 200000 };

static void check_moments(const double *sample, double variance, double fourth)
{
    double sums[5] = {0}, lagged = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        double power = 1;
        for (int k = 1; k <= 4; k++) sums[k] += (power *= sample[i]) / N_SAMPLES;
        lagged += sample[i] * sample[(i + 1) % N_SAMPLES] / N_SAMPLES;
    }
    const double sigma = sqrt(variance / N_SAMPLES);
    assert_true(fabs(sums[1]) < 4 * sigma);
    assert_true(fabs(sums[2] / variance - 1) < 0.02);
    assert_true(fabs(sums[3]) < 0.2 * pow(variance, 1.5));
    assert_true(fabs(sums[4] / fourth - 1) < 0.08);
    assert_true(fabs(lagged) < 4 * variance / sqrt(N_SAMPLES));
}

static void distributions(void **state)
{
    (void)state;
    double *sample = dlg_allocate(N_SAMPLES, sizeof *sample);
    dlg_real *filled = dlg_allocate(N_SAMPLES, sizeof *filled);
    assert_true(sample && filled);

    dlg_random random = dlg_random_at(3, 4);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        sample[i] = dlg_random_uniform(&random);
        assert_true(sample[i] >= 0 && sample[i] < 1);
    }
    assert_true(kolmogorov_smirnov(sample, N_SAMPLES, uniform_distribution) < 1.95);

    dlg_random_normal_fill(filled, N_SAMPLES, 1, 3, dlg_random_stream("normal"));
    for (size_t i = 0; i < N_SAMPLES; i++) sample[i] = (double)filled[i];
    check_moments(sample, 1, 3);
    assert_true(kolmogorov_smirnov(sample, N_SAMPLES, normal_distribution) < 1.95);

    fill_laplace(filled, N_SAMPLES, 3, dlg_random_stream("laplace"));
    for (size_t i = 0; i < N_SAMPLES; i++) sample[i] = (double)filled[i];
    check_moments(sample, 2, 24);
    assert_true(kolmogorov_smirnov(sample, N_SAMPLES, laplace_distribution) < 1.95);
    dlg_random_uniform_fill(filled, N_SAMPLES, 3, dlg_random_stream("uniform"));
    for (size_t i = 0; i < N_SAMPLES; i++) sample[i] = (double)filled[i];
    check_moments(sample, 1.0 / 3, 1.0 / 5);
    assert_true(kolmogorov_smirnov(sample, N_SAMPLES, symmetric_distribution) < 1.95);
    dlg_free(sample);
    dlg_free(filled);
}

/** Put each deviate through its distribution function: what comes out must be the very uniform number that went in. */
static void quantiles_invert_the_distribution(void **state)
{
    (void)state;
    enum { N = 4000 };
    static dlg_real normal[N], laplace[N];
    const double tolerance = sizeof(dlg_real) == sizeof(double) ? 1e-14 : 4e-7;
    dlg_random_normal_fill(normal, N, 1, 11, 22);
    fill_laplace(laplace, N, 11, 22);
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t kind = 1; kind <= 2; kind++) {
            uint32_t block[4];
            dlg_random_block(block, (const uint32_t[4]){i / 2, 0, 22, kind}, 11);
            const uint64_t word = block[i % 2 * 2] | (uint64_t)block[i % 2 * 2 + 1] << 32;
            const double u = ((double)(word & 0xfffffffffffff) + 0.5) * 0x1p-52;
            const double p = kind == 1 ? normal_distribution((double)normal[i]) : exp(-fabs((double)laplace[i]));
            assert_true(fabs(p - u) <=
                        12 * tolerance * fmin(u, 1 - u) + tolerance * 1e-2 + 3 * tolerance * u * (kind == 2));
        }
    }
}

/**
 * A number depends on its place only: not on how many are asked for, nor on what was drawn before; a scale is only a
 * factor.
 */
static void fills_depend_on_place_only(void **state)
{
    (void)state;
    dlg_real long_fill[101], short_fill[33], scaled[101];
    dlg_random_normal_fill(long_fill, 101, 1, 8, 9);
    dlg_random_normal_fill(short_fill, 33, 1, 8, 9);
    assert_memory_equal(long_fill, short_fill, sizeof short_fill);
    dlg_random_normal_fill(scaled, 101, 0.5, 8, 9);
    for (size_t i = 0; i < 101; i++) {
        assert_true(scaled[i] == long_fill[i] / 2);
        assert_true((dlg_real)dlg_random_normal_at(8, 9, i) == long_fill[i]);
    }
    dlg_random_normal_fill(short_fill, 33, 1, 9, 9);
    assert_memory_not_equal(long_fill, short_fill, sizeof short_fill);
    fill_laplace(scaled, 101, 8, 9);
    assert_memory_not_equal(long_fill, scaled, sizeof scaled);
}

/** The numbers of other machines: these must never change, or seeded models would. */
static void numbers_are_fixed(void **state)
{
    (void)state;
    /* From an independent implementation in Python (its statistics.NormalDist inverts by AS 241 too). */
    static const float normal[] = {
        -0x1.586fc2p-5F, -0x1.03ac8ep+1F, -0x1.2babeep-2F, -0x1.2e9c08p+1F,
        0x1.027a14p+1F,  0x1.3ecb26p-1F,  0x1.0c2acap+0F,  0x1.447418p-4F,
    };
    static const float laplace[] = {
        -0x1.4d5718p-5F, 0x1.279c34p+1F,  0x1.08490cp-3F, -0x1.a14608p-3F,
        0x1.fc3fa6p-1F,  -0x1.12814cp-1F, 0x1.1c675cp-1F, 0x1.c9ceb8p-7F,
    };
    dlg_real drawn[8];
    dlg_random_normal_fill(drawn, 8, 1, 42, dlg_random_stream("golden"));
    for (int i = 0; i < 8; i++) assert_true((float)drawn[i] == normal[i]);
    fill_laplace(drawn, 8, 42, dlg_random_stream("golden"));
    for (int i = 0; i < 8; i++) assert_true((float)drawn[i] == laplace[i]);
    /* All of 100,000 at once: the bits' sum. Doubles are rounded to float first, so both builds agree. */
    dlg_real *many = dlg_allocate(100000, sizeof *many);
    assert_non_null(many);
    dlg_random_normal_fill(many, 100000, 1, 42, dlg_random_stream("golden"));
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        const float value = (float)many[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        sum += bits * (2 * i + 1);
    }
    dlg_free(many);
    assert_true(sum == 0x284e9eb9cdb5a76e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(streams_are_hashes_of_names),
        cmocka_unit_test(words_follow_the_blocks),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(permutations_are_uniform),
        cmocka_unit_test(distributions),
        cmocka_unit_test(quantiles_invert_the_distribution),
        cmocka_unit_test(fills_depend_on_place_only),
        cmocka_unit_test(numbers_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
