/**
 * Random numbers that are a function of where they stand: Philox4x32-10 (Salmon et al. 2011, SC'11, "Parallel random
 * numbers: as easy as 1, 2, 3"), from Random123. No state is shared; any number can be had without those before it.
 *
 * A seed chooses the key, a stream (one a purpose: dlg_random_stream("encoder.layer.0...")) and a position choose the
 * number. The same seed gives the same numbers on every machine, in float and in double builds, at any number of
 * threads: only integers and the operations that IEEE 754 rounds correctly (+ - * / sqrt) are used, in double, and
 * rounded to dlg_real at the very end. So libm's log, whose last digit differs between versions, is not.
 */
#ifndef DLG_MATH_RANDOM_H
#define DLG_MATH_RANDOM_H

#include "math/real.h"

#include <stddef.h>
#include <stdint.h>

/** A stream's number from its name (FNV-1a, 32 bits). */
uint32_t dlg_random_stream(const char *name);

/**
 * Sixteen random bytes: Philox4x32-10 of a counter under a key (its low half first). Everything below is made of
 * these.
 */
void dlg_random_block(uint32_t out[4], const uint32_t counter[4], uint64_t key);

/**
 * A place in a stream, to draw numbers from one after another. A plain value: copy it to draw the same numbers
 * again.
 */
typedef struct {
    uint64_t seed;
    uint32_t stream;
    uint64_t counter; /**< how many 32-bit words have been drawn */
} dlg_random;

/** The beginning of a stream. */
dlg_random dlg_random_at(uint64_t seed, uint32_t stream);

/** 32 random bits. */
uint32_t dlg_random_u32(dlg_random *);

/** 64 random bits. */
uint64_t dlg_random_u64(dlg_random *);

/** Uniform in [0, 1), a multiple of 2^-53. */
double dlg_random_uniform(dlg_random *);

/** Uniform in {0, ..., n - 1}, without bias. n > 0. */
uint64_t dlg_random_below(dlg_random *, uint64_t n);

/**
 * out[0 .. n-1] becomes a permutation of 0 .. n-1, each equally likely (Fisher and Yates). Its first k entries are k
 * draws without replacement.
 */
void dlg_random_permutation(size_t *out, size_t n, dlg_random *);

/**
 * out[i] = std * z_i, z_i standard normal, a function of (seed, stream, i) alone. The inverse of the distribution
 * function by Wichura's algorithm AS 241 (Applied Statistics 37, 1988, PPND16: relative error 1e-16); |z| stays below
 * 8.3.
 */
void dlg_random_normal_fill(dlg_real *out, size_t n, double std, uint64_t seed, uint32_t stream);

/**
 * out[i] uniform in [-1, 1], with 32 bits, at a tenth of a normal number's cost; a function of (seed, stream, i)
 * alone.
 */
void dlg_random_uniform_fill(dlg_real *out, size_t n, uint64_t seed, uint32_t stream);

/** The z_i above, one at a time: standard normal number i of a stream. */
double dlg_random_normal_at(uint64_t seed, uint32_t stream, uint64_t i);

/** Number i of a stream of density exp(-|l|) / 2 (so the variance is 2), a function of (seed, stream, i) alone. */
double dlg_random_laplace_at(uint64_t seed, uint32_t stream, uint64_t i);

#endif
