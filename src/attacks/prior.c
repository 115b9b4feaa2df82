#include "attacks/prior.h"

#include <assert.h>
#include <string.h>

/* Rows of all copies together: enough for the products to be fast, few enough for them to stay in the cache. */
enum { ROWS = 512 };

enum { SHORTEST = 3 }; /* a word between begin and end */

struct dlg_prior {
    dlg_network network;
    const dlg_model *model;
    uint32_t mask;
    size_t length, n_copies, n_asked; /* tokens that the network is asked for at a time: a masked LM for one a copy */
    size_t *label;                    /* (n_asked) */
    dlg_real *share;                  /* (n_asked, n_asked), the identity */
};

/* Which row a copy masks is the network's own array, and changes from one call of the sweeps to the next. */
static size_t *masked_rows(dlg_prior *prior)
{
    return prior->network.batch.predicted;
}

static dlg_status lay_out(dlg_prior *prior, dlg_error *err)
{
    const size_t n = prior->n_copies, apart = prior->model->roles.is_causal ? 1 : prior->length;
    dlg_batch batch = {0};
    size_t *lengths = dlg_allocate(n, sizeof *lengths), *rows = dlg_allocate(prior->n_asked, sizeof *rows);
    dlg_status status = lengths && rows ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "language prior: no memory");
    for (size_t i = 0; !status && i < n; i++) lengths[i] = prior->length;
    for (size_t i = 0; !status && i < prior->n_asked; i++) rows[i] = i * apart;
    if (!status) status = dlg_batch_create(&batch, prior->model->config.task, n, lengths, err);
    if (!status) status = dlg_batch_predict(&batch, prior->n_asked, rows, err);
    if (!status)
        status = dlg_network_create(&prior->network, prior->model, &batch, DLG_FORWARD_ONLY, prior->n_asked, err);
    dlg_batch_release(&batch);
    dlg_free(lengths);
    dlg_free(rows);
    return status;
}

dlg_status dlg_prior_create(dlg_prior **out, const dlg_model *model, uint32_t mask, size_t length, dlg_error *err)
{
    assert(length >= SHORTEST && model->config.task != DLG_SEQUENCE_CLASSIFICATION);
    *out = NULL;
    dlg_prior *prior = dlg_allocate(1, sizeof *prior);
    if (!prior) return dlg_fail(err, DLG_ENOMEM, "language prior: no memory");
    const size_t fit = ROWS / length, n_masked = fit < 1 ? 1 : fit < length - 2 ? fit : length - 2;
    const size_t n = model->roles.is_causal ? length - 1 : n_masked;
    prior->model = model;
    prior->mask = mask;
    prior->length = length;
    prior->n_copies = model->roles.is_causal ? 1 : n;
    prior->n_asked = n;
    prior->label = dlg_allocate(n, sizeof *prior->label);
    prior->share = dlg_allocate(n * n, sizeof *prior->share);
    dlg_status status = prior->label && prior->share ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "language prior: no memory");
    if (!status) status = lay_out(prior, err);
    if (status) {
        dlg_prior_free(prior);
        return status;
    }
    for (size_t i = 0; i < n; i++) prior->share[i * n + i] = 1;
    prior->network.loss->n_labels = n;
    prior->network.loss->label = prior->label;
    prior->network.loss->share = prior->share;
    prior->network.loss->count = (double)n;
    *out = prior;
    return DLG_OK;
}

void dlg_prior_free(dlg_prior *prior)
{
    if (!prior) return;
    dlg_network_release(&prior->network);
    dlg_free(prior->label);
    dlg_free(prior->share);
    dlg_free(prior);
}

static void set_token(dlg_prior *prior, size_t row, uint32_t token)
{
    const size_t H = prior->model->config.hidden_size;
    const dlg_real *table = dlg_model_word_embeddings(prior->model);
    memcpy(prior->network.words->x + row * H, table + (size_t)token * H, H * sizeof *table);
}

static double causal_surprise(dlg_prior *prior, const uint32_t *tokens)
{
    const size_t n = prior->n_asked;
    double sum = 0;
    for (size_t t = 0; t < prior->length; t++) set_token(prior, t, tokens[t]);
    for (size_t i = 0; i < n; i++) prior->label[i] = tokens[i + 1];
    dlg_tape_forward(&prior->network.tape);
    for (size_t i = 0; i < n; i++) sum -= (double)prior->network.loss->log_p[i * n + i];
    return sum / (double)n;
}

/* Copy i of the network masks the token at `position`. */
static void set_copy(dlg_prior *prior, size_t i, const uint32_t *tokens, size_t position)
{
    const size_t T = prior->length;
    for (size_t t = 0; t < T; t++) set_token(prior, i * T + t, t == position ? prior->mask : tokens[t]);
    masked_rows(prior)[i] = i * T + position;
    prior->label[i] = tokens[position];
}

static double masked_surprise(dlg_prior *prior, const uint32_t *tokens)
{
    const size_t n = prior->n_copies, last = prior->length - 2;
    double sum = 0;
    for (size_t first = 1; first <= last; first += n) {
        const size_t left = last + 1 - first, used = left < n ? left : n;
        /* what is too much repeats the last */
        for (size_t i = 0; i < n; i++) set_copy(prior, i, tokens, i < used ? first + i : last);
        dlg_tape_forward(&prior->network.tape);
        for (size_t i = 0; i < used; i++) sum -= (double)prior->network.loss->log_p[i * n + i];
    }
    return sum / (double)last;
}

double dlg_prior_surprise(dlg_prior *prior, const uint32_t *tokens)
{
    return prior->model->roles.is_causal ? causal_surprise(prior, tokens) : masked_surprise(prior, tokens);
}

/* ---- a batch ---- */

struct dlg_batch_prior {
    const dlg_batch *batch;
    dlg_prior **of; /* (n_sentences); NULL for one that is too short */
};

dlg_status dlg_batch_prior_create(dlg_batch_prior **out, const dlg_model *model, uint32_t mask, const dlg_batch *batch,
                                  dlg_error *err)
{
    *out = NULL;
    dlg_batch_prior *priors = dlg_allocate(1, sizeof *priors);
    if (!priors) return dlg_fail(err, DLG_ENOMEM, "language prior: no memory");
    priors->batch = batch;
    priors->of = dlg_allocate(batch->n_sentences, sizeof *priors->of);
    dlg_status status = priors->of ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "language prior: no memory");
    for (size_t b = 0; !status && b < batch->n_sentences; b++) {
        const size_t length = batch->first[b + 1] - batch->first[b];
        if (length >= SHORTEST) status = dlg_prior_create(&priors->of[b], model, mask, length, err);
    }
    if (status) dlg_batch_prior_free(priors);
    else *out = priors;
    return status;
}

void dlg_batch_prior_free(dlg_batch_prior *priors)
{
    if (!priors) return;
    for (size_t b = 0; priors->of && b < priors->batch->n_sentences; b++) dlg_prior_free(priors->of[b]);
    dlg_free(priors->of);
    dlg_free(priors);
}

double dlg_batch_prior_surprise(dlg_batch_prior *priors, const uint32_t *tokens)
{
    const dlg_batch *batch = priors->batch;
    double sum = 0;
    for (size_t b = 0; b < batch->n_sentences; b++)
        if (priors->of[b]) sum += dlg_prior_surprise(priors->of[b], tokens + batch->first[b]);
    return sum / (double)batch->n_sentences;
}
