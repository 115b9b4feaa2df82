/* Every entry rounded to bfloat16: the range of float, eight bits of significand. */
#include "defend/classes.h"
#include "math/half.h"

static void round_all(dlg_real *values, size_t n_items, double strength, uint64_t seed, uint32_t stream)
{
    (void)strength, (void)seed, (void)stream;
    for (size_t i = 0; i < n_items; i++) values[i] = (dlg_real)dlg_round_to_bf16((double)values[i]);
}

const dlg_defence_class dlg_defence_bf16 = {
    .name = "bf16",
    .help = "round to bfloat16",
    .apply = round_all,
};
