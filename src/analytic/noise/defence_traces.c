#include "analytic/noise/defence_traces.h"

#include "analytic/noise/noise_model.h"
#include "math/blas.h"
#include "math/half.h"
#include "math/simd.h"
#include "math/sorted.h"

#include <string.h>

enum {
    MOST_LEVELS = 128, /* magnitudes above zero; 8 bits have 127 */
    LOOKED_AT = 65536  /* entries of a tensor that rounding is judged by */
};

/* Pruned: more zeros than this, and the smallest entry left is larger than rounding would leave one. */
static const double many_zeros = 1e-3;

/* The norm is a chosen one when it is that near to it: clipping divides by the norm + 1e-6. */
static const double near_round = 3e-6;

/* ---- one tensor ---- */

typedef struct {
    double sum_of_squares, largest, smallest, zeros; /* smallest: that is not zero */
    size_t n_at_largest;
    bool is_f16, is_bf16;
    size_t n_levels; /* 0: too many */
} look;

static size_t count_levels(size_t n, const dlg_real *g)
{
    double level[MOST_LEVELS];
    size_t n_levels = 0;
    for (size_t i = 0; i < n; i++) {
        const double magnitude = fabs((double)g[i]);
        size_t at = 0, end = n_levels;
        if (magnitude == 0) continue;
        while (at < end) {
            const size_t half = (at + end) / 2;
            if (level[half] < magnitude) at = half + 1;
            else end = half;
        }
        if (at < n_levels && level[at] == magnitude) continue;
        if (n_levels == MOST_LEVELS) return 0;
        memmove(level + at + 1, level + at, (n_levels - at) * sizeof *level);
        level[at] = magnitude;
        n_levels++;
    }
    return n_levels;
}

/* How many entries are as large as that, whatever their sign. */
DLG_SIMD static size_t count_entries(size_t n, const dlg_real *g, dlg_real magnitude)
{
    size_t count = 0;
#pragma omp simd reduction(+ : count)
    for (size_t i = 0; i < n; i++) count += (g[i] < 0 ? -g[i] : g[i]) == magnitude;
    return count;
}

static look look_at(size_t n, const dlg_real *g)
{
    const size_t n_judged = n < LOOKED_AT ? n : LOOKED_AT;
    const dlg_real largest = dlg_largest_absolute(n, g);
    look l = {.sum_of_squares = dlg_dot(n, g, g),
              .largest = (double)largest,
              .smallest = dlg_smallest_entry(n, g),
              .n_at_largest = count_entries(n, g, largest),
              .is_f16 = true,
              .is_bf16 = true};
    for (size_t i = 0; i < n_judged && (l.is_f16 || l.is_bf16); i++) {
        l.is_f16 = l.is_f16 && (double)dlg_round_to_f16((double)g[i]) == (double)g[i];
        l.is_bf16 = l.is_bf16 && (double)dlg_round_to_bf16((double)g[i]) == (double)g[i];
    }
    l.zeros = (double)count_entries(n, g, 0) / (double)n;
    l.n_levels = count_levels(n_judged, g);
    return l;
}

/* ---- all of them ---- */

static bool is_round(double norm)
{
    static const double chosen[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10};
    if (!(norm > 0)) return false;
    const double leading = norm / pow(10, floor(log10(norm)));
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
        if (fabs(leading / chosen[i] - 1) < near_round) return true;
    return false;
}

/* A weight matrix of a linear layer: no embedding, and large enough to say something. */
static bool is_matrix(const dlg_roles *roles, const dlg_parameter *p)
{
    const bool is_decoder = roles->loss_rows != DLG_FIRST_ROWS && p == roles->decoder.weight;
    return p->n_dims == 2 && p->n_rows > 1 && dlg_parameter_items(p) >= 256 && p != roles->words &&
           p != roles->positions && p != roles->types && !is_decoder;
}

static bool is_pruned(const look *l, dlg_rounding rounding)
{
    if (l->zeros < many_zeros) return false;
    /* Half of the smallest number there is becomes zero; with levels everything below half of the first. */
    if (rounding == DLG_ROUNDED_LEVELS) return l->n_levels && l->smallest > 1.5 * l->largest / 127;
    return rounding != DLG_ROUNDED_F16 || l->smallest > 1e-6;
}

static void judge(dlg_defence_traces *out, size_t n, const look *looks, double *zeros)
{
    size_t n_f16 = 0, n_bf16 = 0, n_level = 0, n_pruned = 0;
    for (size_t i = 0; i < n; i++) {
        n_f16 += looks[i].is_f16;
        n_bf16 += looks[i].is_bf16;
        n_level += looks[i].n_levels != 0;
        zeros[i] = looks[i].zeros;
    }
    /* Of numbers that are of two kinds the coarser one is meant: levels, then bf16's eight places. */
    if (2 * n_level > n) out->rounding = DLG_ROUNDED_LEVELS;
    else if (2 * n_bf16 > n) out->rounding = DLG_ROUNDED_BF16;
    else if (2 * n_f16 > n) out->rounding = DLG_ROUNDED_F16;
    for (size_t i = 0; i < n; i++) {
        n_pruned += is_pruned(&looks[i], out->rounding);
        if (out->rounding == DLG_ROUNDED_LEVELS && looks[i].n_levels > out->n_levels) out->n_levels = looks[i].n_levels;
        out->n_at_bound += out->rounding != DLG_ROUNDED_LEVELS && looks[i].n_at_largest > 2;
    }
    out->is_pruned = 2 * n_pruned > n;
    out->is_clipped = 2 * out->n_at_bound > n;
    out->zeros = dlg_sort_median(n, zeros);
}

static void look_behind(dlg_defence_traces *out, const dlg_gradient *gradient, size_t length)
{
    const dlg_parameter *p = gradient->model->roles.positions;
    const dlg_real *g = dlg_gradient_at(gradient, p);
    double second = 0, fourth = 0;
    size_t n_zeros = 0;
    if (!g || !length || length >= p->n_rows) return;
    out->n_behind = (p->n_rows - length) * p->n_cols;
    for (size_t i = length * p->n_cols; i < p->n_rows * p->n_cols; i++) {
        const double square = (double)g[i] * (double)g[i];
        second += square;
        fourth += square * square;
        n_zeros += g[i] == 0;
    }
    out->zeros_behind = (double)n_zeros / (double)out->n_behind;
    out->noise = sqrt(second / (double)out->n_behind);
    if (second > 0) out->kurtosis = (double)out->n_behind * fourth / (second * second);
}

/* looks (gradient->n): all of a matrix, of other parameters only the sum of squares; empty where the file has none of
 * it */
static void look_at_all(look *looks, const dlg_gradient *gradient)
{
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        const dlg_real *g = gradient->values[i];
        const size_t n = dlg_parameter_items(p);
        if (g && is_matrix(&gradient->model->roles, p)) looks[i] = look_at(n, g);
        else if (g) looks[i].sum_of_squares = dlg_dot(n, g, g);
    }
}

bool dlg_defence_traces_any(const dlg_defence_traces *t)
{
    return t->rounding || t->is_pruned || t->is_clipped || t->noise > 0;
}

dlg_status dlg_defence_traces_find(dlg_defence_traces *out, const dlg_gradient *gradient, size_t length, dlg_error *err)
{
    look *looks = dlg_allocate(gradient->n, sizeof *looks);
    double *zeros = dlg_allocate(gradient->n, sizeof *zeros), sum_of_squares = 0;
    dlg_status status = DLG_OK;
    *out = (dlg_defence_traces){0};
    if (!looks || !zeros) {
        status = dlg_fail(err, DLG_ENOMEM, "traces: no memory");
        goto out;
    }
    look_at_all(looks, gradient);
    for (size_t i = 0; i < gradient->n; i++) {
        sum_of_squares += looks[i].sum_of_squares;
        if (gradient->values[i] && is_matrix(&gradient->model->roles, &gradient->model->parameters[i]))
            looks[out->n_matrices++] = looks[i];
    }
    out->norm = sqrt(sum_of_squares);
    out->is_norm_round = is_round(out->norm);
    judge(out, out->n_matrices, looks, zeros);
    look_behind(out, gradient, length);
out:
    dlg_free(looks);
    dlg_free(zeros);
    return status;
}
