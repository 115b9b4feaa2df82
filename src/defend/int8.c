/*
 * Eight bits an entry: g becomes q scale, q = round(g / scale) in -127 .. 127, one scale = max |g| / 127 a tensor.
 * Symmetric and to nearest even, so zero stays zero and no entry moves by more than scale / 2.
 */
#include "defend/classes.h"

#include <math.h>

static void quantise(dlg_real *values, size_t n_items, double strength, uint64_t seed, uint32_t stream)
{
    (void)strength, (void)seed, (void)stream;
    double largest = 0;
    for (size_t i = 0; i < n_items; i++) largest = fmax(largest, fabs((double)values[i]));
    const double scale = largest / 127;
    if (scale == 0) return;
    for (size_t i = 0; i < n_items; i++) values[i] = (dlg_real)(nearbyint((double)values[i] / scale) * scale);
}

const dlg_defence_class dlg_defence_int8 = {
    .name = "int8",
    .help = "round to 8 bits, one scale a tensor",
    .apply = quantise,
};
