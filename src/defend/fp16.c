/* Every entry rounded to IEEE half precision: eleven bits of significand; below 3e-8 there is only zero. */
#include "defend/classes.h"
#include "math/half.h"

static void round_all(dlg_real *values, size_t n_items, double strength, uint64_t seed, uint32_t stream)
{
    (void)strength, (void)seed, (void)stream;
    for (size_t i = 0; i < n_items; i++) values[i] = (dlg_real)dlg_round_to_f16((double)values[i]);
}

const dlg_defence_class dlg_defence_fp16 = {
    .name = "fp16",
    .help = "round to IEEE half precision",
    .apply = round_all,
};
