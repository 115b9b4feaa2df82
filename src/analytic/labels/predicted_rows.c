#include "analytic/labels/head_gradient.h"

#include "base/memory.h"
#include "math/rank.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <string.h>

enum { LEAST_OUTSIDE = 8 }; /* directions outside of the column space: with fewer nothing can be told apart */

/* The column space is as large as the rank already: no direction of it is left out. */
static const double smallest = 1e-12;

static dlg_status no_memory(dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "predicted rows: no memory");
}

/* The forward pass, with these rows going through the head. */
static dlg_status run(dlg_head_gradient *m, size_t n, const size_t *rows, dlg_error *err)
{
    dlg_forward_text text = *m->text;
    text.n_predicted = n;
    text.predicted = rows;
    return dlg_forward_run(&m->network, m->forward, &text, err);
}

/* ---- rows ---- */

/* image (H, rank) = G^T columns^T */
static void turn(const dlg_head_gradient *m, double *image)
{
    const size_t H = m->H, R = m->rank;
    memset(image, 0, H * R * sizeof *image);
    for (size_t i = 0; i < H; i++)
        for (size_t k = 0; k < H; k++)
            for (size_t r = 0; r < R; r++) image[k * R + r] += (double)m->head[i * H + k] * m->columns[r * H + i];
}

/* Squared part of row i of the encoder that its weights leave. */
static double outside2(const dlg_head_gradient *m, const double *image, size_t i)
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
static dlg_status find_rows(dlg_head_gradient *m, dlg_predicted_rows *out, dlg_error *err)
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
    const double inside = dlg_tolerance_encoded_row();
    for (size_t i = 0; !status && is_mlm && i < n; i++)
        if (outside2(m, image, i) < inside * inside) out->row[out->n++] = i;
    for (size_t b = 0, first = 0; !status && !is_mlm && b < m->text->n_sentences; first += m->text->lengths[b++])
        out->row[out->n++] = first;
    dlg_free(rows);
    dlg_free(image);
    return status;
}

/* ---- all of it ---- */

/* Labels and loss of the rows, which have gone through the head. */
static dlg_status find_labels(const dlg_head_gradient *m, dlg_predicted_rows *out, dlg_error *err)
{
    const size_t n = out->n;
    dlg_real *expected = dlg_allocate(n * m->H, sizeof *expected);
    dlg_status status = expected ? DLG_OK : no_memory(err);
    if (!status) {
        dlg_head_expect(m, n, expected);
        status = dlg_row_labels_find(out, m, expected, err);
    }
    out->are_all = !status && n >= m->rank;
    out->is_clear = out->are_all;
    for (size_t i = 0; out->is_clear && i < n; i++) out->is_clear = out->fits[i];
    if (out->are_all) status = dlg_loss_fit(out, m, expected, err);
    dlg_free(expected);
    return status;
}

/* Whether the rows that went through the head are those that were predicted. */
static bool went_through(const dlg_head_gradient *m, const dlg_predicted_rows *found)
{
    const dlg_batch *batch = &m->network->batch;
    return batch->n_predicted == found->n && !memcmp(batch->predicted, found->row, found->n * sizeof *found->row);
}

static dlg_status find(dlg_head_gradient *m, dlg_predicted_rows *out, dlg_error *err)
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
    dlg_head_gradient m = {.gradient = gradient,
                           .head = dlg_gradient_at(gradient, gradient->model->roles.head.weight),
                           .forward = forward,
                           .text = text,
                           .H = gradient->model->config.hidden_size,
                           .rank = dlg_rank_visible(head->n, head->values, head->roundoff),
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
    dlg_free(rows->weights);
    dlg_free(rows->twin_of);
    dlg_free(rows->twin_label);
    dlg_free(rows->outputs);
    *rows = (dlg_predicted_rows){0};
}
