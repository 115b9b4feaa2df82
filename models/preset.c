/* Sizes to experiment with, those of the small BERTs of Turc et al. 2019 (arXiv:1908.08962). */
#include "models/config_sizes.h"

#include "base/text.h"

#include <string.h>

const dlg_preset dlg_presets[] = {{"tiny", 128, 2},   {"mini", 256, 4},  {"small", 512, 4},
                                  {"medium", 512, 8}, {"base", 768, 12}, {NULL, 0, 0}};

dlg_status dlg_config_preset(dlg_config *out, const char *name, dlg_task task, size_t vocabulary_size, size_t n_labels,
                             dlg_error *err)
{
    char names[128] = "";
    *out = (dlg_config){0};
    for (const dlg_preset *preset = dlg_presets; preset->name; preset++) {
        dlg_text_list(names, sizeof names, preset->name, !preset[1].name);
        if (strcmp(name, preset->name)) continue;
        dlg_config config = {
            .task = task,
            .vocabulary_size = vocabulary_size,
            .hidden_size = preset->hidden_size,
            .n_layers = preset->n_layers,
            .n_heads = preset->hidden_size / 64,
            .intermediate_size = 4 * preset->hidden_size,
            .max_positions = 512,
            .n_token_types = 2,
            .n_labels = task == DLG_SEQUENCE_CLASSIFICATION ? n_labels : 2,
            .activation = DLG_GELU_ERF,
            .layer_norm_eps = 1e-12,
            .initializer_range = 0.02,
            .tied_decoder = true,
        };
        const dlg_status status = dlg_config_check(&config, name, DLG_EARG, err);
        if (!status) *out = config;
        return status;
    }
    return dlg_fail(err, DLG_EARG, "preset: want %s, found \"%s\"", names, name);
}
