/*
 * Layers normalise before attention and before the wide part, not after them, and each adds to a stream that goes through all of them:
 *
 *   x += attention(LN(x)),  x += wide part(LN(x))
 *
 * Each LN operator makes the sum with what was added last, hands the stream on, and normalises it. Weights lie transposed in files (they
 * are of Hugging Face's Conv1D).
 */
#include "models/architecture.h"

#include <stdio.h>
#include <string.h>

/* ---- what there is: names and shapes ---- */

static void describe_layernorm(dlg_model *model, const char *base)
{
    dlg_describe(model, DLG_DRAW_ONE, 0, model->config.hidden_size, "%s.weight", base);
    dlg_describe(model, DLG_DRAW_ZERO, 0, model->config.hidden_size, "%s.bias", base);
}

static void describe_layer(dlg_model *model, size_t i)
{
    static const char *const c_attn[] = {"c_attn"}, *const c_proj[] = {"c_proj"}, *const c_fc[] = {"c_fc"};
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    char base[64];
    snprintf(base, sizeof base, "transformer.h.%zu.ln_1", i);
    describe_layernorm(model, base);
    snprintf(base, sizeof base, "transformer.h.%zu.attn.", i);
    dlg_describe_linear(model, 3 * H, H, base, 1, c_attn, true);
    dlg_describe_linear(model, H, H, base, 1, c_proj, true);
    snprintf(base, sizeof base, "transformer.h.%zu.ln_2", i);
    describe_layernorm(model, base);
    snprintf(base, sizeof base, "transformer.h.%zu.mlp.", i);
    dlg_describe_linear(model, I, H, base, 1, c_fc, true);
    dlg_describe_linear(model, H, I, base, 1, c_proj, true);
}

static size_t most_parameters(const dlg_config *config)
{
    return 12 * config->n_layers + 5;
}

static size_t most_linears(const dlg_config *config)
{
    return 4 * config->n_layers + 1;
}

static void describe(dlg_model *model)
{
    const dlg_config *config = &model->config;
    const size_t V = config->vocabulary_size, H = config->hidden_size;
    dlg_describe(model, DLG_DRAW_NORMAL, V, H, "transformer.wte.weight");
    dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, H, "transformer.wpe.weight");
    for (size_t i = 0; i < config->n_layers; i++) describe_layer(model, i);
    describe_layernorm(model, "transformer.ln_f");
    dlg_prepared_linear *decoder = &model->linears[model->n_linears++];
    *decoder = (dlg_prepared_linear){.n_parts = 1, .bias = {DLG_NO_PARAMETER}, .n_out = V, .n_in = H};
    if (!config->tied_decoder) decoder->weight[0] = dlg_describe(model, DLG_DRAW_NORMAL, V, H, "lm_head.weight");
}

/* The causal mask, which older files hold, and a copy of the tied decoder. */
static bool is_left_behind(const dlg_config *config, const char *name)
{
    (void)config;
    const char *attention = strstr(name, ".attn.");
    return !strcmp(name, "lm_head.weight") || (attention && (!strcmp(attention, ".attn.bias") || !strcmp(attention, ".attn.masked_bias")));
}

/* ---- the list of operators ---- */

static size_t most_operators(const dlg_config *config)
{
    return 8 * config->n_layers + 5;
}

/* Takes the stream and what is to be added to it, and returns what is to be added next. */
static dlg_value *build_layer(dlg_builder *b, dlg_value *added, dlg_value **stream, size_t i)
{
    char base[64];
    snprintf(base, sizeof base, "transformer.h.%zu.ln_1", i);
    const dlg_layernorm *before = dlg_build_layernorm(b, added, *stream, true, base);
    added = dlg_build_linear(b, dlg_build_attention(b, dlg_build_linear(b, before->y)->y, true))->y;
    snprintf(base, sizeof base, "transformer.h.%zu.ln_2", i);
    before = dlg_build_layernorm(b, added, before->sum, true, base);
    *stream = before->sum;
    return dlg_build_linear(b, dlg_build_activation(b, dlg_build_linear(b, before->y)->y, dlg_gelu_of(&b->model->config))->y)->y;
}

static void build(dlg_builder *b, size_t max_labels)
{
    dlg_value *stream = NULL, *added = dlg_build_embeddings(b, dlg_build_index(b, "transformer.wpe", ".weight"), DLG_NO_PARAMETER);
    for (size_t i = 0; i < b->model->config.n_layers; i++) added = build_layer(b, added, &stream, i);
    const dlg_layernorm *last = dlg_build_layernorm(b, added, stream, false, "transformer.ln_f");
    dlg_build_head(b, dlg_build_predicted(b, last->y), max_labels);
}

const dlg_architecture dlg_gpt2 = {"GPT-2", most_parameters, most_linears, most_operators, describe, build, is_left_behind};
