/** The sizes of dlg_config and their limits, for config.json and for presets. */
#ifndef DLG_MODELS_CONFIG_SIZES_H
#define DLG_MODELS_CONFIG_SIZES_H

#include "models/architecture.h"

/** The field of `config` that `size` describes. */
size_t *dlg_config_field(dlg_config *config, const dlg_config_size *size);

/** Check every size against its limits and hidden_size against n_heads. Errors: `status`, naming `name` and the key. */
DLG_MUST_USE dlg_status dlg_config_check(dlg_config *, const char *name, dlg_status status, dlg_error *);

#endif
