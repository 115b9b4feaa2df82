#include "math/random.h"

#include <Random123/philox.h>

#include <assert.h>
#include <math.h>

/** The counter's last word: kinds of numbers of one stream never share a block. */
enum { SEQUENCE, NORMAL, LAPLACE, UNIFORM };

uint32_t dlg_random_stream(const char *name)
{
    uint32_t hash = 2166136261U;
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619U;
    return hash;
}

void dlg_random_block(uint32_t out[4], const uint32_t counter[4], uint64_t key)
{
    const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
    const philox4x32_key_t k = {{(uint32_t)key, (uint32_t)(key >> 32)}};
    const philox4x32_ctr_t block = philox4x32(c, k);
    for (int i = 0; i < 4; i++) out[i] = block.v[i];
}

static void block_at(uint32_t out[4], uint64_t seed, uint32_t stream, uint32_t kind, uint64_t index)
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, kind};
    dlg_random_block(out, counter, seed);
}

dlg_random dlg_random_at(uint64_t seed, uint32_t stream)
{
    return (dlg_random){.seed = seed, .stream = stream};
}

uint32_t dlg_random_u32(dlg_random *random)
{
    uint32_t block[4];
    block_at(block, random->seed, random->stream, SEQUENCE, random->counter / 4);
    return block[random->counter++ % 4];
}

uint64_t dlg_random_u64(dlg_random *random)
{
    const uint64_t low = dlg_random_u32(random);
    return low | (uint64_t)dlg_random_u32(random) << 32;
}

double dlg_random_uniform(dlg_random *random)
{
    return (double)(dlg_random_u64(random) >> 11) * 0x1p-53;
}

uint64_t dlg_random_below(dlg_random *random, uint64_t n)
{
    assert(n > 0);
    /* Only whole multiples of n leave every remainder equally likely. */
    const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t word;
    do word = dlg_random_u64(random);
    while (word >= limit);
    return word % n;
}

void dlg_random_permutation(size_t *out, size_t n, dlg_random *random)
{
    for (size_t i = 0; i < n; i++) out[i] = i;
    for (size_t i = 0; i + 1 < n; i++) {
        const size_t j = i + (size_t)dlg_random_below(random, n - i), moved = out[i];
        out[i] = out[j];
        out[j] = moved;
    }
}

/** Uniform in (0, 1), from the low 52 bits: odd multiples of 2^-53, so that neither end occurs and 1 - u is exact. */
static double open_uniform(uint64_t word)
{
    return ((double)(word & (((uint64_t)1 << 52) - 1)) + 0.5) * 0x1p-52;
}

/**
 * Natural logarithm of a positive normal number, the same everywhere. x = m 2^e with m in [sqrt(1/2), sqrt(2)), and
 * log m = 2 artanh s, s = (m - 1)/(m + 1), |s| < 0.172: eleven terms of the series leave less than 2^-60.
 */
static double logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) m *= 2, exponent--;
    const double s = (m - 1) / (m + 1), square = s * s;
    double series = 0;
    for (int k = 21; k >= 3; k -= 2) series = (series + 1.0 / k) * square;
    /* log 2 in two parts: the first has few enough bits that its product with the exponent is exact. */
    return exponent * 0x1.62e42feep-1 + (2 * s * (1 + series) + exponent * 0x1.a39ef35793c76p-33);
}

/** Quotient of two polynomials of degree 7, highest power first. */
static double rational(const double numerator[8], const double denominator[8], double r)
{
    double above = numerator[0], below = denominator[0];
    for (int i = 1; i < 8; i++) {
        above = above * r + numerator[i];
        below = below * r + denominator[i];
    }
    return above / below;
}

/** The z that a standard normal stays below with probability p in (0, 1): AS 241, routine PPND16. */
static double normal_quantile(double p)
{
    static const double centre_above[8] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
                                           4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
                                           1.3314166789178437745e2, 3.3871328727963666080e0};
    static const double centre_below[8] = {
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1};
    static const double tail_above[8] = {
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0,  5.76949722146069140550e0,  4.63033784615654529590e0,  1.42343711074968357734e0};
    static const double tail_below[8] = {
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e0,  2.05319162663775882187e0,  1};
    static const double far_above[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
                                        5.46378491116411436990e0,  6.65790464350110377720e0};
    static const double far_below[8] = {
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1};
    const double q = p - 0.5;
    if (fabs(q) <= 0.425) return q * rational(centre_above, centre_below, 0.180625 - q * q);
    const double r = sqrt(-logarithm(q < 0 ? p : 1 - p));
    const double z = r <= 5 ? rational(tail_above, tail_below, r - 1.6) : rational(far_above, far_below, r - 5);
    return q < 0 ? -z : z;
}

static double standard_normal(uint64_t word)
{
    return normal_quantile(open_uniform(word));
}

static double standard_laplace(uint64_t word)
{
    const double magnitude = -logarithm(open_uniform(word));
    return word >> 63 ? -magnitude : magnitude;
}

/** A block holds two numbers: word i is half i % 2 of block i / 2. */
static uint64_t word_of(const uint32_t block[4], uint64_t i)
{
    return block[i % 2 * 2] | (uint64_t)block[i % 2 * 2 + 1] << 32;
}

static uint64_t word_at(uint64_t seed, uint32_t stream, uint32_t kind, uint64_t i)
{
    uint32_t block[4];
    block_at(block, seed, stream, kind, i / 2);
    return word_of(block, i);
}

void dlg_random_normal_fill(dlg_real *out, size_t n, double std, uint64_t seed, uint32_t stream)
{
    uint32_t block[4];
    for (size_t i = 0; i < n; i++) {
        if (i % 2 == 0) block_at(block, seed, stream, NORMAL, i / 2);
        out[i] = (dlg_real)(std * standard_normal(word_of(block, i)));
    }
}

double dlg_random_normal_at(uint64_t seed, uint32_t stream, uint64_t i)
{
    return standard_normal(word_at(seed, stream, NORMAL, i));
}

void dlg_random_uniform_fill(dlg_real *out, size_t n, uint64_t seed, uint32_t stream)
{
    uint32_t block[4];
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0) block_at(block, seed, stream, UNIFORM, i / 4);
        out[i] = (dlg_real)(((double)block[i % 4] + 0.5) * 0x1p-31 - 1);
    }
}

double dlg_random_laplace_at(uint64_t seed, uint32_t stream, uint64_t i)
{
    return standard_laplace(word_at(seed, stream, LAPLACE, i));
}
