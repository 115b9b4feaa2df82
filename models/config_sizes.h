/** The sizes of dlg_config and their limits, for config.json and for presets. */
#ifndef DLG_MODELS_CONFIG_SIZES_H
#define DLG_MODELS_CONFIG_SIZES_H

#include "models/config.h"

/**
 * One size: its key in config.json, its place in dlg_config, Hugging Face's default (0: four times the hidden size, also for null), and the
 * largest value accepted.
 */
typedef struct {
    const char *key;
    size_t offset, fallback, limit;
} dlg_config_size;

/** Those of the models for a task, ended by one without a key. With their limits a model has less than 2^47 parameters. */
const dlg_config_size *dlg_config_sizes(dlg_task);

/** The field of `config` that `size` describes. */
size_t *dlg_config_field(dlg_config *config, const dlg_config_size *size);

/** Check every size against its limits and hidden_size against n_heads. Errors: `status`, naming `name` and the key. */
DLG_MUST_USE dlg_status dlg_config_check(dlg_config *, const char *name, dlg_status status, dlg_error *);

#endif
