#include "matching/distance.h"

#include "base/text.h"
#include "math/simd.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

DLG_SIMD void dlg_residual_compare(dlg_residual *residual, size_t n, const dlg_real *g, const dlg_real *t)
{
    double along = 0, off = 0, absolute = 0;
#pragma omp simd reduction(+ : along, off, absolute)
    for (size_t i = 0; i < n; i++) {
        const double e = (double)g[i] - (double)t[i];
        along += (double)t[i] * e;
        off += e * e;
        absolute += e < 0 ? -e : e;
    }
    residual->te += along;
    residual->ee += off;
    residual->e1 += absolute;
}

dlg_residual dlg_residual_multiply(dlg_residual r, double by)
{
    const double off = by - 1;
    return (dlg_residual){.tt = r.tt,
                          .te = by * r.te + off * r.tt,
                          .ee = by * by * r.ee + 2 * by * off * r.te + off * off * r.tt,
                          .e1 = r.e1};
}

dlg_distance_part dlg_distance_part_turn_back(dlg_distance_part part, double by)
{
    return (dlg_distance_part){part.value, by * by * part.a, by * ((by - 1) * part.a + part.b), by * part.s};
}

/* D = sum ||g - t||^2      (Zhu et al. 2019, arXiv:1906.08935, eq. 4) */
static dlg_distance_part l2(dlg_residual r, size_t i, size_t n)
{
    (void)i, (void)n;
    return (dlg_distance_part){r.ee, 2, 0, 0};
}

/* D = sum ||g - t||^2 / ||t||^2; a tensor whose target is zero says nothing */
static dlg_distance_part relative(dlg_residual r, size_t i, size_t n)
{
    (void)i, (void)n;
    if (r.tt == 0) return (dlg_distance_part){0};
    return (dlg_distance_part){r.ee / r.tt, 2 / r.tt, 0, 0};
}

/*
 * D = mean of 1 - <g,t> / (||g|| ||t||)      (Geiping et al. 2020, arXiv:2003.14053, eq. 4, by tensors as in LAMP)
 *
 * With u = <t,e>/||t||^2, v = ||e||^2/||t||^2 and s = ||g||/||t||, s^2 = 1 + d, d = 2u + v:
 *   1 - cos = (s - 1 - u)/s,   s - 1 = d/(s + 1),   so   1 - cos = (v - u d/(s + 1)) / (s (s + 1))
 * in which the large terms are gone. The derivative is (<g,t>/||g||^2 g - t) / (||g|| ||t||) with g = e + t.
 */
static dlg_distance_part cosine(dlg_residual r, size_t i, size_t n)
{
    (void)i;
    const double gg = r.tt + 2 * r.te + r.ee;
    if (r.tt == 0 || gg <= 0) return (dlg_distance_part){.value = 1 / (double)n};
    const double u = r.te / r.tt, v = r.ee / r.tt, d = 2 * u + v, s = sqrt(1 + d);
    const double scale = 1 / ((double)n * sqrt(gg * r.tt));
    return (dlg_distance_part){
        .value = (v - u * d / (s + 1)) / (s * (s + 1)) / (double)n,
        .a = scale * (r.tt + r.te) / gg,
        .b = -scale * (r.te + r.ee) / gg,
    };
}

/* What one number's absolute difference weighs beside its square: [tag_factor] of github.com/eth-sri/lamp, for TAG and
 * their L2+L1. */
static const double l1_weight = 0.01;

/* D = sum ||g - t||^2 + 0.01 ||g - t||_1 */
static dlg_distance_part l2_l1(dlg_residual r, size_t i, size_t n)
{
    (void)i, (void)n;
    return (dlg_distance_part){r.ee + l1_weight * r.e1, 2, 0, l1_weight};
}

/*
 * D = sum ||g - t||^2 + alpha ||g - t||_1, alpha one a tensor (Deng et al. 2021, arXiv:2103.06819). The paper wants it
 * larger next to the input and gives no rule. It falls evenly, to 1/n of the first at the last, as in
 * github.com/JonasGeiping/breaching (which has 0.1 for the first); eth-sri/lamp has 0.01 for all, which is l2_l1 here.
 */
static dlg_distance_part tag(dlg_residual r, size_t i, size_t n)
{
    const double alpha = l1_weight * (double)(n - i) / (double)n;
    return (dlg_distance_part){r.ee + alpha * r.e1, 2, 0, alpha};
}

const dlg_distance dlg_l2 = {"l2", "squared differences, as in the DLG paper", false, l2};
const dlg_distance dlg_relative = {"relative", "squared differences, each tensor divided by its target's norm", false,
                                   relative};
const dlg_distance dlg_cosine = {"cosine", "1 - cosine of the angle, mean over tensors", false, cosine};
const dlg_distance dlg_l2_l1 = {"l2_l1", "squared and absolute differences", true, l2_l1};
const dlg_distance dlg_tag_distance = {
    "tag", "squared differences and absolute ones weighted by layers, as in the TAG paper", true, tag};

const dlg_distance *const dlg_distances[] = {&dlg_l2, &dlg_relative, &dlg_cosine, &dlg_l2_l1, &dlg_tag_distance, NULL};

double dlg_distance_rounding(const dlg_distance *distance, double roundoff, size_t hidden, size_t depth)
{
    const double part = dlg_tolerance_explained(roundoff, hidden, depth);
    return distance->by_number ? part : part * part;
}

dlg_status dlg_distance_find(const dlg_distance **out, const char *name, dlg_error *err)
{
    char names[128] = "";
    *out = NULL;
    for (size_t i = 0; dlg_distances[i]; i++) {
        if (!strcmp(dlg_distances[i]->name, name)) *out = dlg_distances[i];
        dlg_text_list(names, sizeof names, dlg_distances[i]->name, !dlg_distances[i + 1]);
    }
    return *out ? DLG_OK : dlg_fail(err, DLG_EARG, "distance: want %s, found %s", names, name);
}
