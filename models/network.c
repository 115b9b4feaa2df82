#include "models/network.h"

#include "models/architecture.h"

#include <assert.h>
#include <string.h>

/* ---- a batch ---- */

dlg_status dlg_batch_create(dlg_batch *out, dlg_task task, size_t n_sentences, const size_t *lengths, dlg_error *err)
{
    *out = (dlg_batch){.n_sentences = n_sentences};
    for (size_t b = 0; b < n_sentences; b++) out->n_rows += lengths[b];
    out->first = dlg_allocate(n_sentences + 1, sizeof *out->first);
    out->position = dlg_allocate(out->n_rows, sizeof *out->position);
    out->type = dlg_allocate(out->n_rows, sizeof *out->type);
    if (!out->first || !out->position || !out->type) {
        dlg_batch_release(out);
        return dlg_fail(err, DLG_ENOMEM, "batch of %zu: no memory", n_sentences);
    }
    for (size_t b = 0; b < n_sentences; b++) {
        assert(lengths[b] > 0);
        out->first[b + 1] = out->first[b] + lengths[b];
        for (size_t t = 0; t < lengths[b]; t++) out->position[out->first[b] + t] = t;
    }
    if (task != DLG_SEQUENCE_CLASSIFICATION) return DLG_OK;
    const dlg_status status = dlg_batch_predict(out, n_sentences, out->first, err);
    if (status) dlg_batch_release(out);
    return status;
}

dlg_status dlg_batch_predict(dlg_batch *batch, size_t n_predicted, const size_t *rows, dlg_error *err)
{
    size_t *copy = dlg_allocate(n_predicted, sizeof *copy);
    if (!copy) return dlg_fail(err, DLG_ENOMEM, "batch of %zu: no memory", batch->n_sentences);
    memcpy(copy, rows, n_predicted * sizeof *copy);
    dlg_free(batch->predicted);
    batch->predicted = copy;
    batch->n_predicted = n_predicted;
    return DLG_OK;
}

void dlg_batch_set_types(dlg_batch *batch, const size_t *types)
{
    for (size_t i = 0; i < batch->n_rows; i++) batch->type[i] = types ? types[i] : 0;
}

void dlg_batch_release(dlg_batch *batch)
{
    dlg_free(batch->first);
    dlg_free(batch->position);
    dlg_free(batch->type);
    dlg_free(batch->predicted);
    *batch = (dlg_batch){0};
}

static dlg_status copy_batch(dlg_batch *out, const dlg_batch *batch, dlg_error *err)
{
    *out = (dlg_batch){.n_sentences = batch->n_sentences,
                       .n_rows = batch->n_rows,
                       .dropout = batch->dropout,
                       .dropout_seed = batch->dropout_seed};
    out->first = dlg_allocate(batch->n_sentences + 1, sizeof *out->first);
    out->position = dlg_allocate(batch->n_rows, sizeof *out->position);
    out->type = dlg_allocate(batch->n_rows, sizeof *out->type);
    if (!out->first || !out->position || !out->type)
        return dlg_fail(err, DLG_ENOMEM, "batch of %zu: no memory", batch->n_sentences);
    memcpy(out->first, batch->first, (batch->n_sentences + 1) * sizeof *out->first);
    memcpy(out->position, batch->position, batch->n_rows * sizeof *out->position);
    dlg_batch_set_types(out, batch->type);
    return dlg_batch_predict(out, batch->n_predicted, batch->predicted, err);
}

/* ---- a network ---- */

/* Its operators, without memory for what they compute. */
static dlg_status build(dlg_network *network, const dlg_model *model, const dlg_batch *batch, dlg_ways ways,
                        bool has_products, size_t max_labels, dlg_error *err)
{
    const dlg_architecture *architecture = dlg_architecture_of(&model->config);
    *network = (dlg_network){.ways = ways};
    for (size_t b = 0; b < batch->n_sentences; b++) {
        const size_t T = batch->first[b + 1] - batch->first[b];
        if (T > model->config.max_positions)
            return dlg_fail(err, DLG_ESHAPE, "%s: want sentences of at most %zu tokens, found one of %zu", model->name,
                            model->config.max_positions, T);
    }
    dlg_status status = copy_batch(&network->batch, batch, err);
    if (!status) status = dlg_tape_create(&network->tape, architecture->most_operators(&model->config), err);
    if (status) return status;
    network->tape.is_forward_only = ways == DLG_FORWARD_ONLY;
    network->products = has_products ? dlg_allocate(model->n_linears, sizeof *network->products) : NULL;
    if (has_products && !network->products) return dlg_fail(err, DLG_ENOMEM, "network: no memory");
    dlg_builder b = {.network = network, .model = model, .err = err};
    architecture->build(&b, max_labels);
    return b.status;
}

dlg_status dlg_network_create(dlg_network *network, const dlg_model *model, const dlg_batch *batch, dlg_ways ways,
                              size_t max_labels, dlg_error *err)
{
    *network = (dlg_network){0};
    dlg_status status = ways == DLG_BOTH_WAYS ? dlg_model_pack_both_ways(model, err) : DLG_OK;
    if (!status) status = build(network, model, batch, ways, true, max_labels, err);
    if (!status) status = dlg_tape_plan(&network->tape, err);
    if (status) dlg_network_release(network);
    return status;
}

dlg_status dlg_network_count_bytes(size_t *out, const dlg_model *model, const dlg_batch *batch, size_t max_labels,
                                   dlg_error *err)
{
    dlg_network network;
    const dlg_status status = build(&network, model, batch, DLG_BOTH_WAYS, false, max_labels, err);
    *out = status ? 0 : dlg_tape_count_bytes(&network.tape);
    for (size_t i = 0; !status && i < model->n_linears; i++)
        *out += model->linears[i].n_out * model->linears[i].n_in * sizeof(dlg_real);
    dlg_network_release(&network);
    return status;
}

void dlg_network_release(dlg_network *network)
{
    for (size_t i = 0; i < network->n_products; i++) dlg_products_free(network->products[i]);
    dlg_free(network->products);
    dlg_tape_free(&network->tape);
    dlg_batch_release(&network->batch);
    *network = (dlg_network){0};
}
