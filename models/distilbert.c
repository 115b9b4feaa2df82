/* A BERT without token types and pooler; its classifier's first layer has a ReLU. */
#include "models/architecture.h"

#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(dlg_config, field)

static const dlg_config_size sizes[] = {
    {"vocab_size", AT(vocabulary_size), 30522, (size_t)1 << 24},
    {"dim", AT(hidden_size), 768, (size_t)1 << 16},
    {"n_layers", AT(n_layers), 6, (size_t)1 << 10},
    {"n_heads", AT(n_heads), 12, (size_t)1 << 16},
    {"hidden_dim", AT(intermediate_size), 3072, (size_t)1 << 18},
    {"max_position_embeddings", AT(max_positions), 512, (size_t)1 << 20},
    {"num_labels", AT(n_labels), 2, (size_t)1 << 24},
    {0},
};

static const dlg_dialect dialect = {
    .model_type = "distilbert",
    .classes = {{"DistilBertForMaskedLM", DLG_MASKED_LM},
                {"DistilBertForSequenceClassification", DLG_SEQUENCE_CLASSIFICATION}},
    .wanted = "DistilBertForMaskedLM or DistilBertForSequenceClassification",
    .sizes = sizes,
    .activation = "activation",
    .activation_fallback = DLG_GELU_ERF,
    .eps_fallback = 1e-12,
};

static void describe_block(dlg_model *model, size_t i)
{
    static const char *const projections[] = {"q_lin", "k_lin", "v_lin"}, *const out[] = {"out_lin"},
                             *const first[] = {"lin1"}, *const second[] = {"lin2"};
    const size_t H = model->config.hidden_size, I = model->config.intermediate_size;
    dlg_block_roles *block = &model->roles.blocks[i];
    dlg_linear_role qkv[3];
    char base[96];
    snprintf(base, sizeof base, "distilbert.transformer.layer.%zu.attention.", i);
    dlg_describe_linear(qkv, model, H, H, base, 3, projections, false);
    block->query = qkv[0], block->key = qkv[1], block->value = qkv[2];
    dlg_describe_linear(&block->output, model, H, H, base, 1, out, false);
    snprintf(base, sizeof base, "distilbert.transformer.layer.%zu.sa_layer_norm", i);
    block->attention_norm = dlg_describe_norm(model, base);
    snprintf(base, sizeof base, "distilbert.transformer.layer.%zu.ffn.", i);
    dlg_describe_linear(&block->wide, model, I, H, base, 1, first, false);
    dlg_describe_linear(&block->narrow, model, H, I, base, 1, second, false);
    snprintf(base, sizeof base, "distilbert.transformer.layer.%zu.output_layer_norm", i);
    block->output_norm = dlg_describe_norm(model, base);
}

static size_t most_parameters(const dlg_config *config)
{
    return 16 * config->n_layers + 10;
}

static size_t most_linears(const dlg_config *config)
{
    return 4 * config->n_layers + 2;
}

static void describe_masked_lm_head(dlg_model *model)
{
    static const char *const transform[] = {"vocab_transform"};
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    dlg_roles *roles = &model->roles;
    dlg_describe_linear(&roles->head, model, H, H, "", 1, transform, false);
    roles->head_norm = dlg_describe_norm(model, "vocab_layer_norm");
    if (model->config.tied_decoder) dlg_describe_also(model, roles->words, "vocab_projector.weight", true);
    roles->decoder.weight = model->config.tied_decoder
                                ? roles->words
                                : dlg_describe(model, DLG_DRAW_NORMAL, V, H, "vocab_projector.weight");
    roles->decoder.bias = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "vocab_projector.bias");
    dlg_describe_decoder(model);
}

static void describe(dlg_model *model)
{
    static const char *const pre_classifier[] = {"pre_classifier"}, *const classifier[] = {"classifier"};
    const dlg_config *config = &model->config;
    const size_t H = config->hidden_size;
    const bool is_mlm = config->task == DLG_MASKED_LM;
    dlg_roles *roles = &model->roles;
    roles->words = dlg_describe(model, DLG_DRAW_EMBEDDING, config->vocabulary_size, H,
                                "distilbert.embeddings.word_embeddings.weight");
    roles->positions = dlg_describe(model, DLG_DRAW_NORMAL, config->max_positions, H,
                                    "distilbert.embeddings.position_embeddings.weight");
    roles->norm = dlg_describe_norm(model, "distilbert.embeddings.LayerNorm");
    for (size_t i = 0; i < config->n_layers; i++) describe_block(model, i);
    roles->is_post_norm = true;
    roles->loss_rows = is_mlm ? DLG_CHOSEN_ROWS : DLG_FIRST_ROWS;
    roles->head_activation = is_mlm ? DLG_HEAD_LIKE_BLOCKS : DLG_HEAD_RELU;
    if (is_mlm) {
        describe_masked_lm_head(model);
    } else {
        dlg_describe_linear(&roles->head, model, H, H, "", 1, pre_classifier, false);
        dlg_describe_linear(&roles->decoder, model, config->n_labels, H, "", 1, classifier, false);
    }
}

/* Heads of other tasks. */
static bool is_left_behind(const dlg_config *config, const char *name)
{
    static const char *const of_classifier[] = {"pre_classifier.", "classifier."}, *const of_masked_lm[] = {"vocab_"};
    const bool is_mlm = config->task == DLG_MASKED_LM;
    for (size_t i = 0; i < (is_mlm ? 2 : 1); i++) {
        const char *prefix = is_mlm ? of_classifier[i] : of_masked_lm[i];
        if (!strncmp(name, prefix, strlen(prefix))) return true;
    }
    return false;
}

const dlg_architecture dlg_distilbert = {
    .kind = "DistilBERT",
    .dialect = &dialect,
    .most_parameters = most_parameters,
    .most_linears = most_linears,
    .most_operators = dlg_post_norm_operators,
    .describe = describe,
    .build = dlg_build_post_norm_encoder,
    .is_left_behind = is_left_behind,
};
