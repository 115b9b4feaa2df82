#include "analytic/tokens/tied_decoder.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/coordinates.h"
#include "math/exponential_sum.h"
#include "math/tolerance.h"

#include <math.h>

/* What the decoder's part is off by, as times what the middle row that shows it is. */
static const double times_misfit = 8;

/* A bias' entry that lacks a smaller part of a label's weight lacks none. */
static const double no_label = 1e-3;

struct dlg_tied_decoder {
    const dlg_gradient *gradient;
    const double *basis;
    size_t rank;
    double sign;   /* of the factor by which the gradient is multiplied */
    double weight; /* of one label, the lightest */
    double *x;     /* (V, rank) the vocabulary's embeddings in the basis */
    dlg_exponential_sum sum;
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

/* What the lightest label weighs: its term over the whole vocabulary. */
static void weigh(dlg_tied_decoder *d)
{
    const dlg_model *model = d->gradient->model;
    double *all = d->slope;
    for (size_t k = 0; k < d->rank; k++) all[k] = 0;
    for (size_t v = 0; v < model->config.vocabulary_size; v++) {
        dlg_exponential_sum_at(&d->sum, d->x + v * d->rank, (double)model->roles.decoder.bias->value[v], d->q);
        for (size_t k = 0; k < d->rank; k++) all[k] += d->q[k];
    }
    d->weight = INFINITY;
    for (size_t k = 0; k < d->rank; k++) d->weight = fmin(d->weight, all[k]);
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
                            .q = dlg_allocate(rank, sizeof *d->q),
                            .slope = dlg_allocate(rank, sizeof *d->slope)};
    dlg_status status = d->x && d->q && d->slope ? DLG_OK : no_memory(err);
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

double dlg_tied_decoder_take_out(const dlg_tied_decoder *d, uint32_t token, double *row)
{
    const dlg_model *model = d->gradient->model;
    const size_t K = d->rank, H = model->config.hidden_size;
    const double bias = d->sign * (double)dlg_gradient_at(d->gradient, model->roles.decoder.bias)[token];
    double value = 0, norm2 = 0, sum = 0;
    dlg_exponential_sum_at(&d->sum, d->x + token * K, (double)model->roles.decoder.bias->value[token], d->q);
    for (size_t k = 0; k < K; k++) d->slope[k] = 0;
    for (size_t k = 0; k < K; k++) {
        value += d->q[k];
        for (size_t j = 0; j < K; j++) d->slope[j] += d->q[k] * d->sum.rates[k * K + j];
    }
    for (size_t k = 0; k < K; k++) {
        norm2 += d->slope[k] * d->slope[k];
        for (size_t i = 0; i < H; i++) row[i] -= d->sign * d->slope[k] * d->basis[k * H + i];
    }
    if (fabs(value - bias) > no_label * d->weight) return INFINITY;
    /* What the layer norm hands back sums to zero: what its sum is off by is one part in H of what it is off by. */
    for (size_t i = 0; i < H; i++) sum += row[i];
    return times_misfit * fmax(d->sum.misfit * sqrt(norm2), fabs(sum) / sqrt((double)H));
}

void dlg_tied_decoder_free(dlg_tied_decoder *d)
{
    if (!d) return;
    dlg_exponential_sum_release(&d->sum);
    dlg_free(d->x);
    dlg_free(d->q);
    dlg_free(d->slope);
    dlg_free(d);
}
