#include "models/config_sizes.h"

size_t *dlg_config_field(dlg_config *config, const dlg_config_size *size)
{
    return (size_t *)(void *)((char *)config + size->offset);
}

dlg_status dlg_config_check(dlg_config *config, const char *name, dlg_status status, dlg_error *err)
{
    const dlg_config_size *sizes = dlg_architecture_of(config)->dialect->sizes;
    for (const dlg_config_size *size = sizes; size->key; size++) {
        const size_t value = *dlg_config_field(config, size);
        if (value < 1 || value > size->limit)
            return dlg_fail(err, status, "%s: %s: want 1 to %zu, found %zu", name, size->key, size->limit, value);
    }
    if (config->hidden_size % config->n_heads)
        return dlg_fail(err, status, "%s: %s: want a multiple of %s (%zu), found %zu", name, sizes[DLG_SIZE_HIDDEN].key,
                        sizes[DLG_SIZE_HEADS].key, config->n_heads, config->hidden_size);
    return DLG_OK;
}
