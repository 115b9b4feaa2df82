/*
 * Layers normalise before attention and before the wide part, not after them, and each adds to a stream that goes
 * through all of them:
 *
 *   x += attention(LN(x)),  x += wide part(LN(x))
 *
 * Each LN operator makes the sum with what was added last, hands the stream on, and normalises it. Weights lie
 * transposed in files (they are of Hugging Face's Conv1D).
 */
#include "models/architecture.h"

#include <string.h>

#define AT(field) offsetof(dlg_config, field)

static const dlg_config_size sizes[] = {
    {"vocab_size", AT(vocabulary_size), 50257, (size_t)1 << 24},
    {"n_embd", AT(hidden_size), 768, (size_t)1 << 16},
    {"n_layer", AT(n_layers), 12, (size_t)1 << 10},
    {"n_head", AT(n_heads), 12, (size_t)1 << 16},
    {"n_inner", AT(intermediate_size), 0, (size_t)1 << 18},
    {"n_positions", AT(max_positions), 1024, (size_t)1 << 20},
    {0},
};

static const dlg_dialect dialect = {
    .model_type = "gpt2",
    .classes = {{"GPT2LMHeadModel", DLG_CAUSAL_LM}},
    .wanted = "GPT2LMHeadModel",
    .sizes = sizes,
    .activation = "activation_function",
    .activation_fallback = DLG_GELU_TANH,
    .eps = "layer_norm_epsilon",
    .eps_fallback = 1e-5,
};

/* ---- what there is: names and shapes ---- */

static void describe_block(dlg_model *model, size_t i)
{
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    dlg_block_roles *block = &model->roles.blocks[i];
    block->attention_norm = dlg_describe_norm(model, "transformer.h.%zu.ln_1", i);
    block->query = dlg_describe_linear(model, 3 * H, H, true, "transformer.h.%zu.attn.c_attn", i);
    block->key = block->value = block->query;
    block->output = dlg_describe_linear(model, H, H, true, "transformer.h.%zu.attn.c_proj", i);
    block->output_norm = dlg_describe_norm(model, "transformer.h.%zu.ln_2", i);
    block->wide = dlg_describe_linear(model, I, H, true, "transformer.h.%zu.mlp.c_fc", i);
    block->narrow = dlg_describe_linear(model, H, I, true, "transformer.h.%zu.mlp.c_proj", i);
}

static void describe(dlg_model *model)
{
    const dlg_config *config = &model->config;
    const size_t V = config->vocabulary_size, H = config->hidden_size;
    dlg_roles *roles = &model->roles;
    roles->words = dlg_describe(model, DLG_DRAW_NORMAL, V, H, "transformer.wte.weight");
    roles->positions = dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, H, "transformer.wpe.weight");
    for (size_t i = 0; i < config->n_layers; i++) describe_block(model, i);
    roles->head_norm = dlg_describe_norm(model, "transformer.ln_f");
    roles->head_activation = DLG_HEAD_NONE;
    if (config->tied_decoder) dlg_describe_also(model, roles->words, "lm_head.weight", true);
    roles->decoder.weight =
        config->tied_decoder ? roles->words : dlg_describe(model, DLG_DRAW_NORMAL, V, H, "lm_head.weight");
    roles->loss_rows = DLG_NEXT_ROWS;
    roles->is_causal = true;
    dlg_describe_decoder(model);
}

/* The causal mask, which older files hold. */
static bool is_left_behind(const dlg_config *config, const char *name)
{
    (void)config;
    const char *attention = strstr(name, ".attn.");
    return attention && (!strcmp(attention, ".attn.bias") || !strcmp(attention, ".attn.masked_bias"));
}

/* ---- the list of operators ---- */

static size_t most_operators(const dlg_config *config)
{
    return 8 * config->n_layers + 5;
}

/* Takes the stream and what is to be added to it, and returns what is to be added next. */
static dlg_value *build_block(dlg_builder *b, dlg_value *added, dlg_value **stream, const dlg_block_roles *block)
{
    const dlg_layernorm *before = dlg_build_layernorm(b, added, *stream, true, block->attention_norm);
    added = dlg_build_linear(b, dlg_build_attention(b, dlg_build_linear(b, before->y)->y, true))->y;
    before = dlg_build_layernorm(b, added, before->sum, true, block->output_norm);
    *stream = before->sum;
    return dlg_build_linear(
               b, dlg_build_activation(b, dlg_build_linear(b, before->y)->y, dlg_activation_of(&b->model->config))->y)
        ->y;
}

static void build(dlg_builder *b, size_t max_labels)
{
    const dlg_roles *roles = &b->model->roles;
    dlg_value *stream = NULL, *added = dlg_build_embeddings(b);
    for (size_t i = 0; i < b->model->config.n_layers; i++) added = build_block(b, added, &stream, &roles->blocks[i]);
    const dlg_layernorm *last = dlg_build_layernorm(b, added, stream, false, roles->head_norm);
    dlg_build_head(b, dlg_build_predicted(b, last->y), max_labels);
}

const dlg_architecture dlg_gpt2 = {
    .kind = "GPT-2",
    .dialect = &dialect,
    .most_operators = most_operators,
    .describe = describe,
    .build = build,
    .is_left_behind = is_left_behind,
};
