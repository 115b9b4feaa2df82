#include "leak/predicted_rows.h"

#include "base/memory.h"
#include "leak/rank.h"
#include "math/blas.h"
#include "math/svd.h"

#include <math.h>
#include <string.h>

/* A row of the encoder lies in the row space when no larger part of it lies outside; others leave a tenth and more. */
static const double inside = 1e-2;

/* Directions of the rows so far below the largest are equal rows' rounding. */
static const double equal_rows = 1e-7;

/* A count is whole when it is so near to it. */
static const double whole = 0.05;

/* A label fits when no larger part of delta is left; its rival must leave so many times as much. */
static const double fits = 1e-2, clearly = 4;

typedef struct {
    const dlg_gradient *gradient;
    const uint32_t *fed;
    size_t H;
    dlg_batch batch;
    dlg_network network; /* run forward, with batch.predicted as predicted rows */
    double *delta;       /* (n, H) of the rows found */
} problem;

/* ---- rows ---- */

/* The forward pass, with these rows going through the head. */
static dlg_status run(problem *m, size_t n, const size_t *rows, dlg_error *err)
{
    const dlg_real *table = dlg_model_word_embeddings(m->gradient->model);
    dlg_network_release(&m->network);
    dlg_status status = dlg_batch_predict(&m->batch, n, rows, err);
    if (!status) status = dlg_network_create(&m->network, m->gradient->model, &m->batch, 0, err);
    if (status) return status;
    for (size_t i = 0; i < m->batch.n_rows; i++)
        memcpy(m->network.words->x + i * m->H, table + m->fed[i] * m->H, m->H * sizeof *table);
    dlg_tape_forward(&m->network.tape);
    return DLG_OK;
}

/* Squared part of a row that lies outside of the orthonormal basis (rank, H). */
static double outside2(size_t H, const dlg_real *row, size_t rank, const double *basis)
{
    double all = 0, within = 0;
    for (size_t k = 0; k < H; k++) all += (double)row[k] * (double)row[k];
    for (size_t r = 0; r < rank; r++) {
        double along = 0;
        for (size_t k = 0; k < H; k++) along += basis[r * H + k] * (double)row[k];
        within += along * along;
    }
    return all > 0 ? 1 - within / all : 1;
}

/* The rows of the encoder that lie in the row space of g. */
static dlg_status find_rows(problem *m, const dlg_real *g, dlg_predicted_rows *out, dlg_error *err)
{
    const size_t H = m->H;
    size_t rank = H;
    if (m->gradient->model->config.task == DLG_SEQUENCE_CLASSIFICATION) {
        for (size_t b = 0; b < m->batch.n_sentences; b++) out->row[out->n++] = m->batch.first[b];
        return DLG_OK;
    }
    double *basis = dlg_allocate(H * H, sizeof *basis);
    if (!basis) return dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
    const dlg_status status = dlg_rank_space(&rank, basis, &(dlg_stack){1, H, {g}, {H}}, err);
    for (size_t i = 0; !status && rank < H && i < m->batch.n_rows; i++)
        if (outside2(H, m->network.encoded->x + i * H, rank, basis) < inside * inside) out->row[out->n++] = i;
    dlg_free(basis);
    return status;
}

/* delta of the rows found: h^T (H, n) delta = g^T (H, H) */
static dlg_status solve(problem *m, const dlg_real *g, const dlg_predicted_rows *rows, dlg_error *err)
{
    const size_t H = m->H, n = rows->n;
    double *columns = dlg_allocate(H * n, sizeof *columns), *turned = dlg_allocate(H * H, sizeof *turned);
    m->delta = dlg_allocate(n * H, sizeof *m->delta);
    dlg_status status = columns && turned && m->delta ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
    for (size_t i = 0; !status && i < n; i++)
        for (size_t k = 0; k < H; k++) columns[k * n + i] = (double)m->network.encoded->x[rows->row[i] * H + k];
    for (size_t i = 0; !status && i < H; i++)
        for (size_t k = 0; k < H; k++) turned[k * H + i] = (double)g[i * H + k];
    if (!status) status = dlg_least_squares(H, n, H, columns, turned, equal_rows, m->delta, err);
    dlg_free(turned);
    dlg_free(columns);
    return status;
}

/* ---- labels ---- */

/* label (n) := those that are left of the predictions in the decoder's bias. @return whether they are n, and all counts whole */
static bool count_labels(const problem *m, size_t n, size_t *label)
{
    const dlg_config *config = &m->gradient->model->config;
    const char *name = config->task == DLG_SEQUENCE_CLASSIFICATION ? "classifier.bias"
                       : config->tied_decoder                      ? "cls.predictions.bias"
                                                                   : "cls.predictions.decoder.bias";
    const dlg_real *g = dlg_gradient_of(m->gradient, name);
    const dlg_value *p = m->network.loss->logits;
    size_t n_labels = 0;
    for (size_t v = 0; v < p->n_cols; v++) {
        double exact = -(double)n * (double)g[v];
        for (size_t i = 0; i < n; i++) exact += (double)p->x[i * p->n_cols + v];
        const double count = round(exact);
        if (fabs(exact - count) > whole || count < 0 || count > (double)(n - n_labels)) return false;
        for (size_t k = (size_t)count; k > 0; k--) label[n_labels++] = v;
    }
    return n_labels == n;
}

/* d (H) := J d: back through layer norm and activation of predicted row i */
static void pull_back(const problem *m, size_t i, double *d)
{
    const size_t H = m->H;
    const dlg_layernorm *norm = m->network.norm;
    double mean = 0, along = 0;
    for (size_t k = 0; norm && k < H; k++) {
        d[k] *= (double)norm->gamma.value[k];
        mean += d[k] / (double)H;
        along += d[k] * (double)norm->xhat[i * H + k] / (double)H;
    }
    for (size_t k = 0; norm && k < H; k++) d[k] = (double)norm->rstd[i] * (d[k] - mean - along * (double)norm->xhat[i * H + k]);
    for (size_t k = 0; k < H; k++) d[k] *= (double)m->network.activation->first[i * H + k];
}

/* Scratch: what the label has to be, and what one would be, both behind J. */
typedef struct {
    dlg_real *expected; /* (n, H) E^T p */
    double *wanted, *found;
} fitting;

/* How far label v is from making row i's delta, as a part of it. */
static double misfit(const problem *m, const fitting *f, size_t n, size_t i, const dlg_real *decoder, size_t v)
{
    const size_t H = m->H;
    double off2 = 0, all2 = 0;
    for (size_t k = 0; k < H; k++) f->found[k] = (double)decoder[v * H + k];
    pull_back(m, i, f->found);
    for (size_t k = 0; k < H; k++) {
        const double delta = (double)n * m->delta[i * H + k], off = f->wanted[k] - f->found[k];
        off2 += off * off;
        all2 += delta * delta;
    }
    return all2 > 0 ? sqrt(off2 / all2) : INFINITY;
}

/* label[i] := the one of `counted` (n, equal ones side by side) that fits row i. @return whether one fits clearly */
static bool fit_label(const problem *m, const fitting *f, size_t n, size_t i, const dlg_real *decoder, const size_t *counted, size_t *label)
{
    const size_t H = m->H;
    double best = INFINITY, next = INFINITY;
    for (size_t k = 0; k < H; k++) f->wanted[k] = (double)f->expected[i * H + k];
    pull_back(m, i, f->wanted);
    for (size_t k = 0; k < H; k++) f->wanted[k] -= (double)n * m->delta[i * H + k];
    for (size_t j = 0; j < n; j++) {
        if (j && counted[j] == counted[j - 1]) continue;
        const double off = misfit(m, f, n, i, decoder, counted[j]);
        if (off < best) {
            next = best;
            best = off;
            label[i] = counted[j];
        } else if (off < next) {
            next = off;
        }
    }
    return best < fits && next > clearly * best;
}

/* Every row's label; each must be taken as often as it was counted. @return whether all of it is so */
static bool fit_labels(const problem *m, const fitting *f, size_t n, size_t *counted, size_t *label)
{
    const dlg_config *config = &m->gradient->model->config;
    const char *name = config->task == DLG_SEQUENCE_CLASSIFICATION ? "classifier.weight" : "cls.predictions.decoder.weight";
    const bool is_tied = config->task == DLG_MASKED_LM && config->tied_decoder;
    const dlg_real *decoder = is_tied ? dlg_model_word_embeddings(m->gradient->model)
                                      : dlg_model_parameter(m->gradient->model, name)->value;
    const dlg_value *p = m->network.loss->logits;
    size_t n_left = n;
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, m->H, p->n_cols, 1, p->x, p->n_cols, decoder, m->H, 0, f->expected, m->H);
    for (size_t i = 0; i < n; i++)
        if (!fit_label(m, f, n, i, decoder, counted, label)) return false;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < n_left && counted[j] != label[i]) j++;
        if (j == n_left) return false;
        counted[j] = counted[--n_left];
    }
    return true;
}

static dlg_status find_labels(problem *m, dlg_predicted_rows *rows, dlg_error *err)
{
    const size_t n = rows->n;
    size_t *counted = dlg_allocate(n, sizeof *counted);
    const fitting f = {dlg_allocate(n * m->H, sizeof *f.expected), dlg_allocate(m->H, sizeof *f.wanted),
                       dlg_allocate(m->H, sizeof *f.found)};
    dlg_status status = DLG_OK;
    if (!counted || !f.expected || !f.wanted || !f.found) status = dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
    else rows->is_clear = count_labels(m, n, counted) && fit_labels(m, &f, n, counted, rows->label);
    dlg_free(f.found);
    dlg_free(f.wanted);
    dlg_free(f.expected);
    dlg_free(counted);
    return status;
}

/* ---- both ---- */

static dlg_status find(problem *m, dlg_predicted_rows *out, dlg_error *err)
{
    const size_t H = m->H;
    const bool is_mlm = m->gradient->model->config.task == DLG_MASKED_LM;
    const dlg_real *g = dlg_gradient_of(m->gradient, is_mlm ? "cls.predictions.transform.dense.weight" : "bert.pooler.dense.weight");
    out->row = dlg_allocate(m->batch.n_rows, sizeof *out->row);
    out->label = dlg_allocate(m->batch.n_rows, sizeof *out->label);
    dlg_status status = out->row && out->label ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
    if (!status) status = run(m, m->batch.n_sentences, m->batch.first, err);
    if (!status) status = find_rows(m, g, out, err);
    const bool is_possible = out->n > 0 && out->n <= H;
    if (!status && is_possible) status = solve(m, g, out, err);
    if (!status && is_possible && is_mlm) status = run(m, out->n, out->row, err);
    if (!status && is_possible) status = find_labels(m, out, err);
    return status;
}

dlg_status dlg_predicted_rows_find(dlg_predicted_rows *out, const dlg_gradient *gradient, size_t n_sentences, const size_t *lengths,
                                   const uint32_t *fed, dlg_error *err)
{
    problem m = {.gradient = gradient, .fed = fed, .H = gradient->model->config.hidden_size};
    *out = (dlg_predicted_rows){0};
    dlg_status status = dlg_batch_create(&m.batch, gradient->model->config.task, n_sentences, lengths, err);
    if (!status) status = find(&m, out, err);
    dlg_free(m.delta);
    dlg_network_release(&m.network);
    dlg_batch_release(&m.batch);
    if (status) dlg_predicted_rows_release(out);
    return status;
}

void dlg_predicted_rows_release(dlg_predicted_rows *rows)
{
    dlg_free(rows->row);
    dlg_free(rows->label);
    *rows = (dlg_predicted_rows){0};
}
