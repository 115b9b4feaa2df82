#include "models/bert.h"

#include "ops/attention.h"
#include "ops/embeddings.h"
#include "ops/select.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- what there is: names and shapes ---- */

/* @return the new parameter's index */
static size_t add(dlg_model *model, dlg_draw draw, size_t n_rows, size_t n_cols, const char *format, ...)
{
    dlg_parameter *p = &model->parameters[model->n_parameters];
    va_list args;
    va_start(args, format);
    vsnprintf(p->name, sizeof p->name, format, args);
    va_end(args);
    p->n_dims = n_rows ? 2 : 1;
    p->n_rows = n_rows ? n_rows : 1;
    p->n_cols = n_cols;
    p->draw = draw;
    return model->n_parameters++;
}

static size_t add_vector(dlg_model *model, dlg_draw draw, size_t n, const char *base, const char *end)
{
    return add(model, draw, 0, n, "%s.%s", base, end);
}

static void add_layernorm(dlg_model *model, const char *base)
{
    add_vector(model, DLG_DRAW_ONE, model->config.hidden_size, base, "LayerNorm.weight");
    add_vector(model, DLG_DRAW_ZERO, model->config.hidden_size, base, "LayerNorm.bias");
}

/* A linear layer made of n_parts parameter pairs called base + parts[i] + .weight and .bias, each (n_out, n_in). */
static void add_linear(dlg_model *model, size_t n_out, size_t n_in, const char *base, size_t n_parts, const char *const parts[])
{
    dlg_prepared_linear *linear = &model->linears[model->n_linears++];
    *linear = (dlg_prepared_linear){.n_parts = n_parts, .n_out = n_parts * n_out, .n_in = n_in};
    for (size_t i = 0; i < n_parts; i++) {
        linear->weight[i] = add(model, DLG_DRAW_NORMAL, n_out, n_in, "%s%s.weight", base, parts[i]);
        linear->bias[i] = add(model, DLG_DRAW_ZERO, 0, n_out, "%s%s.bias", base, parts[i]);
    }
}

static void add_layer(dlg_model *model, size_t i)
{
    static const char *const projections[] = {"query", "key", "value"}, *const dense[] = {"dense"};
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    char base[64];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.self.", i);
    add_linear(model, H, H, base, 3, projections);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output.", i);
    add_linear(model, H, H, base, 1, dense);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output", i);
    add_layernorm(model, base);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.intermediate.", i);
    add_linear(model, I, H, base, 1, dense);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output.", i);
    add_linear(model, H, I, base, 1, dense);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output", i);
    add_layernorm(model, base);
}

static void add_masked_lm_head(dlg_model *model)
{
    static const char *const dense[] = {"dense"};
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    dlg_prepared_linear *decoder = &model->linears[4 * model->config.n_layers + 1];
    *decoder = (dlg_prepared_linear){.n_parts = 1, .n_out = V, .n_in = H};
    if (model->config.tied_decoder) {
        decoder->weight[0] = 0; /* the word embeddings */
        decoder->bias[0] = add_vector(model, DLG_DRAW_ZERO, V, "cls.predictions", "bias");
    }
    add_linear(model, H, H, "cls.predictions.transform.", 1, dense);
    add_layernorm(model, "cls.predictions.transform");
    if (!model->config.tied_decoder) {
        decoder->weight[0] = add(model, DLG_DRAW_NORMAL, V, H, "cls.predictions.decoder.weight");
        decoder->bias[0] = add_vector(model, DLG_DRAW_ZERO, V, "cls.predictions.decoder", "bias");
    }
    model->n_linears++;
}

dlg_status dlg_bert_describe(dlg_model *model, dlg_error *err)
{
    const dlg_config *config = &model->config;
    model->parameters = dlg_allocate(16 * config->n_layers + 12, sizeof *model->parameters);
    model->linears = dlg_allocate(4 * config->n_layers + 2, sizeof *model->linears);
    if (!model->parameters || !model->linears) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", model->name);
    add(model, DLG_DRAW_EMBEDDING, config->vocabulary_size, config->hidden_size, "bert.embeddings.word_embeddings.weight");
    add(model, DLG_DRAW_NORMAL, config->max_positions, config->hidden_size, "bert.embeddings.position_embeddings.weight");
    add(model, DLG_DRAW_NORMAL, config->n_token_types, config->hidden_size, "bert.embeddings.token_type_embeddings.weight");
    add_layernorm(model, "bert.embeddings");
    for (size_t i = 0; i < config->n_layers; i++) add_layer(model, i);
    if (config->task == DLG_MASKED_LM) {
        add_masked_lm_head(model);
    } else {
        static const char *const dense[] = {"dense"}, *const classifier[] = {"classifier"};
        add_linear(model, config->hidden_size, config->hidden_size, "bert.pooler.", 1, dense);
        add_linear(model, config->n_labels, config->hidden_size, "", 1, classifier);
    }
    return DLG_OK;
}

/* ---- a batch ---- */

dlg_status dlg_batch_create(dlg_batch *out, dlg_task task, size_t n_sentences, const size_t *lengths, dlg_error *err)
{
    *out = (dlg_batch){.n_sentences = n_sentences};
    for (size_t b = 0; b < n_sentences; b++) out->n_rows += lengths[b];
    out->first = dlg_allocate(n_sentences + 1, sizeof *out->first);
    out->position = dlg_allocate(out->n_rows, sizeof *out->position);
    if (!out->first || !out->position) {
        dlg_batch_release(out);
        return dlg_fail(err, DLG_ENOMEM, "batch of %zu: no memory", n_sentences);
    }
    for (size_t b = 0; b < n_sentences; b++) {
        assert(lengths[b] > 0);
        out->first[b + 1] = out->first[b] + lengths[b];
        for (size_t t = 0; t < lengths[b]; t++) out->position[out->first[b] + t] = t;
    }
    if (task == DLG_MASKED_LM) return DLG_OK;
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

void dlg_batch_release(dlg_batch *batch)
{
    dlg_free(batch->first);
    dlg_free(batch->position);
    dlg_free(batch->predicted);
    *batch = (dlg_batch){0};
}

static dlg_status copy_batch(dlg_batch *out, const dlg_batch *batch, dlg_error *err)
{
    *out = (dlg_batch){.n_sentences = batch->n_sentences, .n_rows = batch->n_rows};
    out->first = dlg_allocate(batch->n_sentences + 1, sizeof *out->first);
    out->position = dlg_allocate(batch->n_rows, sizeof *out->position);
    if (!out->first || !out->position) return dlg_fail(err, DLG_ENOMEM, "batch of %zu: no memory", batch->n_sentences);
    memcpy(out->first, batch->first, (batch->n_sentences + 1) * sizeof *out->first);
    memcpy(out->position, batch->position, batch->n_rows * sizeof *out->position);
    return dlg_batch_predict(out, batch->n_predicted, batch->predicted, err);
}

/* ---- the list of operators ---- */

/* While the list is written: where we are in the model's parameters and linear layers, which are consumed in order. */
typedef struct {
    dlg_network *network;
    const dlg_model *model;
    size_t next_linear;
    dlg_status status; /* the first failure to reserve products */
    dlg_error *err;
} builder;

static dlg_small_parameter small_value(const builder *b, size_t index)
{
    return (dlg_small_parameter){.value = b->model->parameters[index].value};
}

/* The gradient of parameter `index` is found at `offset` of *small. */
static void name_small(builder *b, dlg_small_parameter *small, size_t index, size_t offset)
{
    const dlg_parameter *p = &b->model->parameters[index];
    dlg_tape_parameter_add(&b->network->tape, (dlg_tape_parameter){p->name, p->n_rows, p->n_cols, small, NULL, offset});
}

static size_t index_of(const builder *b, const char *base, const char *end)
{
    char name[DLG_PARAMETER_NAME];
    snprintf(name, sizeof name, "%s%s", base, end);
    return (size_t)(dlg_model_parameter(b->model, name) - b->model->parameters);
}

static dlg_layernorm *layernorm(builder *b, dlg_value *a, dlg_value *residual, const char *base)
{
    dlg_tape *tape = &b->network->tape;
    const size_t gamma = index_of(b, base, ".LayerNorm.weight"), beta = index_of(b, base, ".LayerNorm.bias"), C = a->n_cols;
    const dlg_layernorm op = {.a = a,
                              .residual = residual,
                              .y = dlg_tape_value(tape, a->n_rows, C),
                              .gamma = small_value(b, gamma),
                              .beta = small_value(b, beta),
                              .eps = (dlg_real)b->model->config.layer_norm_eps};
    dlg_layernorm *ln = dlg_tape_append(tape, &dlg_layernorm_class, &op, sizeof op);
    dlg_tape_small(tape, &ln->gamma, C);
    dlg_tape_small(tape, &ln->beta, C);
    name_small(b, &ln->gamma, gamma, 0);
    name_small(b, &ln->beta, beta, 0);
    return ln;
}

/* The next linear layer of the model. The tied decoder's weight is not named: its gradient is mixed with the look-up's. */
static dlg_linear *linear(builder *b, dlg_value *x)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_prepared_linear *prepared = &b->model->linears[b->next_linear++];
    const dlg_linear op = {
        .x = x, .y = dlg_tape_value(tape, x->n_rows, prepared->n_out), .weight = prepared->constant,
        .bias = {.value = prepared->bias_value}};
    dlg_linear *lin = dlg_tape_append(tape, &dlg_linear_class, &op, sizeof op);
    if (!b->status) b->status = dlg_constant_reserve(prepared->constant, x->n_rows, b->err);
    dlg_tape_small(tape, &lin->bias, prepared->n_out);
    size_t row = 0;
    for (size_t i = 0; i < prepared->n_parts; i++) {
        const dlg_parameter *w = &b->model->parameters[prepared->weight[i]];
        if (prepared->weight[i]) dlg_tape_parameter_add(tape, (dlg_tape_parameter){w->name, w->n_rows, w->n_cols, NULL, lin, row});
        name_small(b, &lin->bias, prepared->bias[i], row);
        row += w->n_rows;
    }
    return lin;
}

static dlg_activation *activation(builder *b, dlg_value *x, dlg_activation_function *function)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_activation op = {.x = x, .y = dlg_tape_value(tape, x->n_rows, x->n_cols), .function = function};
    return dlg_tape_append(tape, &dlg_activation_class, &op, sizeof op);
}

static dlg_value *attention(builder *b, dlg_value *qkv)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_attention op = {.qkv = qkv,
                              .y = dlg_tape_value(tape, qkv->n_rows, qkv->n_cols / 3),
                              .n_heads = b->model->config.n_heads,
                              .n_sentences = b->network->batch.n_sentences,
                              .first = b->network->batch.first};
    return ((dlg_attention *)dlg_tape_append(tape, &dlg_attention_class, &op, sizeof op))->y;
}

static dlg_value *embeddings(builder *b)
{
    dlg_network *network = b->network;
    const dlg_config *config = &b->model->config;
    const size_t H = config->hidden_size, positions = index_of(b, "bert.embeddings.position_embeddings", ".weight"),
                 types = index_of(b, "bert.embeddings.token_type_embeddings", ".weight");
    network->words = dlg_tape_value(&network->tape, network->batch.n_rows, H);
    const dlg_embeddings op = {.words = network->words,
                               .y = dlg_tape_value(&network->tape, network->batch.n_rows, H),
                               .position = network->batch.position,
                               .n_positions = config->max_positions,
                               .n_types = config->n_token_types,
                               .positions = small_value(b, positions),
                               .types = small_value(b, types)};
    dlg_embeddings *emb = dlg_tape_append(&network->tape, &dlg_embeddings_class, &op, sizeof op);
    dlg_tape_small(&network->tape, &emb->positions, config->max_positions * H);
    dlg_tape_small(&network->tape, &emb->types, config->n_token_types * H);
    name_small(b, &emb->positions, positions, 0);
    name_small(b, &emb->types, types, 0);
    return emb->y;
}

static dlg_value *encoder_layer(builder *b, dlg_value *x, size_t i, dlg_activation_function *gelu)
{
    char base[64];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output", i);
    dlg_value *attended = linear(b, attention(b, linear(b, x)->y))->y;
    x = layernorm(b, attended, x, base)->y;
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output", i);
    dlg_value *fed = linear(b, activation(b, linear(b, x)->y, gelu)->y)->y;
    return layernorm(b, fed, x, base)->y;
}

static void build(builder *b, size_t max_labels)
{
    dlg_network *network = b->network;
    dlg_tape *tape = &network->tape;
    const dlg_config *config = &b->model->config;
    dlg_activation_function *gelu = config->gelu == DLG_GELU_ERF ? dlg_gelu_erf : dlg_gelu_tanh;
    dlg_value *x = layernorm(b, embeddings(b), NULL, "bert.embeddings")->y;
    for (size_t i = 0; i < config->n_layers; i++) x = encoder_layer(b, x, i, gelu);
    network->encoded = x;
    const dlg_select chosen = {.x = x, .y = dlg_tape_value(tape, network->batch.n_predicted, x->n_cols), .row = network->batch.predicted};
    x = ((dlg_select *)dlg_tape_append(tape, &dlg_select_class, &chosen, sizeof chosen))->y;
    network->activation = activation(b, linear(b, x)->y, config->task == DLG_MASKED_LM ? gelu : dlg_tanh);
    x = network->activation->y;
    if (config->task == DLG_MASKED_LM) {
        network->norm = layernorm(b, x, NULL, "cls.predictions.transform");
        x = network->norm->y;
    }
    network->decoder = linear(b, x);
    const dlg_cross_entropy loss = {.logits = network->decoder->y, .max_labels = max_labels, .count = 1};
    network->loss = dlg_tape_append(tape, &dlg_cross_entropy_class, &loss, sizeof loss);
}

dlg_status dlg_network_create(dlg_network *network, const dlg_model *model, const dlg_batch *batch, size_t max_labels, dlg_error *err)
{
    *network = (dlg_network){0};
    for (size_t b = 0; b < batch->n_sentences; b++) {
        const size_t T = batch->first[b + 1] - batch->first[b];
        if (T > model->config.max_positions)
            return dlg_fail(err, DLG_ESHAPE, "%s: want sentences of at most %zu tokens, found one of %zu", model->name,
                            model->config.max_positions, T);
    }
    dlg_status status = copy_batch(&network->batch, batch, err);
    if (!status) status = dlg_tape_create(&network->tape, 9 * model->config.n_layers + 9, err);
    if (!status) {
        builder b = {.network = network, .model = model, .err = err};
        build(&b, max_labels);
        status = b.status ? b.status : dlg_tape_plan(&network->tape, err);
    }
    if (status) dlg_network_release(network);
    return status;
}

void dlg_network_release(dlg_network *network)
{
    dlg_tape_free(&network->tape);
    dlg_batch_release(&network->batch);
    *network = (dlg_network){0};
}
