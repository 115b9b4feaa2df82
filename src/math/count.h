/** Numbers to counts. */
#ifndef DLG_MATH_COUNT_H
#define DLG_MATH_COUNT_H

#include <math.h>
#include <stddef.h>

/**
 * The whole number in 0..most that is nearest to a value, half of one rounded down to none; 0 of a NaN. The only way
 * from computed numbers to sizes: C leaves a conversion undefined where the number does not fit.
 */
static inline size_t dlg_round_to_count(double value, size_t most)
{
    if (!(value > 0.5)) return 0;
    return value < (double)most ? (size_t)round(value) : most;
}

#endif
