#include "models/architecture.h"

#include "ops/attention.h"
#include "ops/dropout.h"
#include "ops/embeddings.h"
#include "ops/select.h"

#include <stdarg.h>
#include <stdio.h>

const dlg_architecture *const dlg_architectures[] = {&dlg_bert, &dlg_distilbert, &dlg_gpt2, NULL};

const dlg_architecture *dlg_architecture_of(const dlg_config *config)
{
    return config->architecture ? config->architecture : dlg_architectures[0];
}

/* ---- to describe ---- */

const dlg_parameter *dlg_describe(dlg_model *model, dlg_draw draw, size_t n_rows, size_t n_cols, const char *format,
                                  ...)
{
    dlg_parameter *p = &model->parameters[model->n_parameters++];
    va_list args;
    va_start(args, format);
    vsnprintf(p->name, sizeof p->name, format, args);
    va_end(args);
    p->n_dims = n_rows ? 2 : 1;
    p->n_rows = n_rows ? n_rows : 1;
    p->n_cols = n_cols;
    p->draw = draw;
    return p;
}

void dlg_describe_also(dlg_model *model, const dlg_parameter *parameter, const char *name, bool is_same)
{
    dlg_parameter *p = &model->parameters[parameter - model->parameters];
    p->also = name;
    p->also_is_same = is_same;
}

dlg_norm_role dlg_describe_norm(dlg_model *model, const char *format, ...)
{
    const size_t H = model->config.hidden_size;
    char base[DLG_PARAMETER_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(base, sizeof base, format, args);
    va_end(args);
    const dlg_parameter *scale = dlg_describe(model, DLG_DRAW_ONE, 0, H, "%s.weight", base);
    return (dlg_norm_role){scale, dlg_describe(model, DLG_DRAW_ZERO, 0, H, "%s.bias", base)};
}

static dlg_prepared_linear *next_linear(dlg_model *model, size_t n_in)
{
    dlg_prepared_linear *linear = &model->linears[model->n_linears++];
    *linear = (dlg_prepared_linear){.n_in = n_in};
    return linear;
}

/* The next pair of parameters, as the next part of a linear layer. */
static dlg_linear_role describe_part(dlg_model *model, dlg_prepared_linear *linear, size_t n_out, bool is_transposed,
                                     const char *base, const char *name)
{
    const size_t i = linear->n_parts++;
    linear->n_out += n_out;
    linear->weight[i] = model->n_parameters;
    linear->bias[i] = model->n_parameters + 1;
    model->parameters[model->n_parameters].is_transposed = is_transposed;
    const dlg_parameter *weight = dlg_describe(model, DLG_DRAW_NORMAL, n_out, linear->n_in, "%s%s.weight", base, name);
    return (dlg_linear_role){weight, dlg_describe(model, DLG_DRAW_ZERO, 0, n_out, "%s%s.bias", base, name)};
}

dlg_linear_role dlg_describe_linear(dlg_model *model, size_t n_out, size_t n_in, bool is_transposed, const char *format,
                                    ...)
{
    char base[DLG_PARAMETER_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(base, sizeof base, format, args);
    va_end(args);
    return describe_part(model, next_linear(model, n_in), n_out, is_transposed, base, "");
}

static void describe_block(dlg_model *model, size_t i, const dlg_encoder_names *names)
{
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    dlg_block_roles *block = &model->roles.blocks[i];
    dlg_linear_role *const projections[3] = {&block->query, &block->key, &block->value};
    dlg_prepared_linear *linear = next_linear(model, H);
    char base[DLG_PARAMETER_NAME];
    snprintf(base, sizeof base, "%s.%zu.", names->layers, i);
    for (size_t k = 0; k < 3; k++)
        *projections[k] = describe_part(model, linear, H, false, base, names->projections[k]);
    block->output = dlg_describe_linear(model, H, H, false, "%s%s", base, names->output);
    block->attention_norm = dlg_describe_norm(model, "%s%s", base, names->attention_norm);
    block->wide = dlg_describe_linear(model, I, H, false, "%s%s", base, names->wide);
    block->narrow = dlg_describe_linear(model, H, I, false, "%s%s", base, names->narrow);
    block->output_norm = dlg_describe_norm(model, "%s%s", base, names->output_norm);
}

void dlg_describe_post_norm_encoder(dlg_model *model, const dlg_encoder_names *names)
{
    const dlg_config *config = &model->config;
    const size_t H = config->hidden_size;
    const char *base = names->embeddings;
    dlg_roles *roles = &model->roles;
    roles->words =
        dlg_describe(model, DLG_DRAW_EMBEDDING, config->vocabulary_size, H, "%s.word_embeddings.weight", base);
    roles->positions =
        dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, H, "%s.position_embeddings.weight", base);
    if (names->has_types)
        roles->types =
            dlg_describe(model, DLG_DRAW_NORMAL, config->n_token_types, H, "%s.token_type_embeddings.weight", base);
    roles->norm = dlg_describe_norm(model, "%s.LayerNorm", base);
    for (size_t i = 0; i < config->n_layers; i++) describe_block(model, i, names);
    roles->is_post_norm = true;
}

void dlg_describe_decoder(dlg_model *model)
{
    const dlg_linear_role *decoder = &model->roles.decoder;
    model->linears[model->n_linears++] = (dlg_prepared_linear){
        .n_parts = 1,
        .weight = {(size_t)(decoder->weight - model->parameters)},
        .bias = {decoder->bias ? (size_t)(decoder->bias - model->parameters) : DLG_NO_PARAMETER},
        .n_out = decoder->weight->n_rows,
        .n_in = decoder->weight->n_cols,
    };
}

/* ---- to build ---- */

static dlg_small_parameter small_value(const dlg_parameter *p)
{
    return (dlg_small_parameter){.value = p->value};
}

/* The gradient of a parameter is found at `offset` of *small. */
static void name_small(dlg_builder *b, dlg_small_parameter *small, const dlg_parameter *p, size_t offset)
{
    dlg_tape_parameter_add(&b->network->tape, (dlg_tape_parameter){p->name, p->n_rows, p->n_cols, small, NULL, offset});
}

dlg_value *dlg_build_embeddings(dlg_builder *b)
{
    dlg_network *network = b->network;
    const dlg_config *config = &b->model->config;
    const dlg_roles *roles = &b->model->roles;
    const size_t H = config->hidden_size;
    network->words = dlg_tape_value(&network->tape, network->batch.n_rows, H);
    const dlg_embeddings op = {.words = network->words,
                               .y = dlg_tape_value(&network->tape, network->batch.n_rows, H),
                               .position = network->batch.position,
                               .type = network->batch.type,
                               .n_positions = config->max_positions,
                               .n_types = roles->types ? config->n_token_types : 0,
                               .positions = small_value(roles->positions),
                               .types = roles->types ? small_value(roles->types) : (dlg_small_parameter){0}};
    dlg_embeddings *emb = dlg_tape_append(&network->tape, &dlg_embeddings_class, &op, sizeof op);
    dlg_tape_small(&network->tape, &emb->positions, config->max_positions * H);
    if (roles->types) dlg_tape_small(&network->tape, &emb->types, config->n_token_types * H);
    name_small(b, &emb->positions, roles->positions, 0);
    if (roles->types) name_small(b, &emb->types, roles->types, 0);
    return emb->y;
}

dlg_layernorm *dlg_build_layernorm(dlg_builder *b, dlg_value *a, dlg_value *residual, bool with_sum, dlg_norm_role role)
{
    dlg_tape *tape = &b->network->tape;
    const size_t C = a->n_cols;
    const dlg_layernorm op = {.a = a,
                              .residual = residual,
                              .y = dlg_tape_value(tape, a->n_rows, C),
                              .sum = with_sum ? dlg_tape_value(tape, a->n_rows, C) : NULL,
                              .gamma = small_value(role.scale),
                              .beta = small_value(role.shift),
                              .eps = (dlg_real)b->model->config.layer_norm_eps};
    dlg_layernorm *ln = dlg_tape_append(tape, &dlg_layernorm_class, &op, sizeof op);
    dlg_tape_small(tape, &ln->gamma, C);
    dlg_tape_small(tape, &ln->beta, C);
    name_small(b, &ln->gamma, role.scale, 0);
    name_small(b, &ln->beta, role.shift, 0);
    return ln;
}

dlg_linear *dlg_build_linear(dlg_builder *b, dlg_value *x)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_prepared_linear *prepared = &b->model->linears[b->next_linear++];
    dlg_network *network = b->network;
    dlg_products *products = NULL;
    if (network->products && !b->status)
        b->status = dlg_products_create(&products, prepared->packed, x->n_rows, network->ways, b->err);
    if (products) network->products[network->n_products++] = products;
    const dlg_linear op = {.x = x,
                           .y = dlg_tape_value(tape, x->n_rows, prepared->n_out),
                           .weight = products,
                           .bias = {.value = prepared->bias_value}};
    dlg_linear *lin = dlg_tape_append(tape, &dlg_linear_class, &op, sizeof op);
    dlg_tape_small(tape, &lin->bias, prepared->n_out);
    size_t row = 0;
    for (size_t i = 0; i < prepared->n_parts; i++) {
        const dlg_parameter *w = &b->model->parameters[prepared->weight[i]];
        if (w != b->model->roles.words)
            dlg_tape_parameter_add(tape, (dlg_tape_parameter){w->name, w->n_rows, w->n_cols, NULL, lin, row});
        if (prepared->bias[i] != DLG_NO_PARAMETER)
            name_small(b, &lin->bias, &b->model->parameters[prepared->bias[i]], row);
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

dlg_value *dlg_build_dropout(dlg_builder *b, dlg_value *x)
{
    dlg_tape *tape = &b->network->tape;
    const dlg_batch *batch = &b->network->batch;
    if (!(batch->dropout > 0)) return x;
    const dlg_dropout op = {.x = x,
                            .y = dlg_tape_value(tape, x->n_rows, x->n_cols),
                            .rate = batch->dropout,
                            .seed = batch->dropout_seed,
                            .stream = (uint32_t)tape->n_ops};
    return ((dlg_dropout *)dlg_tape_append(tape, &dlg_dropout_class, &op, sizeof op))->y;
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
    const dlg_select op = {.x = x,
                           .y = dlg_tape_value(&network->tape, network->batch.n_predicted, x->n_cols),
                           .row = network->batch.predicted};
    return ((dlg_select *)dlg_tape_append(&network->tape, &dlg_select_class, &op, sizeof op))->y;
}

void dlg_build_head(dlg_builder *b, dlg_value *x, size_t max_labels)
{
    dlg_network *network = b->network;
    network->decoder = dlg_build_linear(b, x);
    const dlg_cross_entropy op = {.logits = network->decoder->y, .max_labels = max_labels, .count = 1};
    network->loss = dlg_tape_append(&network->tape, &dlg_cross_entropy_class, &op, sizeof op);
}

dlg_activation_function *dlg_activation_of(const dlg_config *config)
{
    static dlg_activation_function *const functions[] = {
        [DLG_GELU_ERF] = dlg_gelu_erf, [DLG_GELU_TANH] = dlg_gelu_tanh, [DLG_RELU] = dlg_relu};
    return functions[config->activation];
}

/* ---- an encoder that normalises behind each part ---- */

size_t dlg_post_norm_operators(const dlg_config *config)
{
    return 11 * config->n_layers + 11;
}

static dlg_value *build_block(dlg_builder *b, dlg_value *x, const dlg_block_roles *block)
{
    dlg_value *attended = dlg_build_linear(b, dlg_build_attention(b, dlg_build_linear(b, x)->y, false))->y;
    x = dlg_build_layernorm(b, dlg_build_dropout(b, attended), x, false, block->attention_norm)->y;
    dlg_value *wide = dlg_build_activation(b, dlg_build_linear(b, x)->y, dlg_activation_of(&b->model->config))->y;
    dlg_value *narrow = dlg_build_dropout(b, dlg_build_linear(b, wide)->y);
    return dlg_build_layernorm(b, narrow, x, false, block->output_norm)->y;
}

void dlg_build_post_norm_encoder(dlg_builder *b, size_t max_labels)
{
    const dlg_config *config = &b->model->config;
    const dlg_roles *roles = &b->model->roles;
    dlg_network *network = b->network;
    dlg_activation_function *const functions[] = {
        [DLG_HEAD_LIKE_BLOCKS] = dlg_activation_of(config), [DLG_HEAD_TANH] = dlg_tanh, [DLG_HEAD_RELU] = dlg_relu};
    dlg_value *x = dlg_build_dropout(b, dlg_build_layernorm(b, dlg_build_embeddings(b), NULL, false, roles->norm)->y);
    for (size_t i = 0; i < config->n_layers; i++) x = build_block(b, x, &roles->blocks[i]);
    network->head = x = dlg_build_linear(b, dlg_build_predicted(b, x))->y;
    network->n_head_ops = network->tape.n_ops;
    network->n_head_parameters = network->tape.n_parameters;
    network->activation = dlg_build_activation(b, x, functions[roles->head_activation]);
    x = network->activation->y;
    if (roles->head_norm.scale) network->norm = dlg_build_layernorm(b, x, NULL, false, roles->head_norm);
    else x = dlg_build_dropout(b, x);
    dlg_build_head(b, roles->head_norm.scale ? network->norm->y : x, max_labels);
}
