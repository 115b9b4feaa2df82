#include "gradient/gradient.h"

#include "analytic/frozen.h"
#include "base/file.h"
#include "base/memory.h"
#include "io/truth.h"
#include "library/fit.h"
#include "library/metadata.h"
#include "library/update.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- to be attacked ---- */

/* The file is the gradient's from here on, also on failure. */
static dlg_status take(dlg_gradient **out, const dlg_model *model, dlg_safetensors *file, dlg_error *err)
{
    dlg_gradient *gradient = dlg_allocate(1, sizeof *gradient);
    dlg_status status = gradient ? dlg_gradient_open(gradient, file, model, err)
                                 : dlg_fail(err, DLG_ENOMEM, "%s: no memory", dlg_safetensors_path(file));
    if (status) {
        dlg_free(gradient);
        dlg_safetensors_close(file);
    } else {
        *out = gradient;
    }
    return status;
}

dlg_status dlg_gradient_read(dlg_gradient **out, const dlg_model *model, const char *path, dlg_error *err)
{
    dlg_safetensors *file = NULL;
    *out = NULL;
    dlg_status status = dlg_fit_trained(model, err);
    if (!status) status = dlg_safetensors_open(&file, path, err);
    return status ? status : take(out, model, file, err);
}

dlg_status dlg_gradient_of_arrays(dlg_gradient **out, const dlg_model *model, size_t n_arrays, const dlg_array arrays[],
                                  dlg_error *err)
{
    dlg_safetensors *set = NULL;
    *out = NULL;
    dlg_status status = dlg_fit_trained(model, err);
    if (!status) status = dlg_safetensors_of_arrays(&set, "gradient", n_arrays, arrays, err);
    return status ? status : take(out, model, set, err);
}

size_t dlg_gradient_n_frozen(const dlg_gradient *gradient)
{
    return dlg_frozen_of(gradient).n;
}

void dlg_gradient_free(dlg_gradient *gradient)
{
    if (!gradient) return;
    dlg_safetensors *file = gradient->file;
    dlg_gradient_release(gradient);
    dlg_safetensors_close(file);
    dlg_free(gradient);
}

const char *dlg_gradient_name(const dlg_gradient *gradient)
{
    return gradient->file ? dlg_safetensors_path(gradient->file) : "gradient";
}

size_t dlg_gradient_values(const dlg_gradient *gradient, const char *parameter, double *values)
{
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        if (strcmp(p->name, parameter) != 0 || !gradient->values[i]) continue;
        for (size_t k = 0; values && k < dlg_parameter_items(p); k++) values[k] = gradient->values[i][k];
        return dlg_parameter_items(p);
    }
    return 0;
}

/* ---- to be shared ---- */

static dlg_status save(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, const dlg_truth *step,
                       dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const bool is_preset = !model->file;
    char seed[24], n_labels[24], batch_size[24];
    dlg_training_texts texts;
    dlg_metadata metadata[7 + DLG_TRAINING_ENTRIES] = {{DLG_METADATA_VERSION, "1"},
                                                       {DLG_METADATA_MODEL, model->name},
                                                       {DLG_METADATA_TASK, dlg_model_task(model)},
                                                       {DLG_METADATA_BATCH_SIZE, batch_size},
                                                       {DLG_METADATA_DEFENCE, gradient->defence}};
    size_t n = 5;
    snprintf(batch_size, sizeof batch_size, "%zu", step->n_sentences);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)model->seed);
    snprintf(n_labels, sizeof n_labels, "%zu", model->config.n_labels);
    if (is_preset) metadata[n++] = (dlg_metadata){DLG_METADATA_MODEL_SEED, seed};
    if (is_preset && step->is_classification) metadata[n++] = (dlg_metadata){DLG_METADATA_N_LABELS, n_labels};
    n += dlg_training_entries(&gradient->training, &texts, metadata + n);
    return dlg_gradient_save(gradient, path, dtype, n, metadata, err);
}

dlg_status dlg_gradient_write(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, const dlg_truth *step,
                              const char *truth_path, dlg_error *err)
{
    dlg_status status = DLG_OK;
    dlg_file_writer *writer = NULL;
    if (!gradient->defence)
        return dlg_fail(err, DLG_EARG, "%s: want a gradient that was computed, found one that was read",
                        dlg_gradient_name(gradient));
    if (dtype > DLG_BF16) return dlg_fail(err, DLG_EARG, "%s: want numbers that are no integers", path);
    /* The truth is all but there before the gradient appears: what is left to go wrong with it is its renaming. */
    if (truth_path) status = dlg_file_create(&writer, truth_path, err);
    if (!status && truth_path) status = dlg_truth_append(step, writer, err);
    if (!status) status = save(gradient, path, dtype, step, err);
    if (status) {
        dlg_file_abandon(writer);
    } else if (truth_path) {
        status = dlg_file_commit(writer, err);
        if (status && !dlg_file_is_written_through(path)) unlink(path);
    }
    return status;
}
