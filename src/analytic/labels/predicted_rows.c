#include "analytic/labels/predicted_rows.h"

#include "base/memory.h"
#include "math/rank.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/svd.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_OUTSIDE = 8, /* directions outside of the column space: with fewer nothing can be told apart */
    PROBES = 16,       /* of them, by which all labels are compared */
    MOST_TRIED = 8     /* labels of a row that are looked at closely */
};

/* A row of the encoder lies in the row space when no larger part of it lies outside; others leave a tenth and more. */
static const double inside = 1e-2;

/* The column space is as large as the rank already: no direction of it is left out. */
static const double smallest = 1e-12;

/* A label fits when no larger part of its delta lies outside; its rival must leave so many times as much. */
static const double fits = 1e-3, clearly = 4;

typedef struct {
    const dlg_gradient *gradient;
    const dlg_real *head; /* G (H, H) */
    dlg_forward *forward;
    const dlg_forward_text *text;
    size_t H, n_rows;
    const dlg_network *network; /* the text has gone through it */
    size_t rank;
    const double *columns; /* (rank, H) orthonormal basis of G's column space */
    double *weights;       /* (rank, batch rows) G^T columns^T weights = the encoder's rows, as nearly as can be */
} problem;

static dlg_status no_memory(dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
}

/* The forward pass, with these rows going through the head. */
static dlg_status run(problem *m, size_t n, const size_t *rows, dlg_error *err)
{
    dlg_forward_text text = *m->text;
    text.n_predicted = n;
    text.predicted = rows;
    return dlg_forward_run(&m->network, m->forward, &text, err);
}

/* ---- rows ---- */

/* image (H, rank) = G^T columns^T */
static void turn(const problem *m, double *image)
{
    const size_t H = m->H, R = m->rank;
    memset(image, 0, H * R * sizeof *image);
    for (size_t i = 0; i < H; i++)
        for (size_t k = 0; k < H; k++)
            for (size_t r = 0; r < R; r++) image[k * R + r] += (double)m->head[i * H + k] * m->columns[r * H + i];
}

/* Squared part of row i of the encoder that its weights leave. */
static double outside2(const problem *m, const double *image, size_t i)
{
    const dlg_real *row = m->network->encoded->x + i * m->H;
    double all = 0, left = 0;
    for (size_t k = 0; k < m->H; k++) {
        double off = (double)row[k];
        all += off * off;
        for (size_t r = 0; r < m->rank; r++) off -= image[k * m->rank + r] * m->weights[r * m->n_rows + i];
        left += off * off;
    }
    return all > 0 ? left / all : 1;
}

/* The rows of the encoder that lie in the row space of G. */
static dlg_status find_rows(problem *m, dlg_predicted_rows *out, dlg_error *err)
{
    const size_t H = m->H, n = m->n_rows;
    double *image = dlg_allocate(H * m->rank, sizeof *image), *rows = dlg_allocate(H * n, sizeof *rows);
    m->weights = dlg_allocate(m->rank * n, sizeof *m->weights);
    dlg_status status = image && rows && m->weights ? DLG_OK : no_memory(err);
    for (size_t i = 0; !status && i < n; i++)
        for (size_t k = 0; k < H; k++) rows[k * n + i] = (double)m->network->encoded->x[i * H + k];
    if (!status) {
        turn(m, image);
        status = dlg_least_squares(H, m->rank, n, image, rows, smallest, m->weights, err);
    }
    const bool is_mlm = m->gradient->model->config.task == DLG_MASKED_LM;
    for (size_t i = 0; !status && is_mlm && i < n; i++)
        if (outside2(m, image, i) < inside * inside) out->row[out->n++] = i;
    for (size_t b = 0, first = 0; !status && !is_mlm && b < m->text->n_sentences; first += m->text->lengths[b++])
        out->row[out->n++] = first;
    dlg_free(rows);
    dlg_free(image);
    return status;
}

/* ---- between u and the decoder ---- */

/* d (H) := what layer norm and scale make of it, without gamma: symmetric */
static void normalise(const problem *m, size_t i, double *d)
{
    const size_t H = m->H;
    const dlg_layernorm *norm = m->network->norm;
    double mean = 0, along = 0;
    for (size_t k = 0; norm && k < H; k++) {
        mean += d[k] / (double)H;
        along += d[k] * (double)norm->xhat[i * H + k] / (double)H;
    }
    for (size_t k = 0; norm && k < H; k++)
        d[k] = (double)norm->rstd[i] * (d[k] - mean - along * (double)norm->xhat[i * H + k]);
}

static void scale_by_gamma(const problem *m, double *d)
{
    const dlg_layernorm *norm = m->network->norm;
    for (size_t k = 0; norm && k < m->H; k++) d[k] *= (double)norm->gamma.value[k];
}

static void scale_by_slope(const problem *m, size_t i, double *d)
{
    for (size_t k = 0; k < m->H; k++) d[k] *= (double)m->network->activation->first[i * m->H + k];
}

/* d (H) := J d: back through layer norm and activation of predicted row i */
static void pull_back(const problem *m, size_t i, double *d)
{
    scale_by_gamma(m, d);
    normalise(m, i, d);
    scale_by_slope(m, i, d);
}

/* d (H) := J^T d */
static void push_forward(const problem *m, size_t i, double *d)
{
    scale_by_slope(m, i, d);
    normalise(m, i, d);
    scale_by_gamma(m, d);
}

/* ---- labels ---- */

typedef struct {
    const dlg_real *decoder; /* (V, H) */
    size_t V;
    dlg_real *expected;    /* (n, H) E^T p */
    double *probes;        /* (PROBES, H) directions outside of the column space */
    dlg_real *turned;      /* (PROBES, H) J^T of them */
    dlg_real *seen;        /* (V, PROBES) of every label's embedding */
    double *delta, *along; /* (H), (rank) */
} fitting;

static void release(fitting *f)
{
    dlg_free(f->along);
    dlg_free(f->delta);
    dlg_free(f->seen);
    dlg_free(f->turned);
    dlg_free(f->probes);
    dlg_free(f->expected);
}

static dlg_status prepare(fitting *f, const problem *m, size_t n, dlg_error *err)
{
    const dlg_value *p = m->network->loss->logits;
    const size_t H = m->H;
    f->decoder = m->gradient->model->roles.decoder.weight->value;
    f->V = p->n_cols;
    f->expected = dlg_allocate(n * H, sizeof *f->expected);
    f->probes = dlg_allocate(PROBES * H, sizeof *f->probes);
    f->turned = dlg_allocate(PROBES * H, sizeof *f->turned);
    f->seen = dlg_allocate(f->V * PROBES, sizeof *f->seen);
    f->delta = dlg_allocate(H, sizeof *f->delta);
    f->along = dlg_allocate(m->rank, sizeof *f->along);
    if (!f->expected || !f->probes || !f->turned || !f->seen || !f->delta || !f->along) return no_memory(err);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, H, f->V, 1, p->x, f->V, f->decoder, H, 0, f->expected, H);
    dlg_random_normal_fill(f->turned, PROBES * H, 1, 0, dlg_random_stream("labels"));
    for (size_t i = 0; i < PROBES * H; i++) f->probes[i] = (double)f->turned[i];
    for (size_t i = 0; i < PROBES; i++) dlg_take_out(m->rank, H, m->columns, f->probes + i * H, f->along);
    return DLG_OK;
}

/* What the probes see of every label. */
static void look(const problem *m, fitting *f, size_t i)
{
    const size_t H = m->H;
    for (size_t j = 0; j < PROBES; j++) {
        memcpy(f->delta, f->probes + j * H, H * sizeof *f->delta);
        push_forward(m, i, f->delta);
        for (size_t k = 0; k < H; k++) f->turned[j * H + k] = (dlg_real)f->delta[k];
    }
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, f->V, PROBES, H, 1, f->decoder, H, f->turned, H, 0, f->seen, PROBES);
}

/* tried := the labels of which the probes see least outside. @return how many */
static size_t choose(const problem *m, const fitting *f, size_t i, size_t tried[MOST_TRIED])
{
    double wanted[PROBES], outside[MOST_TRIED];
    size_t n = 0;
    for (size_t j = 0; j < PROBES; j++) wanted[j] = (double)dlg_dot(m->H, f->turned + j * m->H, f->expected + i * m->H);
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

/* How much of the delta that label v would make lies outside, as a part of it; infinite where it points the wrong
 * way. */
static double misfit(const problem *m, fitting *f, const dlg_predicted_rows *rows, size_t i, size_t v)
{
    const size_t H = m->H;
    double all2 = 0, sign = 0;
    for (size_t k = 0; k < H; k++) f->delta[k] = (double)f->expected[i * H + k] - (double)f->decoder[v * H + k];
    pull_back(m, i, f->delta);
    for (size_t k = 0; k < H; k++) all2 += f->delta[k] * f->delta[k];
    const double off = dlg_take_out(m->rank, H, m->columns, f->delta, f->along);
    for (size_t r = 0; r < m->rank; r++) sign += f->along[r] * m->weights[r * m->n_rows + rows->row[i]];
    return all2 > 0 && sign > 0 ? off / sqrt(all2) : INFINITY;
}

/* @return whether one label fits row i clearly */
static bool fit_label(const problem *m, fitting *f, dlg_predicted_rows *rows, size_t i)
{
    double best = INFINITY, next = INFINITY;
    size_t tried[MOST_TRIED];
    look(m, f, i);
    const size_t n = choose(m, f, i, tried);
    for (size_t j = 0; j < n; j++) {
        const double off = misfit(m, f, rows, i, tried[j]);
        if (off < best) {
            next = best;
            best = off;
            rows->label[i] = tried[j];
        } else if (off < next) {
            next = off;
        }
    }
    return best < fits && next > clearly * best;
}

static dlg_status find_labels(problem *m, dlg_predicted_rows *rows, dlg_error *err)
{
    fitting f = {0};
    size_t n_clear = 0;
    const dlg_status status = prepare(&f, m, rows->n, err);
    for (size_t i = 0; !status && i < rows->n; i++) n_clear += rows->fits[i] = fit_label(m, &f, rows, i);
    rows->is_clear = !status && n_clear == rows->n && rows->n >= m->rank;
    release(&f);
    return status;
}

/* ---- both ---- */

/* Whether the rows that went through the head are those that were predicted. */
static bool went_through(const problem *m, const dlg_predicted_rows *found)
{
    const dlg_batch *batch = &m->network->batch;
    return batch->n_predicted == found->n && !memcmp(batch->predicted, found->row, found->n * sizeof *found->row);
}

static dlg_status find(problem *m, dlg_predicted_rows *out, dlg_error *err)
{
    out->row = dlg_allocate(m->n_rows, sizeof *out->row);
    out->label = dlg_allocate(m->n_rows, sizeof *out->label);
    out->fits = dlg_allocate(m->n_rows, sizeof *out->fits);
    dlg_status status = out->row && out->label && out->fits ? DLG_OK : no_memory(err);
    if (status || !m->rank || m->rank + LEAST_OUTSIDE > m->H) return status;
    out->rank = m->rank;
    static const size_t any = 0; /* what the encoder makes of the rows does not depend on it */
    status = m->text->n_predicted ? run(m, m->text->n_predicted, m->text->predicted, err) : run(m, 1, &any, err);
    if (!status) status = find_rows(m, out, err);
    if (status || !out->n) return status;
    if (!went_through(m, out)) status = run(m, out->n, out->row, err);
    return status ? status : find_labels(m, out, err);
}

dlg_status dlg_predicted_rows_find(dlg_predicted_rows *out, const dlg_gradient *gradient, const dlg_spectrum *head,
                                   dlg_forward *forward, const dlg_forward_text *text, dlg_error *err)
{
    problem m = {.gradient = gradient,
                 .head = dlg_gradient_at(gradient, gradient->model->roles.head.weight),
                 .forward = forward,
                 .text = text,
                 .H = gradient->model->config.hidden_size,
                 .rank = dlg_rank_visible(head->n, head->values),
                 .columns = head->vectors};
    for (size_t b = 0; b < text->n_sentences; b++) m.n_rows += text->lengths[b];
    *out = (dlg_predicted_rows){0};
    const dlg_status status = find(&m, out, err);
    dlg_free(m.weights);
    if (status) dlg_predicted_rows_release(out);
    return status;
}

void dlg_predicted_rows_release(dlg_predicted_rows *rows)
{
    dlg_free(rows->row);
    dlg_free(rows->label);
    dlg_free(rows->fits);
    *rows = (dlg_predicted_rows){0};
}
