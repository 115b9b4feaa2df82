/*
 * Which label belongs to which predicted row. What the row of a label that was not looked up lacks are the h of the
 * rows whose label it is: their coordinates are solved for. Of the others the head's norm tells. With xhat_m = (h_m -
 * shift) / scale its scale's gradient is
 *
 *   sum_m xhat_m o (sum_v q_m(v) E[v] - w_m E[y_m]),
 *
 * as many equations as the hidden size, linear in whether v is the label of m.
 */
#include "analytic/tokens/decoder_labels.h"

#include "base/memory.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>

/* A bias' entry lacks a whole number of labels' weights but for a smaller part, and a solution is 0 or 1 likewise. */
static const double whole = 1e-3, clear = 0.1;

typedef struct {
    size_t n;
    uint32_t *tokens;
} list;

size_t dlg_decoder_labels_count(const dlg_tied_decoder *d, uint32_t token, double terms)
{
    const double bias = (double)dlg_gradient_at(d->gradient, d->gradient->model->roles.decoder.bias)[token];
    double mean = 0;
    for (size_t k = 0; k < d->rank; k++) mean += d->weights[k] / (double)d->rank;
    const double lacks = terms - d->sign * bias, n = round(lacks / mean);
    return n >= 0 && n <= (double)d->rank && fabs(lacks - n * mean) < whole * mean ? (size_t)n : SIZE_MAX;
}

/* The labels that were looked up, or those that were not; of each list rank at most. */
static void list_labels(const dlg_tied_decoder *d, size_t n, const uint32_t *looked_up, list *others, list *fed)
{
    for (uint32_t v = 0, i = 0; v < d->gradient->model->config.vocabulary_size; v++) {
        while (i < n && looked_up[i] < v) i++;
        const size_t count = dlg_decoder_labels_count(d, v, dlg_tied_decoder_at(d, v));
        list *to = i < n && looked_up[i] == v ? fed : others;
        if (count && count != SIZE_MAX && to->n < d->rank) to->tokens[to->n++] = v;
    }
}

/* solution (n): which is 1, if all others are 0; n: none is. */
static size_t only_one(size_t n, const double *solution)
{
    size_t found = n;
    for (size_t i = 0; i < n; i++) {
        const double is = solution[i];
        if (fabs(is) < clear) continue;
        if (fabs(is - 1) > clear || found < n) return n;
        found = i;
    }
    return found;
}

/* Labels that were not looked up, by what their rows lack. */
static dlg_status pair_others(dlg_tied_decoder *d, const list *others, dlg_error *err)
{
    const size_t K = d->rank, H = d->gradient->model->config.hidden_size, n = others->n;
    const dlg_real *rows = dlg_gradient_at(d->gradient, d->gradient->model->roles.words);
    double *a = dlg_allocate(K * K, sizeof *a), *b = dlg_allocate(K * n + 1, sizeof *b),
           *x = dlg_allocate(K * n + 1, sizeof *x);
    dlg_status status = a && b && x ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t j = 0; !status && j < K; j++)
        for (size_t k = 0; k < K; k++) a[j * K + k] = d->weights[k] * d->sum.rates[k * K + j];
    for (size_t i = 0; !status && i < n; i++) {
        (void)dlg_tied_decoder_at(d, others->tokens[i]);
        for (size_t j = 0; j < K; j++) {
            double along = 0;
            for (size_t h = 0; h < H; h++) along += d->basis[j * H + h] * (double)rows[others->tokens[i] * H + h];
            b[j * n + i] = d->slope[j] - d->sign * along;
        }
    }
    if (!status && n) status = dlg_least_squares(K, K, n, a, b, dlg_tolerance_dependent(), x, err);
    for (size_t k = 0; !status && k < K; k++) {
        const size_t i = only_one(n, x + k * n);
        if (i < n) d->labels[k] = others->tokens[i];
    }
    dlg_free(x);
    dlg_free(b);
    dlg_free(a);
    return status;
}

/* ---- by the head's norm ---- */

typedef struct {
    size_t n_rows, *rows;     /* (n_rows) those whose label is open */
    size_t n_pairs;           /* n_rows * fed->n */
    double *a, *b, *solution; /* (H, n_pairs), (H), (n_pairs) */
} pairing;

static double normalised(const dlg_tied_decoder *d, size_t k, size_t i)
{
    const dlg_norm_role *norm = &d->gradient->model->roles.head_norm;
    const size_t H = d->gradient->model->config.hidden_size;
    double h = 0;
    for (size_t j = 0; j < d->rank; j++) h += d->sum.rates[k * d->rank + j] * d->basis[j * H + i];
    const double scale = (double)norm->scale->value[i];
    return scale != 0 ? (h - (double)norm->shift->value[i]) / scale : 0;
}

/* b is what the labels of the open rows make of the scale's gradient. */
static void fill(pairing *p, const dlg_tied_decoder *d, const list *fed)
{
    const dlg_model *model = d->gradient->model;
    const size_t H = model->config.hidden_size;
    const dlg_real *g = dlg_gradient_at(d->gradient, model->roles.head_norm.scale);
    const dlg_real *words = dlg_model_word_embeddings(model);
    for (size_t i = 0; i < H; i++) {
        p->b[i] = -d->sign * (double)g[i];
        for (size_t k = 0, open = 0; k < d->rank; k++) {
            const double xhat = normalised(d, k, i), weighted = xhat * d->weights[k];
            p->b[i] += xhat * (double)d->expected[k * H + i];
            if (d->labels[k] != DLG_NO_LABEL) {
                p->b[i] -= weighted * (double)words[d->labels[k] * H + i];
                continue;
            }
            for (size_t v = 0; v < fed->n; v++)
                p->a[i * p->n_pairs + open * fed->n + v] = weighted * (double)words[fed->tokens[v] * H + i];
            open++;
        }
    }
}

static dlg_status solve_pairs(pairing *p, dlg_tied_decoder *d, const list *fed, dlg_error *err)
{
    const size_t H = d->gradient->model->config.hidden_size;
    p->a = dlg_allocate(H * p->n_pairs, sizeof *p->a);
    p->b = dlg_allocate(H, sizeof *p->b);
    p->solution = dlg_allocate(p->n_pairs, sizeof *p->solution);
    if (!p->a || !p->b || !p->solution) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    fill(p, d, fed);
    const dlg_status status =
        dlg_least_squares(H, p->n_pairs, 1, p->a, p->b, dlg_tolerance_dependent(), p->solution, err);
    for (size_t open = 0; !status && open < p->n_rows; open++) {
        const size_t v = only_one(fed->n, p->solution + open * fed->n);
        if (v < fed->n) d->labels[p->rows[open]] = fed->tokens[v];
    }
    return status;
}

/* Labels that were looked up, of the rows that have none yet. */
static dlg_status pair_fed(dlg_tied_decoder *d, const list *fed, dlg_error *err)
{
    const dlg_model *model = d->gradient->model;
    pairing p = {.rows = dlg_allocate(d->rank, sizeof *p.rows)};
    dlg_status status = p.rows ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t k = 0; !status && k < d->rank; k++)
        if (d->labels[k] == DLG_NO_LABEL) p.rows[p.n_rows++] = k;
    p.n_pairs = p.n_rows * fed->n;
    const bool is_there = model->roles.head_norm.scale && dlg_gradient_at(d->gradient, model->roles.head_norm.scale);
    if (!status && is_there && p.n_pairs && 2 * p.n_pairs <= model->config.hidden_size)
        status = solve_pairs(&p, d, fed, err);
    dlg_free(p.solution);
    dlg_free(p.b);
    dlg_free(p.a);
    dlg_free(p.rows);
    return status;
}

dlg_status dlg_decoder_labels_find(dlg_tied_decoder *d, size_t n, const uint32_t *looked_up, dlg_error *err)
{
    list others = {0, dlg_allocate(d->rank, sizeof *others.tokens)};
    list fed = {0, dlg_allocate(d->rank, sizeof *fed.tokens)};
    dlg_status status = others.tokens && fed.tokens ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t k = 0; k < d->rank; k++) d->labels[k] = DLG_NO_LABEL;
    if (!status) {
        list_labels(d, n, looked_up, &others, &fed);
        status = pair_others(d, &others, err);
    }
    if (!status) status = pair_fed(d, &fed, err);
    dlg_free(fed.tokens);
    dlg_free(others.tokens);
    return status;
}
