/* Sizes to experiment with, those of the small BERTs of Turc et al. 2019 (arXiv:1908.08962). */
#include "models/config_sizes.h"

#include <string.h>

static const struct {
    const char *name;
    size_t hidden_size, n_layers;
} presets[] = {{"tiny", 128, 2}, {"mini", 256, 4}, {"small", 512, 4}, {"medium", 512, 8}, {"base", 768, 12}};

dlg_status dlg_config_preset(dlg_config *out, const char *name, dlg_task task, size_t vocabulary_size, size_t n_labels,
                             dlg_error *err)
{
    *out = (dlg_config){0};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(name, presets[i].name)) continue;
        dlg_config config = {
            .task = task,
            .vocabulary_size = vocabulary_size,
            .hidden_size = presets[i].hidden_size,
            .n_layers = presets[i].n_layers,
            .n_heads = presets[i].hidden_size / 64,
            .intermediate_size = 4 * presets[i].hidden_size,
            .max_positions = 512,
            .n_token_types = 2,
            .n_labels = task == DLG_SEQUENCE_CLASSIFICATION ? n_labels : 2,
            .gelu = DLG_GELU_ERF,
            .layer_norm_eps = 1e-12,
            .initializer_range = 0.02,
            .tied_decoder = true,
        };
        const dlg_status status = dlg_config_check(&config, name, DLG_EARG, err);
        if (!status) *out = config;
        return status;
    }
    return dlg_fail(err, DLG_EARG, "preset: want tiny, mini, small, medium or base, found \"%s\"", name);
}
