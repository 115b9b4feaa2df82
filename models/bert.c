#include "models/architecture.h"

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

static const dlg_encoder_names names = {
    .embeddings = "bert.embeddings",
    .has_types = true,
    .layers = "bert.encoder.layer",
    .projections = {"attention.self.query", "attention.self.key", "attention.self.value"},
    .output = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .wide = "intermediate.dense",
    .narrow = "output.dense",
    .output_norm = "output.LayerNorm",
};

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
    roles->head = dlg_describe_linear(model, H, H, false, "cls.predictions.transform.dense");
    roles->head_norm = dlg_describe_norm(model, "cls.predictions.transform.LayerNorm");
    if (!model->config.tied_decoder) {
        roles->decoder.weight = dlg_describe(model, DLG_DRAW_NORMAL, V, H, "cls.predictions.decoder.weight");
        roles->decoder.bias = dlg_describe(model, DLG_DRAW_ZERO, 0, V, "cls.predictions.decoder.bias");
        dlg_describe_also(model, roles->decoder.bias, "cls.predictions.bias", false);
    }
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
    roles->head_activation = is_mlm ? DLG_HEAD_LIKE_BLOCKS : DLG_HEAD_TANH;
    if (is_mlm) {
        describe_masked_lm_head(model);
    } else {
        roles->head = dlg_describe_linear(model, H, H, false, "bert.pooler.dense");
        roles->decoder = dlg_describe_linear(model, config->n_labels, H, false, "classifier");
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
    .most_operators = dlg_post_norm_operators,
    .describe = describe,
    .build = dlg_build_post_norm_encoder,
    .is_left_behind = is_left_behind,
};
