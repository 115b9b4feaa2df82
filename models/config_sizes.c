#include "models/config_sizes.h"

#define AT(field) offsetof(dlg_config, field)

const dlg_config_size dlg_config_sizes[DLG_CONFIG_SIZES] = {
    {"vocab_size", AT(vocabulary_size), 30522, (size_t)1 << 24},
    {"hidden_size", AT(hidden_size), 768, (size_t)1 << 16},
    {"num_hidden_layers", AT(n_layers), 12, (size_t)1 << 10},
    {"num_attention_heads", AT(n_heads), 12, (size_t)1 << 16},
    {"intermediate_size", AT(intermediate_size), 3072, (size_t)1 << 18},
    {"max_position_embeddings", AT(max_positions), 512, (size_t)1 << 20},
    {"type_vocab_size", AT(n_token_types), 2, (size_t)1 << 16},
    {"num_labels", AT(n_labels), 2, (size_t)1 << 24},
};

size_t *dlg_config_field(dlg_config *config, const dlg_config_size *size)
{
    return (size_t *)(void *)((char *)config + size->offset);
}

dlg_status dlg_config_check(dlg_config *config, const char *name, dlg_status status, dlg_error *err)
{
    for (size_t i = 0; i < DLG_CONFIG_SIZES; i++) {
        const dlg_config_size *size = &dlg_config_sizes[i];
        const size_t value = *dlg_config_field(config, size);
        if (value < 1 || value > size->limit)
            return dlg_fail(err, status, "%s: %s: want 1 to %zu, found %zu", name, size->key, size->limit, value);
    }
    if (config->hidden_size % config->n_heads)
        return dlg_fail(err, status, "%s: hidden_size: want a multiple of num_attention_heads (%zu), found %zu", name, config->n_heads,
                        config->hidden_size);
    if (config->task == DLG_SEQUENCE_CLASSIFICATION && config->n_labels < 2)
        return dlg_fail(err, status, "%s: num_labels: want at least 2 classes, found 1 (that is a regression)", name);
    return DLG_OK;
}
