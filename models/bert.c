#include "models/architecture.h"

#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(dlg_config, field)

static const dlg_config_size sizes[] = {
    {"vocab_size", AT(vocabulary_size), 30522, (size_t)1 << 24},
    {"hidden_size", AT(hidden_size), 768, (size_t)1 << 16},
    {"num_hidden_layers", AT(n_layers), 12, (size_t)1 << 10},
    {"num_attention_heads", AT(n_heads), 12, (size_t)1 << 16},
    {"intermediate_size", AT(intermediate_size), 3072, (size_t)1 << 18},
    {"max_position_embeddings", AT(max_positions), 512, (size_t)1 << 20},
    {"type_vocab_size", AT(n_token_types), 2, (size_t)1 << 16},
    {"num_labels", AT(n_labels), 2, (size_t)1 << 24},
    {0},
};

static const dlg_dialect dialect = {
    .model_type = "bert",
    .classes = {{"BertForMaskedLM", DLG_MASKED_LM}, {"BertForSequenceClassification", DLG_SEQUENCE_CLASSIFICATION}},
    .wanted = "BertForMaskedLM or BertForSequenceClassification",
    .sizes = sizes,
    .activation = "hidden_act",
    .activation_fallback = DLG_GELU_ERF,
    .eps = "layer_norm_eps",
    .eps_fallback = 1e-12,
};

static const char *const dense[] = {"dense"};

static void describe_block(dlg_model *model, size_t i)
{
    static const char *const projections[] = {"query", "key", "value"};
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    dlg_block_roles *block = &model->roles.blocks[i];
    dlg_linear_role qkv[3];
    char base[96];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.self.", i);
    dlg_describe_linear(qkv, model, H, H, base, 3, projections, false);
    block->query = qkv[0], block->key = qkv[1], block->value = qkv[2];
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output.", i);
    dlg_describe_linear(&block->output, model, H, H, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.attention.output.LayerNorm", i);
    block->attention_norm = dlg_describe_norm(model, base);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.intermediate.", i);
    dlg_describe_linear(&block->wide, model, I, H, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output.", i);
    dlg_describe_linear(&block->narrow, model, H, I, base, 1, dense, false);
    snprintf(base, sizeof base, "bert.encoder.layer.%zu.output.LayerNorm", i);
    block->output_norm = dlg_describe_norm(model, base);
}

/* A tied decoder's bias stands before the head, one that is not tied has all of its own behind it. */
static void describe_masked_lm_head(dlg_model *model)
{
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    dlg_roles *roles = &model->roles;
    if (model->config.tied_decoder) {
        roles->decoder.weight = roles->words;
        roles->decoder.bias = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "cls.predictions.bias");
        dlg_describe_also(model, roles->words, "cls.predictions.decoder.weight", true);
        dlg_describe_also(model, roles->decoder.bias, "cls.predictions.decoder.bias", true);
    }
    dlg_describe_linear(&roles->head, model, H, H, "cls.predictions.transform.", 1, dense, false);
    roles->head_norm = dlg_describe_norm(model, "cls.predictions.transform.LayerNorm");
    if (!model->config.tied_decoder) {
        roles->decoder.weight = dlg_describe(model, DLG_DRAW_NORMAL, V, H, "cls.predictions.decoder.weight");
        roles->decoder.bias = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "cls.predictions.decoder.bias");
        dlg_describe_also(model, roles->decoder.bias, "cls.predictions.bias", false);
    }
    dlg_describe_decoder(model);
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
    static const char *const classifier[] = {"classifier"};
    const dlg_config *config = &model->config;
    const size_t H = config->hidden_size;
    const bool is_mlm = config->task == DLG_MASKED_LM;
    dlg_roles *roles = &model->roles;
    roles->words =
        dlg_describe(model, DLG_DRAW_EMBEDDING, config->vocabulary_size, H, "bert.embeddings.word_embeddings.weight");
    roles->positions =
        dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, H, "bert.embeddings.position_embeddings.weight");
    roles->types =
        dlg_describe(model, DLG_DRAW_NORMAL, config->n_token_types, H, "bert.embeddings.token_type_embeddings.weight");
    roles->norm = dlg_describe_norm(model, "bert.embeddings.LayerNorm");
    for (size_t i = 0; i < config->n_layers; i++) describe_block(model, i);
    roles->is_post_norm = true;
    roles->loss_rows = is_mlm ? DLG_CHOSEN_ROWS : DLG_FIRST_ROWS;
    roles->head_activation = is_mlm ? DLG_HEAD_LIKE_BLOCKS : DLG_HEAD_TANH;
    if (is_mlm) {
        describe_masked_lm_head(model);
    } else {
        dlg_describe_linear(&roles->head, model, H, H, "bert.pooler.", 1, dense, false);
        dlg_describe_linear(&roles->decoder, model, config->n_labels, H, "", 1, classifier, false);
    }
}

static bool is_left_behind(const dlg_config *config, const char *name)
{
    static const char *const prefixes[] = {"bert.pooler.", "pooler.", "cls.seq_relationship."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) return true;
    /* A classifier's file may hold the head it was trained with before. */
    static const char head[] = "cls.predictions.";
    return config->task == DLG_SEQUENCE_CLASSIFICATION && !strncmp(name, head, strlen(head));
}

const dlg_architecture dlg_bert = {
    .kind = "BERT",
    .dialect = &dialect,
    .most_parameters = most_parameters,
    .most_linears = most_linears,
    .most_operators = dlg_post_norm_operators,
    .describe = describe,
    .build = dlg_build_post_norm_encoder,
    .is_left_behind = is_left_behind,
};
