#include "analytic/tokens/decoder_labels.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/coordinates.h"
#include "math/tolerance.h"

#include <math.h>

/* What the decoder's part is off by, as times what the middle row that shows it is. */
static const double times_misfit = 8;

/* Tokens looked at together. */
enum { BLOCK = 512 };

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
    for (size_t v = 0; v < V; v++) {
        n_below += bias[v] < 0;
        n_above += bias[v] > 0;
    }
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

double dlg_tied_decoder_at(const dlg_tied_decoder *d, uint32_t token)
{
    const size_t K = d->rank;
    double sum = 0;
    dlg_exponential_sum_at(&d->sum, d->x + token * K, (double)d->gradient->model->roles.decoder.bias->value[token],
                           d->q);
    for (size_t k = 0; k < K; k++) d->slope[k] = 0;
    for (size_t k = 0; k < K; k++) {
        sum += d->q[k];
        for (size_t j = 0; j < K; j++) d->slope[j] += d->q[k] * d->sum.rates[k * K + j];
    }
    return sum;
}

/* A predicted row weighs what its term is over the whole vocabulary. */
static dlg_status weigh(dlg_tied_decoder *d, dlg_error *err)
{
    const dlg_model *model = d->gradient->model;
    const size_t K = d->rank, V = model->config.vocabulary_size, H = model->config.hidden_size;
    const dlg_real *words = dlg_model_word_embeddings(model);
    dlg_real *block = dlg_allocate(BLOCK * K, sizeof *block);
    if (!block) return no_memory(err);
    for (size_t first = 0; first < V; first += BLOCK) {
        const size_t width = V - first < BLOCK ? V - first : BLOCK;
        for (size_t i = 0; i < width; i++) {
            (void)dlg_tied_decoder_at(d, (uint32_t)(first + i));
            for (size_t k = 0; k < K; k++) {
                d->weights[k] += d->q[k];
                block[i * K + k] = (dlg_real)d->q[k];
            }
        }
        dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, K, H, width, 1, block, K, words + first * H, H, 1, d->expected, H);
    }
    dlg_free(block);
    return DLG_OK;
}

static dlg_status fit(dlg_tied_decoder *d, size_t n, const uint32_t *looked_up, dlg_error *err)
{
    evidence e;
    dlg_status status = gather(&e, d, n, looked_up, err);
    if (!status && e.n > 2 * d->rank * (d->rank + 1))
        status = dlg_exponential_sum_fit(&d->sum,
                                         &(dlg_exponential_points){e.n, d->rank, e.x, e.offset, e.slope, e.value}, err);
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
                            .expected = dlg_allocate(rank * H, sizeof *d->expected),
                            .labels = dlg_allocate(rank, sizeof *d->labels),
                            .q = dlg_allocate(rank, sizeof *d->q),
                            .slope = dlg_allocate(rank, sizeof *d->slope)};
    dlg_status status = d->x && d->weights && d->expected && d->labels && d->q && d->slope ? DLG_OK : no_memory(err);
    if (!status) status = dlg_coordinates(V, H, dlg_model_word_embeddings(model), rank, basis, d->x, err);
    if (!status) status = fit(d, n, looked_up, err);
    const bool is_seen = !status && d->sum.rates && d->sum.misfit < dlg_tolerance_tied_row(gradient->roundoff);
    if (is_seen) status = weigh(d, err);
    if (is_seen && !status) status = dlg_decoder_labels_find(d, n, looked_up, err);
    if (is_seen && !status) *out = d;
    else dlg_tied_decoder_free(d);
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

/* Give the row back what was taken for n labels. @return the norm of what that is off by */
static double restore_labels(const dlg_tied_decoder *d, uint32_t token, size_t n, double *row)
{
    double off = 0;
    for (size_t k = 0; k < d->rank; k++) {
        if (d->labels[k] != token) continue;
        take_from(d, -d->sign * d->weights[k], d->sum.rates + k * d->rank, row);
        off += d->weights[k] * d->sum.off[k];
        n--;
    }
    return n ? INFINITY : off;
}

double dlg_tied_decoder_take_out(const dlg_tied_decoder *d, uint32_t token, double *row)
{
    const size_t K = d->rank, H = d->gradient->model->config.hidden_size;
    const size_t n_labels = dlg_decoder_labels_count(d, token, dlg_tied_decoder_at(d, token));
    const double of_terms = d->sum.misfit * sqrt(dlg_dot_of_doubles(K, d->slope, d->slope));
    take_from(d, d->sign, d->slope, row);
    const double of_labels = n_labels ? restore_labels(d, token, n_labels, row) : 0;
    /* Its sum tells what the row is off by in one direction of H. */
    return of_labels + times_misfit * fmax(of_terms, fabs(sum_of(H, row)) / sqrt((double)H));
}

void dlg_tied_decoder_free(dlg_tied_decoder *d)
{
    if (!d) return;
    dlg_exponential_sum_release(&d->sum);
    dlg_free(d->x);
    dlg_free(d->weights);
    dlg_free(d->expected);
    dlg_free(d->labels);
    dlg_free(d->q);
    dlg_free(d->slope);
    dlg_free(d);
}
