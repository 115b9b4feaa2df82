/* A safetensors file as a gradient of a small model: under which names its tensors are taken for parameters. */
#include "gradient/gradient.h"
#include "math/blas.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the sizes that the corpus has. */
static const dlg_model *small(void)
{
    static const dlg_config config = {.task = DLG_MASKED_LM,
                                      .vocabulary_size = 6,
                                      .hidden_size = 2,
                                      .n_layers = 1,
                                      .n_heads = 1,
                                      .intermediate_size = 2,
                                      .max_positions = 4,
                                      .n_token_types = 1,
                                      .n_labels = 2,
                                      .layer_norm_eps = 1e-12,
                                      .initializer_range = 0.3,
                                      .tied_decoder = true};
    static dlg_model *model;
    if (!model && dlg_model_preset(&model, "small", &config, 1, NULL)) abort();
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    dlg_safetensors *file = NULL;
    dlg_gradient gradient = {0};
    dlg_error err = {0};
    dlg_blas_start(1);
    snprintf(path, sizeof path, "/tmp/dlg-fuzz-%ld.names", (long)getpid());
    FILE *written = fopen(path, "wb");
    if (!written || fwrite(data, 1, size, written) != size || fclose(written)) abort();
    dlg_status status = dlg_safetensors_open(&file, path, &err);
    if (!status) status = dlg_gradient_open(&gradient, file, small(), &err);
    if (status && (status != err.status || strncmp(err.message, path, strlen(path)) != 0)) abort();
    size_t n = 0;
    for (size_t i = 0; !status && i < gradient.n; i++) n += gradient.values[i] != NULL;
    if (!status && !n) abort();
    dlg_gradient_release(&gradient);
    dlg_safetensors_close(file);
    unlink(path);
    return 0;
}
