/*
 * Pruning (gradient compression, Lin et al. 2018, arXiv:1712.01887): of a tensor's n entries the floor(fraction n)
 * smallest by magnitude become zero, exactly that many; of equals those that come first.
 *
 * The largest magnitude to go is found by radix selection: for numbers that are not negative the bits of a double, read
 * as an integer, are in the numbers' order, so eight counts of one byte each, the highest first, find it in O(n)
 * whatever the values are.
 */
#include "defend/classes.h"

#include <math.h>
#include <string.h>

static uint64_t magnitude(dlg_real value)
{
    const double absolute = fabs((double)value);
    uint64_t bits;
    memcpy(&bits, &absolute, sizeof bits);
    return bits;
}

/** The magnitude of rank *rank (from 0) among all; *rank becomes its rank among its equals. */
static uint64_t select_magnitude(const dlg_real *values, size_t n_items, size_t *rank)
{
    uint64_t prefix = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        const uint64_t known = shift == 56 ? 0 : UINT64_MAX << (shift + 8);
        size_t counts[256] = {0};
        for (size_t i = 0; i < n_items; i++) {
            const uint64_t bits = magnitude(values[i]);
            if ((bits & known) == prefix) counts[bits >> shift & 0xff]++;
        }
        uint64_t byte = 0;
        while (*rank >= counts[byte]) *rank -= counts[byte++];
        prefix |= byte << shift;
    }
    return prefix;
}

static void prune(dlg_real *values, size_t n_items, double fraction, uint64_t seed, uint32_t stream)
{
    (void)seed, (void)stream;
    /* 0.29 * 100 is 28.999...96 in doubles: where the decimal fraction means a whole number of entries, it shall be
     * that number. */
    const double wanted = floor(fraction * (double)n_items * (1 + 0x1p-51));
    if (wanted < 1) return;
    if (wanted >= (double)n_items) {
        memset(values, 0, n_items * sizeof *values);
        return;
    }
    size_t equals_left = (size_t)wanted - 1;
    const uint64_t threshold = select_magnitude(values, n_items, &equals_left);
    equals_left++;
    for (size_t i = 0; i < n_items; i++) {
        const uint64_t bits = magnitude(values[i]);
        if (bits < threshold || (bits == threshold && equals_left && equals_left--)) values[i] = 0;
    }
}

const dlg_defence_class dlg_defence_prune = {
    .name = "prune",
    .number = "FRACTION",
    .lowest = 0,
    .highest = 1,
    .help = "set that FRACTION of each tensor's entries to zero, smallest first",
    .apply = prune,
};
