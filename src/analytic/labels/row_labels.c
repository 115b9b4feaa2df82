/* The labels of predicted rows, each by itself: see predicted_rows.h. */
#include "analytic/labels/head_gradient.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum {
    PROBES = 16,   /* directions outside of the column space by which all labels are compared */
    MOST_TRIED = 8 /* labels of a row that are looked at closely */
};

/* A label fits clearly when its rival leaves so many times as much of its delta outside. */
static const double clearly = 4;

/* Coefficients that differ by a smaller part are the same. */
static const double alike = 1e-2;

/* ---- between u and the decoder ---- */

/* d (H) := what layer norm and scale make of it, without gamma: symmetric */
static void normalise(const dlg_layernorm *norm, size_t H, size_t i, double *d)
{
    double mean = 0, along = 0;
    for (size_t k = 0; norm && k < H; k++) {
        mean += d[k] / (double)H;
        along += d[k] * (double)norm->xhat[i * H + k] / (double)H;
    }
    for (size_t k = 0; norm && k < H; k++)
        d[k] = (double)norm->rstd[i] * (d[k] - mean - along * (double)norm->xhat[i * H + k]);
}

static void scale_by_gamma(const dlg_layernorm *norm, size_t H, double *d)
{
    for (size_t k = 0; norm && k < H; k++) d[k] *= (double)norm->gamma.value[k];
}

static void scale_by_slope(const dlg_network *network, size_t H, size_t i, double *d)
{
    for (size_t k = 0; k < H; k++) d[k] *= (double)network->activation->first[i * H + k];
}

void dlg_head_pull_back(const dlg_network *network, size_t i, double *d)
{
    const size_t H = network->head->n_cols;
    scale_by_gamma(network->norm, H, d);
    normalise(network->norm, H, i, d);
    scale_by_slope(network, H, i, d);
}

void dlg_head_push_forward(const dlg_network *network, size_t i, double *d)
{
    const size_t H = network->head->n_cols;
    scale_by_slope(network, H, i, d);
    normalise(network->norm, H, i, d);
    scale_by_gamma(network->norm, H, d);
}

void dlg_head_expect(const dlg_head_gradient *m, size_t n, dlg_real *out)
{
    const dlg_value *p = m->network->loss->logits;
    const dlg_real *decoder = m->gradient->model->roles.decoder.weight->value;
    const size_t H = m->H, V = p->n_cols;
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, H, V, 1, p->x, V, decoder, H, 0, out, H);
}

dlg_status dlg_head_smooth(const dlg_head_gradient *m, size_t n, const dlg_real *expected, double *out, dlg_error *err)
{
    const dlg_real *decoder = m->gradient->model->roles.decoder.weight->value;
    const size_t H = m->H, V = m->network->loss->logits->n_cols;
    double *uniform = dlg_allocate(H, sizeof *uniform);
    if (!uniform) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t v = 0; v < V; v++)
        for (size_t k = 0; k < H; k++) uniform[k] += (double)decoder[v * H + k] / (double)V;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < H; k++) out[i * H + k] = (double)expected[i * H + k] - uniform[k];
        dlg_head_pull_back(m->network, i, out + i * H);
    }
    dlg_free(uniform);
    return DLG_OK;
}

/* ---- one way in which labels may fit ---- */

typedef struct {
    const dlg_head_gradient *m;
    const dlg_real *decoder; /* (V, H) */
    size_t V, n;
    const dlg_real *expected; /* (n, H) */
    bool is_smoothed;
    double *all_smooth;            /* (n, H) by dlg_head_smooth, once it is asked for */
    double sign;                   /* of the coefficients */
    double *probes;                /* (PROBES, H) directions outside of the column space */
    dlg_real *turned;              /* (PROBES, H) J^T of them */
    dlg_real *seen;                /* (V, PROBES) of every label's embedding */
    double *delta, *along;         /* (H), (rank) */
    double *smooth, *along_smooth; /* (H), (rank) J of what smoothing adds: outside of the column space, and along */
    double smooth2;                /* square of the former's norm */
    const double *whole_smooth;    /* (H) the whole */
} fitting;

static void release(fitting *f)
{
    dlg_free(f->all_smooth);
    dlg_free(f->along);
    dlg_free(f->delta);
    dlg_free(f->seen);
    dlg_free(f->turned);
    dlg_free(f->probes);
}

static dlg_status prepare(fitting *f, dlg_error *err)
{
    const dlg_head_gradient *m = f->m;
    const size_t H = m->H;
    f->decoder = m->gradient->model->roles.decoder.weight->value;
    f->V = m->network->loss->logits->n_cols;
    f->probes = dlg_allocate(PROBES * H, sizeof *f->probes);
    f->turned = dlg_allocate(PROBES * H, sizeof *f->turned);
    f->seen = dlg_allocate(f->V * PROBES, sizeof *f->seen);
    f->delta = dlg_allocate(2 * H, sizeof *f->delta);
    f->along = dlg_allocate(2 * m->rank, sizeof *f->along);
    if (!f->probes || !f->turned || !f->seen || !f->delta || !f->along)
        return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    f->smooth = f->delta + H;
    f->along_smooth = f->along + m->rank;
    dlg_random_normal_fill(f->turned, PROBES * H, 1, 0, dlg_random_stream("labels"));
    for (size_t i = 0; i < PROBES * H; i++) f->probes[i] = (double)f->turned[i];
    for (size_t i = 0; i < PROBES; i++) dlg_take_out(m->rank, H, m->columns, f->probes + i * H, f->along);
    return DLG_OK;
}

/* What smoothing adds to the delta of row i: J E^T (p - uniform). */
static void find_smooth(fitting *f, size_t i)
{
    const size_t H = f->m->H;
    f->whole_smooth = f->all_smooth + i * H;
    memcpy(f->smooth, f->whole_smooth, H * sizeof *f->smooth);
    dlg_take_out(f->m->rank, H, f->m->columns, f->smooth, f->along_smooth);
    f->smooth2 = dlg_dot_of_doubles(H, f->smooth, f->smooth);
}

/* What the probes see of every label; where labels may be smoothed, but for what that adds. */
static void look(fitting *f, size_t i)
{
    const size_t H = f->m->H;
    for (size_t j = 0; j < PROBES; j++) {
        memcpy(f->delta, f->probes + j * H, H * sizeof *f->delta);
        const double seen =
            f->is_smoothed && f->smooth2 > 0 ? dlg_dot_of_doubles(H, f->delta, f->smooth) / f->smooth2 : 0;
        for (size_t k = 0; k < H; k++) f->delta[k] -= seen * f->smooth[k];
        dlg_head_push_forward(f->m->network, i, f->delta);
        for (size_t k = 0; k < H; k++) f->turned[j * H + k] = (dlg_real)f->delta[k];
    }
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, f->V, PROBES, H, 1, f->decoder, H, f->turned, H, 0, f->seen, PROBES);
}

/* tried := the labels of which the probes see least outside. @return how many */
static size_t choose(const fitting *f, size_t i, size_t tried[MOST_TRIED])
{
    const size_t H = f->m->H;
    double wanted[PROBES], outside[MOST_TRIED];
    size_t n = 0;
    for (size_t j = 0; j < PROBES; j++) wanted[j] = (double)dlg_dot(H, f->turned + j * H, f->expected + i * H);
    for (size_t v = 0; v < f->V; v++) {
        double sum = 0;
        for (size_t j = 0; j < PROBES; j++) {
            const double off = wanted[j] - (double)f->seen[v * PROBES + j];
            sum += off * off;
        }
        if (n == MOST_TRIED && sum >= outside[n - 1]) continue;
        size_t at = n < MOST_TRIED ? n++ : n - 1;
        for (; at > 0 && outside[at - 1] > sum; at--) outside[at] = outside[at - 1], tried[at] = tried[at - 1];
        outside[at] = sum;
        tried[at] = v;
    }
    return n;
}

/*
 * How much of the delta that label v would make lies outside, as a part of it; infinite where it points the wrong way
 * or would be smoothed too much. Smoothing by a makes of delta a multiple of delta + a/(1-a) times what it adds.
 * @param[out] coefficient with which the delta is there
 */
static double misfit(fitting *f, const dlg_predicted_rows *rows, size_t i, size_t v, double *coefficient)
{
    const dlg_head_gradient *m = f->m;
    const size_t H = m->H;
    double inverse = 0, added = 0;
    for (size_t k = 0; k < H; k++) f->delta[k] = (double)f->expected[i * H + k] - (double)f->decoder[v * H + k];
    dlg_head_pull_back(m->network, i, f->delta);
    double all2 = dlg_dot_of_doubles(H, f->delta, f->delta);
    const double across = f->is_smoothed ? dlg_dot_of_doubles(H, f->delta, f->whole_smooth) : 0;
    double off = dlg_take_out(m->rank, H, m->columns, f->delta, f->along);
    if (f->is_smoothed && f->smooth2 > 0) {
        added = -dlg_dot_of_doubles(H, f->delta, f->smooth) / f->smooth2;
        for (size_t k = 0; k < H; k++) f->delta[k] += added * f->smooth[k];
        off = sqrt(dlg_dot_of_doubles(H, f->delta, f->delta));
        all2 += 2 * added * across + added * added * dlg_dot_of_doubles(H, f->whole_smooth, f->whole_smooth);
    }
    for (size_t r = 0; r < m->rank; r++)
        inverse += (f->along[r] + added * f->along_smooth[r]) * m->weights[r * m->n_rows + rows->row[i]];
    *coefficient = inverse != 0 ? 1 / inverse : 0;
    const double smoothing = added / (1 + added);
    const bool is_possible = !f->is_smoothed || (smoothing > -dlg_tolerance_label() && smoothing < DLG_SMOOTHING_MOST);
    return all2 > 0 && f->sign * inverse > 0 && is_possible ? off / sqrt(all2) : INFINITY;
}

/* @return whether one label fits row i clearly */
static bool fit_label(fitting *f, dlg_predicted_rows *rows, size_t i, double *coefficient)
{
    double best = INFINITY, next = INFINITY;
    size_t tried[MOST_TRIED];
    if (f->is_smoothed) find_smooth(f, i);
    look(f, i);
    const size_t n = choose(f, i, tried);
    for (size_t j = 0; j < n; j++) {
        double its_coefficient;
        const double off = misfit(f, rows, i, tried[j], &its_coefficient);
        if (off < best) {
            next = best;
            best = off;
            rows->label[i] = tried[j];
            *coefficient = its_coefficient;
        } else if (off < next) {
            next = off;
        }
    }
    return best < dlg_tolerance_label() && next > clearly * best;
}

/* What one way of fitting finds. */
typedef struct {
    dlg_predicted_rows rows; /* labels and fits of its own */
    double *coefficient;     /* (n) */
    bool is_whole;           /* every row has its label */
} way;

static void fit_all(fitting *f, way *out, bool is_smoothed, double sign)
{
    f->is_smoothed = is_smoothed;
    f->sign = sign;
    out->is_whole = true;
    for (size_t i = 0; i < f->n; i++)
        out->is_whole &= out->rows.fits[i] = fit_label(f, &out->rows, i, &out->coefficient[i]);
}

static bool are_alike(size_t n, const double *coefficient)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, coefficient[i]);
        most = fmax(most, coefficient[i]);
    }
    return most - least <= alike * fmax(fabs(most), fabs(least));
}

/*
 * Plain labels, then smoothed ones, with either sign: the first way in which all rows have one, and where there is none
 * what the first finds. Of two classes one fits each row with either sign: the sign with which the rows weigh alike is
 * the right one.
 */
static dlg_status try_all(fitting *f, way *first, way *other, bool *is_other, dlg_error *err)
{
    fit_all(f, first, false, 1);
    const bool is_open = first->is_whole && f->V == 2 && f->n > 1 && !are_alike(f->n, first->coefficient);
    if (first->is_whole && !is_open) return DLG_OK;
    fit_all(f, other, false, -1);
    *is_other = other->is_whole && (!is_open || are_alike(f->n, other->coefficient));
    if (*is_other || first->is_whole) return DLG_OK;
    f->all_smooth = dlg_allocate(f->n * f->m->H, sizeof *f->all_smooth);
    const dlg_status status = f->all_smooth ? dlg_head_smooth(f->m, f->n, f->expected, f->all_smooth, err)
                                            : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (double sign = 1; !status && !*is_other && sign >= -1; sign -= 2) {
        fit_all(f, other, true, sign);
        *is_other = other->is_whole;
    }
    return status;
}

dlg_status dlg_row_labels_find(dlg_predicted_rows *out, const dlg_head_gradient *m, const dlg_real *expected,
                               dlg_error *err)
{
    const size_t n = out->n;
    fitting f = {.m = m, .n = n, .expected = expected};
    double *coefficient = dlg_allocate(2 * n, sizeof *coefficient);
    size_t *label = dlg_allocate(n, sizeof *label);
    bool *fits = dlg_allocate(n, sizeof *fits), is_other = false;
    way first = {.rows = *out, .coefficient = coefficient}, other = first;
    other.rows.label = label;
    other.rows.fits = fits;
    other.coefficient = coefficient + n;
    dlg_status status =
        coefficient && label && fits ? prepare(&f, err) : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    if (!status) status = try_all(&f, &first, &other, &is_other, err);
    if (!status && is_other) {
        memcpy(out->label, label, n * sizeof *label);
        memcpy(out->fits, fits, n * sizeof *fits);
    }
    release(&f);
    dlg_free(fits);
    dlg_free(label);
    dlg_free(coefficient);
    return status;
}
