#include "models/architecture.h"

#include <stdio.h>
#include <string.h>

/* ---- what there is: names and shapes ---- */

static void describe_layernorm(dlg_model *model, const char *base)
{
    const size_t H = model->config.hidden_size;
    dlg_describe(model, DLG_DRAW_ONE, 0, H, "%s.LayerNorm.weight", base);
    dlg_describe(model, DLG_DRAW_ZERO, 0, H, "%s.LayerNorm.bias", base);
}

static void describe_layer(dlg_model *model, size_t i)
{
    static const char *const projections[] = {"query", "key", "value"}, *const dense[] = {"dense"};
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    char base[64];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.self.", i);
    dlg_describe_linear(model, H, H, base, 3, projections, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output.", i);
    dlg_describe_linear(model, H, H, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output", i);
    describe_layernorm(model, base);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.intermediate.", i);
    dlg_describe_linear(model, I, H, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output.", i);
    dlg_describe_linear(model, H, I, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output", i);
    describe_layernorm(model, base);
}

static void describe_masked_lm_head(dlg_model *model)
{
    static const char *const dense[] = {"dense"};
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    dlg_prepared_linear *decoder = &model->linears[4 * model->config.n_layers + 1];
    *decoder = (dlg_prepared_linear){.n_parts = 1, .n_out = V, .n_in = H};
    if (model->config.tied_decoder) {
        decoder->weight[0] = 0; /* the word embeddings */
        decoder->bias[0] = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "cls.predictions.bias");
    }
    dlg_describe_linear(model, H, H, "cls.predictions.transform.", 1, dense, false);
    describe_layernorm(model, "cls.predictions.transform");
    if (!model->config.tied_decoder) {
        decoder->weight[0] = dlg_describe(model, DLG_DRAW_NORMAL, V, H, "cls.predictions.decoder.weight");
        decoder->bias[0] = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "cls.predictions.decoder.bias");
    }
    model->n_linears++;
}

static size_t most_parameters(const dlg_config *config)
{
    return 16 * config->n_layers + 12;
}

static size_t most_linears(const dlg_config *config)
{
    return 4 * config->n_layers + 2;
}

static void describe(dlg_model *model)
{
    const dlg_config *config = &model->config;
    dlg_describe(model, DLG_DRAW_EMBEDDING, config->vocabulary_size, config->hidden_size, "bert.embeddings.word_embeddings.weight");
    dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, config->hidden_size, "bert.embeddings.position_embeddings.weight");
    dlg_describe(model, DLG_DRAW_NORMAL, config->n_token_types, config->hidden_size, "bert.embeddings.token_type_embeddings.weight");
    describe_layernorm(model, "bert.embeddings");
    for (size_t i = 0; i < config->n_layers; i++) describe_layer(model, i);
    if (config->task == DLG_MASKED_LM) {
        describe_masked_lm_head(model);
    } else {
        static const char *const dense[] = {"dense"}, *const classifier[] = {"classifier"};
        dlg_describe_linear(model, config->hidden_size, config->hidden_size, "bert.pooler.", 1, dense, false);
        dlg_describe_linear(model, config->n_labels, config->hidden_size, "", 1, classifier, false);
    }
}

static bool is_left_behind(const dlg_config *config, const char *name)
{
    static const char *const prefixes[] = {"bert.pooler.", "pooler.", "cls.seq_relationship.", "bert.embeddings.position_ids",
                                           "embeddings.position_ids"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) return true;
    /* A masked-LM's file may hold a copy of the tied decoder, a classifier's the head it was trained with before. */
    const char *head = config->task == DLG_MASKED_LM ? "cls.predictions.decoder.weight" : "cls.predictions.";
    return !strncmp(name, head, strlen(head));
}

/* ---- the list of operators ---- */

static size_t most_operators(const dlg_config *config)
{
    return 9 * config->n_layers + 9;
}

static dlg_value *build_layer(dlg_builder *b, dlg_value *x, size_t i)
{
    char base[96];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output.LayerNorm", i);
    dlg_value *attended = dlg_build_linear(b, dlg_build_attention(b, dlg_build_linear(b, x)->y, false))->y;
    x = dlg_build_layernorm(b, attended, x, false, base)->y;
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output.LayerNorm", i);
    dlg_value *wide = dlg_build_activation(b, dlg_build_linear(b, x)->y, dlg_gelu_of(&b->model->config))->y;
    return dlg_build_layernorm(b, dlg_build_linear(b, wide)->y, x, false, base)->y;
}

static void build(dlg_builder *b, size_t max_labels)
{
    const dlg_config *config = &b->model->config;
    const bool is_mlm = config->task == DLG_MASKED_LM;
    const size_t positions = dlg_build_index(b, "bert.embeddings.position_embeddings", ".weight"),
                 types = dlg_build_index(b, "bert.embeddings.token_type_embeddings", ".weight");
    dlg_value *x = dlg_build_layernorm(b, dlg_build_embeddings(b, positions, types), NULL, false, "bert.embeddings.LayerNorm")->y;
    for (size_t i = 0; i < config->n_layers; i++) x = build_layer(b, x, i);
    x = dlg_build_linear(b, dlg_build_predicted(b, x))->y;
    b->network->activation = dlg_build_activation(b, x, is_mlm ? dlg_gelu_of(config) : dlg_tanh);
    x = b->network->activation->y;
    if (is_mlm) b->network->norm = dlg_build_layernorm(b, x, NULL, false, "cls.predictions.transform.LayerNorm");
    dlg_build_head(b, is_mlm ? b->network->norm->y : x, max_labels);
}

const dlg_architecture dlg_bert = {"BERT", most_parameters, most_linears, most_operators, describe, build, is_left_behind};
