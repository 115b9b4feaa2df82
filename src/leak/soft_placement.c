#include "leak/soft_placement.h"

#include <math.h>

/* A label that has come so far to one row is there. */
static const double sharp = 0.9;

/* What stands in a row whose label is certain to so much moves nothing. */
static const double whole = 1 - 1e-9;

void dlg_soft_placement_carve(dlg_soft_placement *s, dlg_arena *arena)
{
    s->share = dlg_arena_carve(arena, dlg_soft_placement_size(s), sizeof *s->share);
    s->masked = dlg_arena_carve(arena, s->placement->n_rows, sizeof *s->masked);
}

size_t dlg_soft_placement_size(const dlg_soft_placement *s)
{
    return s->placement->n_rows * s->placement->n_labels;
}

static void find_shares(dlg_soft_placement *s, const double *z)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t j = 0; j < M; j++) {
        double most = -INFINITY, sum = 0;
        for (size_t i = 0; i < R; i++) most = fmax(most, s->factor * z[i * M + j]);
        for (size_t i = 0; i < R; i++) sum += s->share[i * M + j] = exp(s->factor * z[i * M + j] - most);
        for (size_t i = 0; i < R; i++) s->placement->share[i * M + j] = (dlg_real)(s->share[i * M + j] /= sum);
    }
}

/* prod over the row's labels but one of 1 - s; n_labels: but none */
static double none_of(const dlg_soft_placement *s, size_t row, size_t but)
{
    const size_t M = s->placement->n_labels;
    double none = 1;
    for (size_t j = 0; j < M; j++)
        if (j != but) none *= 1 - s->share[row * M + j];
    return none;
}

void dlg_soft_placement_apply(dlg_soft_placement *s, const double *z, dlg_real *point)
{
    find_shares(s, z);
    for (size_t i = 0; s->mask && i < s->placement->n_rows; i++) {
        dlg_real *x = point + s->row[i] * s->width;
        s->masked[i] = 1 - none_of(s, i, s->placement->n_labels);
        for (size_t k = 0; k < s->width; k++) x[k] += (dlg_real)s->masked[i] * (s->mask[k] - x[k]);
    }
}

/* dx becomes dy = (1 - w) dx. @return the derivative with respect to w, <dx, mask - y> = <dx, mask - x> / (1 - w) */
static double pull_back_row(const dlg_soft_placement *s, size_t row, const dlg_real *x, dlg_real *dx)
{
    const double left = 1 - s->masked[row];
    double along = 0;
    for (size_t k = 0; k < s->width; k++) {
        along += (double)dx[k] * ((double)s->mask[k] - (double)x[k]);
        dx[k] *= (dlg_real)left;
    }
    return s->masked[row] < whole ? along / left : 0;
}

void dlg_soft_placement_pull_back(const dlg_soft_placement *s, const dlg_real *point, dlg_real *derivative,
                                  const dlg_real *label_derivative, double *dz)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t i = 0; i < R; i++) {
        const size_t at = s->row[i] * s->width;
        const double dw = s->mask ? pull_back_row(s, i, point + at, derivative + at) : 0;
        for (size_t j = 0; j < M; j++) dz[i * M + j] = (double)label_derivative[i * M + j] + dw * none_of(s, i, j); /* ds, for now */
    }
    for (size_t j = 0; j < M; j++) {
        double mean = 0;
        for (size_t i = 0; i < R; i++) mean += s->share[i * M + j] * dz[i * M + j];
        for (size_t i = 0; i < R; i++) dz[i * M + j] = s->factor * s->share[i * M + j] * (dz[i * M + j] - mean);
    }
}

bool dlg_soft_placement_is_sharp(const dlg_soft_placement *s)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t j = 0; j < M; j++) {
        double most = 0;
        for (size_t i = 0; i < R; i++) most = fmax(most, s->share[i * M + j]);
        if (most < sharp) return false;
    }
    return true;
}

void dlg_soft_placement_settle(const dlg_soft_placement *s, dlg_real *scratch)
{
    for (size_t i = 0; i < dlg_soft_placement_size(s); i++) scratch[i] = (dlg_real)-log(s->share[i] + 1e-12);
    if (dlg_placement_propose(s->placement, scratch)) dlg_placement_accept(s->placement);
}
