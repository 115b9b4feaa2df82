/* Laplace noise on every entry: density exp(-|x| / scale) / (2 scale) (Zhu et al. 2019, arXiv:1906.08935, section
 * 5.1). */
#include "defend/classes.h"
#include "math/random.h"

static void add_noise(dlg_real *values, size_t n_items, double scale, uint64_t seed, uint32_t stream)
{
    for (size_t i = 0; i < n_items; i++)
        values[i] = (dlg_real)((double)values[i] + scale * dlg_random_laplace_at(seed, stream, i));
}

const dlg_defence_class dlg_defence_laplace = {
    .name = "laplace",
    .number = "SCALE",
    .lowest = 0,
    .highest = 1e6,
    .help = "add Laplace noise of scale SCALE (standard deviation 1.41 SCALE)",
    .apply = add_noise,
};
