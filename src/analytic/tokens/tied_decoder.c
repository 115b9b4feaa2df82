#include "analytic/tokens/tied_decoder.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/coordinates.h"
#include "math/exponential_sum.h"
#include "math/tolerance.h"

#include <math.h>

/* What the decoder's part is off by, as times what the middle row that shows it is. */
static const double times_misfit = 8;

/* A bias' entry lacks a whole number of labels' weights but for a smaller part. */
static const double whole = 1e-3;

/* A row sums to zero when its sum is within this part of its norm; of two labels that might be its own one does, and the
 * other is so many times as far from it. */
static const double rounding = 1e-7, clearly = 100;

/* A token that is a label more often than this is not looked into. */
enum { LABELS_MOST = 3 };

struct dlg_tied_decoder {
    const dlg_gradient *gradient;
    const double *basis;
    size_t rank;
    double sign;   /* of the factor by which the gradient is multiplied */
    double *x;     /* (V, rank) the vocabulary's embeddings in the basis */
    dlg_exponential_sum sum;
    double *weights;   /* (rank) of the predicted rows */
    double *sums;      /* (rank) of the numbers of each h */
    double *q, *slope; /* (rank) scratch */
};

/* What shows the sum: the rows of tokens that were not looked up. */
typedef struct {
    size_t n;
    double *x, *offset, *slope, *value;
} evidence;

static void release(evidence *e)
{
    dlg_free(e->x);
    dlg_free(e->offset);
    dlg_free(e->slope);
    dlg_free(e->value);
}

static dlg_status no_memory(dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "tied decoder: no memory");
}

/* Of a mean loss few entries of the bias' gradient, the labels', are below zero. */
static double find_sign(size_t V, const dlg_real *bias)
{
    size_t n_below = 0, n_above = 0;
    for (size_t v = 0; v < V; v++) n_below += bias[v] < 0, n_above += bias[v] > 0;
    return n_below > n_above ? -1 : 1;
}

static dlg_status gather(evidence *e, dlg_tied_decoder *d, size_t n, const uint32_t *looked_up, dlg_error *err)
{
    const dlg_model *model = d->gradient->model;
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size, K = d->rank;
    const dlg_real *rows = dlg_gradient_at(d->gradient, model->roles.words);
    const dlg_real *bias = dlg_gradient_at(d->gradient, model->roles.decoder.bias);
    *e = (evidence){0, dlg_allocate(V * K, sizeof *e->x), dlg_allocate(V, sizeof *e->offset),
                    dlg_allocate(V * K, sizeof *e->slope), dlg_allocate(V, sizeof *e->value)};
    if (!e->x || !e->offset || !e->slope || !e->value) return no_memory(err);
    const dlg_status status = dlg_coordinates(V, H, rows, K, d->basis, e->slope, err);
    for (size_t v = 0, i = 0; v < V && !status; v++) {
        while (i < n && looked_up[i] < v) i++;
        if ((i < n && looked_up[i] == v) || bias[v] == 0) continue;
        double size2 = 0;
        for (size_t k = 0; k < K; k++) {
            e->x[e->n * K + k] = d->x[v * K + k];
            e->slope[e->n * K + k] = d->sign * e->slope[v * K + k];
            size2 += e->slope[e->n * K + k] * e->slope[e->n * K + k];
        }
        e->offset[e->n] = (double)model->roles.decoder.bias->value[v];
        e->value[e->n] = d->sign * (double)bias[v];
        e->n += size2 > 0;
    }
    return status;
}

/* A predicted row weighs what its term is over the whole vocabulary. */
static void weigh(dlg_tied_decoder *d)
{
    const dlg_model *model = d->gradient->model;
    const size_t K = d->rank, H = model->config.hidden_size;
    for (size_t v = 0; v < model->config.vocabulary_size; v++) {
        dlg_exponential_sum_at(&d->sum, d->x + v * K, (double)model->roles.decoder.bias->value[v], d->q);
        for (size_t k = 0; k < K; k++) d->weights[k] += d->q[k];
    }
    for (size_t j = 0; j < K; j++) {
        double sum = 0;
        for (size_t i = 0; i < H; i++) sum += d->basis[j * H + i];
        for (size_t k = 0; k < K; k++) d->sums[k] += d->sum.rates[k * K + j] * sum;
    }
}

static dlg_status fit(dlg_tied_decoder *d, size_t n, const uint32_t *looked_up, dlg_error *err)
{
    evidence e;
    dlg_status status = gather(&e, d, n, looked_up, err);
    if (!status && e.n > 2 * d->rank * (d->rank + 1))
        status = dlg_exponential_sum_fit(
            &d->sum, &(dlg_exponential_points){e.n, d->rank, e.x, e.offset, e.slope, e.value}, err);
    release(&e);
    return status;
}

dlg_status dlg_tied_decoder_find(dlg_tied_decoder **out, const dlg_gradient *gradient, size_t rank, const double *basis,
                                 size_t n, const uint32_t *looked_up, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const dlg_real *bias = dlg_gradient_at(gradient, model->roles.decoder.bias);
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    *out = NULL;
    if (!bias || !rank || rank > DLG_EXPONENTIAL_TERMS_MOST) return DLG_OK;
    dlg_tied_decoder *d = dlg_allocate(1, sizeof *d);
    if (!d) return no_memory(err);
    *d = (dlg_tied_decoder){.gradient = gradient,
                            .basis = basis,
                            .rank = rank,
                            .sign = find_sign(V, bias),
                            .x = dlg_allocate(V * rank, sizeof *d->x),
                            .sum = {.misfit = INFINITY},
                            .weights = dlg_allocate(rank, sizeof *d->weights),
                            .sums = dlg_allocate(rank, sizeof *d->sums),
                            .q = dlg_allocate(rank, sizeof *d->q),
                            .slope = dlg_allocate(rank, sizeof *d->slope)};
    dlg_status status = d->x && d->weights && d->sums && d->q && d->slope ? DLG_OK : no_memory(err);
    if (!status) status = dlg_coordinates(V, H, dlg_model_word_embeddings(model), rank, basis, d->x, err);
    if (!status) status = fit(d, n, looked_up, err);
    const bool is_seen = !status && d->sum.rates && d->sum.misfit < dlg_tolerance_word_row(gradient->roundoff);
    if (is_seen) {
        weigh(d);
        *out = d;
    } else {
        dlg_tied_decoder_free(d);
    }
    return status;
}

/* row -= factor times what is at those coordinates */
static void take_from(const dlg_tied_decoder *d, double factor, const double *along, double *row)
{
    const size_t H = d->gradient->model->config.hidden_size;
    for (size_t k = 0; k < d->rank; k++)
        for (size_t i = 0; i < H; i++) row[i] -= factor * along[k] * d->basis[k * H + i];
}

static double sum_of(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* ---- labels ---- */

/* Which predicted rows have the token for their label: a choice of n of them, ascending. */
typedef struct {
    size_t n, of[LABELS_MOST];
} choice;

/* @return false after the last one */
static bool next_choice(choice *c, size_t n_rows)
{
    size_t i = c->n;
    while (i > 0 && c->of[i - 1] == n_rows - (c->n - (i - 1))) i--;
    if (!i) return false;
    c->of[i - 1]++;
    for (; i < c->n; i++) c->of[i] = c->of[i - 1] + 1;
    return true;
}

/* The choice whose h bring the row's sum to zero. @return whether one does, and clearly */
static bool find_choice(const dlg_tied_decoder *d, size_t n, double sum, double zero, choice *best)
{
    double least = INFINITY, next = INFINITY;
    choice c = {n, {0}};
    for (size_t i = 0; i < n; i++) c.of[i] = i;
    do {
        double off = d->sign * sum;
        for (size_t i = 0; i < n; i++) off += d->weights[c.of[i]] * d->sums[c.of[i]];
        off = fabs(off);
        if (off < least) next = least, least = off, *best = c;
        else next = fmin(next, off);
    } while (next_choice(&c, d->rank));
    return least < zero && next > clearly * zero;
}

/* How often the token is a label; SIZE_MAX where the entry of the bias is no whole number of labels. */
static size_t count_labels(const dlg_tied_decoder *d, double lacks)
{
    const double mean = sum_of(d->rank, d->weights) / (double)d->rank, n = round(lacks / mean);
    return n >= 0 && n <= (double)d->rank && fabs(lacks - n * mean) < whole * mean ? (size_t)n : SIZE_MAX;
}

/* Give the row back what was taken for its labels. @return the norm of what that is off by */
static double restore_labels(const dlg_tied_decoder *d, size_t n, double *row)
{
    const size_t H = d->gradient->model->config.hidden_size;
    const double zero = rounding * sqrt((double)H * dlg_dot_of_doubles(H, row, row));
    double off = 0;
    choice found;
    if (n > LABELS_MOST || n > d->rank || !find_choice(d, n, sum_of(H, row), zero, &found)) return INFINITY;
    for (size_t i = 0; i < n; i++) {
        const size_t k = found.of[i];
        take_from(d, -d->sign * d->weights[k], d->sum.rates + k * d->rank, row);
        off += d->weights[k] * d->sum.off[k];
    }
    return off;
}

double dlg_tied_decoder_take_out(const dlg_tied_decoder *d, uint32_t token, double *row)
{
    const dlg_model *model = d->gradient->model;
    const size_t K = d->rank, H = model->config.hidden_size;
    const double bias = d->sign * (double)dlg_gradient_at(d->gradient, model->roles.decoder.bias)[token];
    dlg_exponential_sum_at(&d->sum, d->x + token * K, (double)model->roles.decoder.bias->value[token], d->q);
    for (size_t k = 0; k < K; k++) d->slope[k] = 0;
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < K; j++) d->slope[j] += d->q[k] * d->sum.rates[k * K + j];
    take_from(d, d->sign, d->slope, row);
    const size_t n_labels = count_labels(d, sum_of(K, d->q) - bias);
    const double of_labels = n_labels ? restore_labels(d, n_labels, row) : 0;
    const double of_terms = d->sum.misfit * sqrt(dlg_dot_of_doubles(K, d->slope, d->slope));
    /* Its sum tells what the row is off by in one direction of H. */
    return of_labels + times_misfit * fmax(of_terms, fabs(sum_of(H, row)) / sqrt((double)H));
}

void dlg_tied_decoder_free(dlg_tied_decoder *d)
{
    if (!d) return;
    dlg_exponential_sum_release(&d->sum);
    dlg_free(d->x);
    dlg_free(d->weights);
    dlg_free(d->sums);
    dlg_free(d->q);
    dlg_free(d->slope);
    dlg_free(d);
}
