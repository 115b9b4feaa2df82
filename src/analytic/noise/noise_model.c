#include "analytic/noise/noise_model.h"

#include "math/blas.h"
#include "math/simd.h"
#include "math/tolerance.h"

#include <float.h>

/* No infinity: compilers begin a minimum with the largest number there is. */
DLG_SIMD double dlg_smallest_entry(size_t n, const dlg_real *g)
{
    const dlg_real none = FLT_MAX; /* gradients have no such number */
    dlg_real least = none;
#pragma omp simd reduction(min : least)
    for (size_t i = 0; i < n; i++) {
        const dlg_real magnitude = g[i] < 0 ? -g[i] : g[i], counted = magnitude > 0 ? magnitude : none;
        least = counted < least ? counted : least;
    }
    return least < none ? (double)least : 0;
}

/* Integers of one scale: every entry is a whole multiple of the smallest, and few enough of it to be an integer of 8 or
 * 16 bits. */
static double step_of(size_t n, const dlg_real *g, double smallest)
{
    for (size_t i = 0; i < n; i++) {
        const double multiple = fabs((double)g[i]) / smallest;
        if (multiple > 32768 || fabs(multiple - round(multiple)) > 1e-3) return 0;
    }
    return smallest;
}

/* 2^-k where no entry uses more than k binary places. */
static double last_place(size_t n, const dlg_real *g)
{
    int places = 1;
    for (size_t i = 0; i < n; i++) {
        int exponent;
        double fraction = fabs(frexp((double)g[i], &exponent));
        fraction = ldexp(fraction, places);
        for (; places < 24 && fraction != floor(fraction); places++) fraction *= 2;
    }
    return ldexp(1, -places);
}

dlg_noise_model dlg_noise_model_of(const dlg_real *g, size_t length, size_t n_positions, size_t H)
{
    const size_t n = length * H, n_behind = (n_positions - length) * H;
    const double smallest = dlg_smallest_entry(n, g);
    dlg_noise_model e = {0};
    if (n_behind) e.behind = dlg_dot(n_behind, g + n, g + n) / (double)n_behind;
    size_t n_zero = 0;
    for (size_t i = 0; i < n; i++) n_zero += g[i] == 0;
    if (!(smallest > 0)) return e;
    e.step = step_of(n, g, smallest);
    if (!(e.step > 0) && n_zero > 1) e.pruned = smallest;
    e.relative = last_place(n, g);
    return e;
}

double dlg_noise_model_variance(const dlg_noise_model *e, size_t H, const dlg_real *g, double roundoff)
{
    const double mean_square = dlg_dot(H, g, g) / (double)H,
                 place = fmax(e->relative, dlg_tolerance_position_row(roundoff));
    size_t n_zero = 0;
    for (size_t i = 0; i < H; i++) n_zero += g[i] == 0;
    return e->behind + e->step * e->step / 12 + e->pruned * e->pruned / 3 * (double)n_zero / (double)H +
           place * place * mean_square;
}
