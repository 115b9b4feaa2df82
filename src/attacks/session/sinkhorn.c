#include "attacks/session/sinkhorn.h"

#include <math.h>

/* A row whose content is decided to so much is decided. */
static const double sharp = 0.9;

/* What stands in a row that is masked to so much moves nothing. */
static const double whole = 1 - 1e-9;

/* Scaling rows and columns in turn ends when every row holds one to this, or after so many rounds: for logits that
 * differ much it is slow, and what is missing then is small next to what the descent does. */
static const double balanced = 1e-9;
enum { MOST_ROUNDS = 500 };

void dlg_sinkhorn_carve(dlg_sinkhorn *s, dlg_arena *arena)
{
    const size_t R = s->placement->n_rows, C = s->placement->n_labels + 1;
    s->share = dlg_arena_carve(arena, R * C, sizeof *s->share);
    s->row_factor = dlg_arena_carve(arena, R, sizeof *s->row_factor);
    s->column_factor = dlg_arena_carve(arena, C, sizeof *s->column_factor);
}

size_t dlg_sinkhorn_size(const dlg_sinkhorn *s)
{
    return s->placement->n_rows * s->placement->n_labels;
}

/* How much of a column there is: one of each label, and of nothing what is left of the rows. */
static double capacity(const dlg_sinkhorn *s, size_t column)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    return column < M ? 1 : (double)(R - M);
}

/* share becomes exp(c z), each row divided by its largest, which its factor takes up; nothing's logit is zero. */
static void exponentials(dlg_sinkhorn *s, const double *z)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t i = 0; i < R; i++) {
        double most = 0, *row = s->share + i * (M + 1);
        for (size_t j = 0; j < M; j++) most = fmax(most, s->factor * z[i * M + j]);
        for (size_t j = 0; j < M; j++) row[j] = exp(s->factor * z[i * M + j] - most);
        row[M] = exp(-most);
    }
}

/* Sinkhorn: factors of rows and columns, in turn. */
static void balance(dlg_sinkhorn *s)
{
    const size_t R = s->placement->n_rows, C = s->placement->n_labels + 1;
    double error = INFINITY;
    for (size_t j = 0; j < C; j++) s->column_factor[j] = 1;
    for (size_t n = 0; n < MOST_ROUNDS && error > balanced; n++) {
        error = 0;
        for (size_t i = 0; i < R; i++) {
            double sum = 0;
            for (size_t j = 0; j < C; j++) sum += s->share[i * C + j] * s->column_factor[j];
            if (n) error = fmax(error, fabs(s->row_factor[i] * sum - 1));
            s->row_factor[i] = 1 / sum;
        }
        for (size_t j = 0; j < C; j++) {
            double sum = 0;
            for (size_t i = 0; i < R; i++) sum += s->share[i * C + j] * s->row_factor[i];
            s->column_factor[j] = capacity(s, j) / sum;
        }
        if (!n) error = INFINITY;
    }
    for (size_t i = 0; i < R; i++)
        for (size_t j = 0; j < C; j++) s->share[i * C + j] *= s->row_factor[i] * s->column_factor[j];
}

static double masked(const dlg_sinkhorn *s, size_t row)
{
    const size_t M = s->placement->n_labels;
    double w = 0;
    for (size_t j = 0; j < M; j++) w += s->share[row * (M + 1) + j];
    return w;
}

void dlg_sinkhorn_apply(dlg_sinkhorn *s, const double *z, dlg_real *point)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    exponentials(s, z);
    balance(s);
    for (size_t i = 0; i < R; i++)
        for (size_t j = 0; j < M; j++) s->placement->share[i * M + j] = (dlg_real)s->share[i * (M + 1) + j];
    for (size_t i = 0; s->mask && i < R; i++) {
        dlg_real *x = point + s->row[i] * s->width;
        const dlg_real w = (dlg_real)masked(s, i);
        for (size_t k = 0; k < s->width; k++) x[k] += w * (s->mask[k] - x[k]);
    }
}

/* dx becomes dy = (1 - w) dx. @return the derivative with respect to w, <dx, mask - y> = <dx, mask - x> / (1 - w) */
static double pull_back_row(const dlg_sinkhorn *s, size_t row, const dlg_real *x, dlg_real *dx)
{
    const double w = masked(s, row), left = fmax(1 - w, 0);
    double along = 0;
    for (size_t k = 0; k < s->width; k++) {
        along += (double)dx[k] * ((double)s->mask[k] - (double)x[k]);
        dx[k] *= (dlg_real)left;
    }
    return w < whole ? along / left : 0;
}

/* ds, for now in dz, becomes dz = c s o (ds - a - b): a and b leave the sums of rows and columns as they are. */
static void pull_back_shares(const dlg_sinkhorn *s, double *dz)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels, C = M + 1;
    double *a = s->row_factor, *b = s->column_factor, most = INFINITY;
    for (size_t j = 0; j < C; j++) b[j] = 0;
    for (size_t n = 0; n < MOST_ROUNDS && most > 0; n++) {
        double scale = 0;
        most = 0;
        for (size_t i = 0; i < R; i++) {
            double sum = 0, size = 0;
            for (size_t j = 0; j < C; j++) {
                const double ds = j < M ? dz[i * M + j] : 0, share = s->share[i * C + j];
                sum += share * (ds - b[j]);
                size += share * fabs(ds);
            }
            a[i] = sum;
            scale = fmax(scale, size);
        }
        for (size_t j = 0; j < C; j++) {
            double sum = 0;
            for (size_t i = 0; i < R; i++) sum += s->share[i * C + j] * ((j < M ? dz[i * M + j] : 0) - a[i]);
            const double next = capacity(s, j) > 0 ? sum / capacity(s, j) : 0;
            most = fmax(most, fabs(next - b[j]));
            b[j] = next;
        }
        if (most <= balanced * scale) most = 0;
    }
    for (size_t i = 0; i < R; i++)
        for (size_t j = 0; j < M; j++) dz[i * M + j] = s->factor * s->share[i * C + j] * (dz[i * M + j] - a[i] - b[j]);
}

void dlg_sinkhorn_pull_back(dlg_sinkhorn *s, const dlg_real *point, dlg_real *derivative,
                            const dlg_real *label_derivative, double *dz)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t i = 0; i < R; i++) {
        const size_t at = s->row[i] * s->width;
        const double dw = s->mask ? pull_back_row(s, i, point + at, derivative + at) : 0;
        for (size_t j = 0; j < M; j++) dz[i * M + j] = (double)label_derivative[i * M + j] + dw;
    }
    pull_back_shares(s, dz);
}

/* How much of the same label as that of column j stands in a row. */
static double share_of_label(const dlg_sinkhorn *s, size_t row, size_t j)
{
    const size_t M = s->placement->n_labels;
    double sum = 0;
    for (size_t k = 0; k < M; k++)
        if (s->placement->label[k] == s->placement->label[j]) sum += s->share[row * (M + 1) + k];
    return sum;
}

bool dlg_sinkhorn_is_sharp(const dlg_sinkhorn *s)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t i = 0; i < R; i++) {
        double most = s->share[i * (M + 1) + M];
        for (size_t j = 0; j < M; j++) most = fmax(most, share_of_label(s, i, j));
        if (most < sharp) return false;
    }
    return true;
}

void dlg_sinkhorn_settle(const dlg_sinkhorn *s, dlg_real *scratch)
{
    const size_t R = s->placement->n_rows, M = s->placement->n_labels;
    for (size_t i = 0; i < R; i++)
        for (size_t j = 0; j < M; j++) scratch[i * M + j] = (dlg_real)-log(s->share[i * (M + 1) + j] + 1e-12);
    if (dlg_label_assignment_propose(s->placement, scratch)) dlg_label_assignment_accept(s->placement);
}
