/* A BERT without token types and pooler; its classifier's first layer has a ReLU. */
#include "models/architecture.h"

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

static const dlg_encoder_names names = {
    .embeddings = "distilbert.embeddings",
    .layers = "distilbert.transformer.layer",
    .projections = {"attention.q_lin", "attention.k_lin", "attention.v_lin"},
    .output = "attention.out_lin",
    .attention_norm = "sa_layer_norm",
    .wide = "ffn.lin1",
    .narrow = "ffn.lin2",
    .output_norm = "output_layer_norm",
};

static void describe_masked_lm_head(dlg_model *model)
{
    const size_t V = model->config.vocabulary_size, H = model->config.hidden_size;
    dlg_roles *roles = &model->roles;
    roles->head = dlg_describe_linear(model, H, H, false, "vocab_transform");
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
    const dlg_config *config = &model->config;
    const size_t H = config->hidden_size;
    const bool is_mlm = config->task == DLG_MASKED_LM;
    dlg_roles *roles = &model->roles;
    dlg_describe_post_norm_encoder(model, &names);
    roles->loss_rows = is_mlm ? DLG_CHOSEN_ROWS : DLG_FIRST_ROWS;
    roles->head_activation = is_mlm ? DLG_HEAD_LIKE_BLOCKS : DLG_HEAD_RELU;
    if (is_mlm) {
        describe_masked_lm_head(model);
    } else {
        roles->head = dlg_describe_linear(model, H, H, false, "pre_classifier");
        roles->decoder = dlg_describe_linear(model, config->n_labels, H, false, "classifier");
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
    .most_operators = dlg_post_norm_operators,
    .describe = describe,
    .build = dlg_build_post_norm_encoder,
    .is_left_behind = is_left_behind,
};
