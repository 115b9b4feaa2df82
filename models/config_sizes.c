#include "models/config_sizes.h"

#define AT(field) offsetof(dlg_config, field)

/* Where both lists have them. */
enum { HIDDEN = 1, HEADS = 3 };

static const dlg_config_size bert[] = {
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

static const dlg_config_size gpt2[] = {
    {"vocab_size", AT(vocabulary_size), 50257, (size_t)1 << 24},
    {"n_embd", AT(hidden_size), 768, (size_t)1 << 16},
    {"n_layer", AT(n_layers), 12, (size_t)1 << 10},
    {"n_head", AT(n_heads), 12, (size_t)1 << 16},
    {"n_inner", AT(intermediate_size), 0, (size_t)1 << 18},
    {"n_positions", AT(max_positions), 1024, (size_t)1 << 20},
    {0},
};

const dlg_config_size *dlg_config_sizes(dlg_task task)
{
    return task == DLG_CAUSAL_LM ? gpt2 : bert;
}

size_t *dlg_config_field(dlg_config *config, const dlg_config_size *size)
{
    return (size_t *)(void *)((char *)config + size->offset);
}

dlg_status dlg_config_check(dlg_config *config, const char *name, dlg_status status, dlg_error *err)
{
    const dlg_config_size *sizes = dlg_config_sizes(config->task);
    for (const dlg_config_size *size = sizes; size->key; size++) {
        const size_t value = *dlg_config_field(config, size);
        if (value < 1 || value > size->limit)
            return dlg_fail(err, status, "%s: %s: want 1 to %zu, found %zu", name, size->key, size->limit, value);
    }
    if (config->hidden_size % config->n_heads)
        return dlg_fail(err, status, "%s: %s: want a multiple of %s (%zu), found %zu", name, sizes[HIDDEN].key, sizes[HEADS].key,
                        config->n_heads, config->hidden_size);
    if (config->task == DLG_SEQUENCE_CLASSIFICATION && config->n_labels < 2)
        return dlg_fail(err, status, "%s: num_labels: want at least 2 classes, found 1 (that is a regression)", name);
    return DLG_OK;
}
