/* A config.json's bytes. One that is accepted must be one that a model can be made of. */
#include "models/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_config config;
    dlg_error err;
    const dlg_status status = dlg_config_parse(&config, "input", data, size, &err);
    if (status) {
        if (config.n_heads || status != err.status || strncmp(err.message, "input: ", 7) != 0) abort();
        return 0;
    }
    const size_t h = config.hidden_size, limit = (size_t)1 << 47;
    if (!config.n_heads || h % config.n_heads || !config.vocabulary_size || !config.n_layers ||
        !config.intermediate_size || !config.max_positions || !(config.layer_norm_eps > 0) ||
        (config.task != DLG_CAUSAL_LM && (!config.n_token_types || !config.n_labels)))
        abort();
    if (config.n_layers * (4 * h * h + 2 * h * config.intermediate_size) +
            h * (config.vocabulary_size + config.max_positions) >
        limit)
        abort();
    return 0;
}
