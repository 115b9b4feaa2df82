#include "leak/distance.h"

#include <math.h>
#include <string.h>

/* D = sum ||g - t||^2      (Zhu et al. 2019, arXiv:1906.08935, eq. 4) */
static dlg_distance_part l2(dlg_residual r, size_t n_tensors)
{
    (void)n_tensors;
    return (dlg_distance_part){r.ee, 2, 0};
}

/* D = sum ||g - t||^2 / ||t||^2; a tensor whose target is zero says nothing */
static dlg_distance_part relative(dlg_residual r, size_t n_tensors)
{
    (void)n_tensors;
    if (r.tt == 0) return (dlg_distance_part){0, 0, 0};
    return (dlg_distance_part){r.ee / r.tt, 2 / r.tt, 0};
}

/*
 * D = mean of 1 - <g,t> / (||g|| ||t||)      (Geiping et al. 2020, arXiv:2003.14053, eq. 4, by tensors as in LAMP)
 *
 * With u = <t,e>/||t||^2, v = ||e||^2/||t||^2 and s = ||g||/||t||, s^2 = 1 + d, d = 2u + v:
 *   1 - cos = (s - 1 - u)/s,   s - 1 = d/(s + 1),   so   1 - cos = (v - u d/(s + 1)) / (s (s + 1))
 * in which the large terms are gone. The derivative is (<g,t>/||g||^2 g - t) / (||g|| ||t||) with g = e + t.
 */
static dlg_distance_part cosine(dlg_residual r, size_t n_tensors)
{
    const double gg = r.tt + 2 * r.te + r.ee;
    if (r.tt == 0 || gg <= 0) return (dlg_distance_part){1 / (double)n_tensors, 0, 0};
    const double u = r.te / r.tt, v = r.ee / r.tt, d = 2 * u + v, s = sqrt(1 + d), n = (double)n_tensors;
    const double scale = 1 / (n * sqrt(gg * r.tt));
    return (dlg_distance_part){
        .value = (v - u * d / (s + 1)) / (s * (s + 1)) / n,
        .a = scale * (r.tt + r.te) / gg,
        .b = -scale * (r.te + r.ee) / gg,
    };
}

static const dlg_distance distances[] = {
    {"l2", "squared differences, as in the DLG paper", l2},
    {"relative", "squared differences, each tensor divided by its target's norm", relative},
    {"cosine", "1 - cosine of the angle, mean over tensors", cosine},
};

dlg_status dlg_distance_find(const dlg_distance **out, const char *name, dlg_error *err)
{
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        if (!strcmp(distances[i].name, name)) {
            *out = &distances[i];
            return DLG_OK;
        }
    *out = NULL;
    return dlg_fail(err, DLG_EARG, "distance: want l2, relative or cosine, found %s", name);
}
