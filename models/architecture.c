#include "models/architecture.h"

#include "ops/attention.h"
#include "ops/embeddings.h"
#include "ops/select.h"

#include <stdarg.h>
#include <stdio.h>

const dlg_architecture *dlg_architecture_of(const dlg_config *config)
{
    return config->task == DLG_CAUSAL_LM ? &dlg_gpt2 : &dlg_bert;
}

/* ---- to describe ---- */

size_t dlg_describe(dlg_model *model, dlg_draw draw, size_t n_rows, size_t n_cols, const char *format, ...)
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

void dlg_describe_linear(dlg_model *model, size_t n_out, size_t n_in, const char *base, size_t n_parts, const char *const parts[],
                         bool is_transposed)
{
    dlg_prepared_linear *linear = &model->linears[model->n_linears++];
    *linear = (dlg_prepared_linear){.n_parts = n_parts, .n_out = n_parts * n_out, .n_in = n_in};
    for (size_t i = 0; i < n_parts; i++) {
        linear->weight[i] = dlg_describe(model, DLG_DRAW_NORMAL, n_out, n_in, "%s%s.weight", base, parts[i]);
        linear->bias[i] = dlg_describe(model, DLG_DRAW_ZERO, 0, n_out, "%s%s.bias", base, parts[i]);
        model->parameters[linear->weight[i]].is_transposed = is_transposed;
    }
}

/* ---- to build ---- */

static dlg_small_parameter small_value(const dlg_builder *b, size_t index)
{
    return (dlg_small_parameter){.value = b->model->parameters[index].value};
}

/* The gradient of parameter `index` is found at `offset` of *small. */
static void name_small(dlg_builder *b, dlg_small_parameter *small, size_t index, size_t offset)
{
    const dlg_parameter *p = &b->model->parameters[index];
    dlg_tape_parameter_add(&b->network->tape, (dlg_tape_parameter){p->name, p->n_rows, p->n_cols, small, NULL, offset});
}

size_t dlg_build_index(const dlg_builder *b, const char *base, const char *end)
{
    char name[DLG_PARAMETER_NAME];
    snprintf(name, sizeof name, "%s%s", base, end);
    return (size_t)(dlg_model_parameter(b->model, name) - b->model->parameters);
}

dlg_value *dlg_build_embeddings(dlg_builder *b, size_t positions, size_t types)
{
    dlg_network *network = b->network;
    const dlg_config *config = &b->model->config;
    const size_t H = config->hidden_size;
    const bool has_types = types != DLG_NO_PARAMETER;
    network->words = dlg_tape_value(&network->tape, network->batch.n_rows, H);
    const dlg_embeddings op = {.words = network->words,
                               .y = dlg_tape_value(&network->tape, network->batch.n_rows, H),
                               .position = network->batch.position,
                               .n_positions = config->max_positions,
                               .n_types = has_types ? config->n_token_types : 0,
                               .positions = small_value(b, positions),
                               .types = has_types ? small_value(b, types) : (dlg_small_parameter){0}};
    dlg_embeddings *emb = dlg_tape_append(&network->tape, &dlg_embeddings_class, &op, sizeof op);
    dlg_tape_small(&network->tape, &emb->positions, config->max_positions * H);
    if (has_types) dlg_tape_small(&network->tape, &emb->types, config->n_token_types * H);
    name_small(b, &emb->positions, positions, 0);
    if (has_types) name_small(b, &emb->types, types, 0);
    return emb->y;
}

dlg_layernorm *dlg_build_layernorm(dlg_builder *b, dlg_value *a, dlg_value *residual, bool with_sum, const char *base)
{
    dlg_tape *tape = &b->network->tape;
    const size_t gamma = dlg_build_index(b, base, ".weight"), beta = dlg_build_index(b, base, ".bias"), C = a->n_cols;
    const dlg_layernorm op = {.a = a,
                              .residual = residual,
                              .y = dlg_tape_value(tape, a->n_rows, C),
                              .sum = with_sum ? dlg_tape_value(tape, a->n_rows, C) : NULL,
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

dlg_linear *dlg_build_linear(dlg_builder *b, dlg_value *x)
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
        if (prepared->bias[i] != DLG_NO_PARAMETER) name_small(b, &lin->bias, prepared->bias[i], row);
        row += w->n_rows;
    }
    return lin;
}

dlg_activation *dlg_build_activation(dlg_builder *b, dlg_value *x, dlg_activation_function *function)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_activation op = {.x = x, .y = dlg_tape_value(tape, x->n_rows, x->n_cols), .function = function};
    return dlg_tape_append(tape, &dlg_activation_class, &op, sizeof op);
}

dlg_value *dlg_build_attention(dlg_builder *b, dlg_value *qkv, bool causal)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_attention op = {.qkv = qkv,
                              .y = dlg_tape_value(tape, qkv->n_rows, qkv->n_cols / 3),
                              .n_heads = b->model->config.n_heads,
                              .n_sentences = b->network->batch.n_sentences,
                              .causal = causal,
                              .first = b->network->batch.first};
    return ((dlg_attention *)dlg_tape_append(tape, &dlg_attention_class, &op, sizeof op))->y;
}

dlg_value *dlg_build_predicted(dlg_builder *b, dlg_value *x)
{
    dlg_network *network = b->network;
    network->encoded = x;
    const dlg_select op = {
        .x = x, .y = dlg_tape_value(&network->tape, network->batch.n_predicted, x->n_cols), .row = network->batch.predicted};
    return ((dlg_select *)dlg_tape_append(&network->tape, &dlg_select_class, &op, sizeof op))->y;
}

void dlg_build_head(dlg_builder *b, dlg_value *x, size_t max_labels)
{
    dlg_network *network = b->network;
    network->decoder = dlg_build_linear(b, x);
    const dlg_cross_entropy op = {.logits = network->decoder->y, .max_labels = max_labels, .count = 1};
    network->loss = dlg_tape_append(&network->tape, &dlg_cross_entropy_class, &op, sizeof op);
}

dlg_activation_function *dlg_gelu_of(const dlg_config *config)
{
    return config->gelu == DLG_GELU_ERF ? dlg_gelu_erf : dlg_gelu_tanh;
}
