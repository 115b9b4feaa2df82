/* Normal noise on every entry, as in differential privacy without the clipping (Zhu et al. 2019, arXiv:1906.08935,
 * section 5.1). */
#include "defend/classes.h"
#include "math/random.h"

static void add_noise(dlg_real *values, size_t n_items, double std, uint64_t seed, uint32_t stream)
{
    for (size_t i = 0; i < n_items; i++)
        values[i] = (dlg_real)((double)values[i] + std * dlg_random_normal_at(seed, stream, i));
}

const dlg_defence_class dlg_defence_gaussian = {
    .name = "gaussian",
    .number = "STD",
    .lowest = 0,
    .highest = 1e6,
    .help = "add normal noise of standard deviation STD",
    .apply = add_noise,
};
