#include "analytic/tokens/segments.h"

#include "analytic/noise/noise_model.h"
#include "base/memory.h"
#include "math/blas.h"

#include <math.h>

/* A row stands out when its norm squared exceeds the noise's mean by this many of its deviations. */
static const double outstanding = 8;

size_t dlg_segments_count(const dlg_gradient *gradient, size_t length)
{
    const dlg_parameter *types = gradient->model->roles.types, *positions = gradient->model->roles.positions;
    const dlg_real *rows = types ? dlg_gradient_at(gradient, types) : NULL,
                   *places = dlg_gradient_at(gradient, positions);
    size_t n = 1;
    if (!rows) return n;
    const size_t H = types->n_cols;
    const double noise = places ? dlg_noise_model_of(places, length, positions->n_rows, H).behind : 0;
    const double level = noise * ((double)H + outstanding * sqrt(2 * (double)H));
    for (size_t k = 1; k < types->n_rows; k++)
        if (dlg_dot(H, rows + k * H, rows + k * H) > level) n = k + 1;
    return n;
}

/* Square of the norm of row - (sums[end] - sums[begin]) */
static double left_over(size_t H, const dlg_real *row, const double *begin, const double *end)
{
    double sum = 0;
    for (size_t i = 0; i < H; i++) {
        const double left = (double)row[i] - (end[i] - begin[i]);
        sum += left * left;
    }
    return sum;
}

dlg_status dlg_segments_find(size_t *types, double *misfit, const dlg_gradient *gradient, size_t length, dlg_error *err)
{
    const dlg_roles *roles = &gradient->model->roles;
    const size_t H = gradient->model->config.hidden_size;
    const dlg_real *row = dlg_gradient_at(gradient, roles->types) + H, *g = dlg_gradient_at(gradient, roles->positions);
    double *sums = dlg_allocate((length + 1) * H, sizeof *sums), best = INFINITY;
    size_t from = length, to = length;
    if (!sums) return dlg_fail(err, DLG_ENOMEM, "token types: no memory");
    for (size_t i = 0; g && i < length * H; i++) sums[H + i] = sums[i] + (double)g[i];
    for (size_t end = length; g && end; end--)
        for (size_t begin = 0; begin < end; begin++) {
            const double left = left_over(H, row, sums + begin * H, sums + end * H);
            if (left >= best) continue;
            best = left;
            from = begin;
            to = end;
        }
    for (size_t t = 0; t < length; t++) types[t] = t >= from && t < to;
    *misfit = sqrt(best / fmax(dlg_dot(H, row, row), 1e-300));
    dlg_free(sums);
    return DLG_OK;
}
