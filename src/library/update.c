#include "library/update.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "gradient/update.h"
#include "library/fit.h"
#include "library/metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- metadata ---- */

/* No number: 0 would be one that was not told. */
static dlg_status read_lr(double *out, const dlg_safetensors *file, dlg_error *err)
{
    const char *text = dlg_safetensors_metadata(file, DLG_METADATA_LR);
    char *end = NULL;
    if (!text) return DLG_OK;
    *out = *text && !text[strspn(text, "+-.0123456789eE")] ? strtod(text, &end) : 0;
    if (end && !*end && *out > 0 && *out <= 1e6) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: metadata " DLG_METADATA_LR ": want a learning rate, found \"%.60s\"",
                    dlg_safetensors_path(file), text);
}

dlg_status dlg_training_read(dlg_training *out, const dlg_safetensors *file, dlg_error *err)
{
    uint64_t n_steps = 0;
    dlg_error inner = {.status = DLG_OK};
    dlg_training_choice choice = {.shared = dlg_safetensors_metadata(file, DLG_METADATA_UPDATE),
                                  .optimizer = dlg_safetensors_metadata(file, DLG_METADATA_OPTIMIZER)};
    *out = (dlg_training){.shared = DLG_SHARED_GRADIENT};
    dlg_status status = read_lr(&choice.lr, file, err);
    if (!status)
        status = dlg_metadata_whole(&n_steps, file, DLG_METADATA_STEPS, 1, 1000000000, "a number of steps", err);
    if (status) return status;
    choice.n_steps = (size_t)n_steps;
    status = dlg_training_choose(out, &choice, &inner);
    return status ? dlg_fail(err, DLG_EFORMAT, "%s: metadata: %s", dlg_safetensors_path(file), inner.message) : DLG_OK;
}

size_t dlg_training_entries(const dlg_training *t, dlg_training_texts *texts, dlg_metadata *entries)
{
    if (!t->shared) return 0;
    snprintf(texts->lr, sizeof texts->lr, "%.9g", t->lr);
    snprintf(texts->n_steps, sizeof texts->n_steps, "%zu", t->n_steps);
    entries[0] = (dlg_metadata){DLG_METADATA_UPDATE, dlg_shared_name(t->shared)};
    entries[1] = (dlg_metadata){DLG_METADATA_OPTIMIZER, dlg_training_spell(t, texts->optimizer)};
    entries[2] = (dlg_metadata){DLG_METADATA_LR, texts->lr};
    entries[3] = (dlg_metadata){DLG_METADATA_STEPS, texts->n_steps};
    return DLG_TRAINING_ENTRIES;
}

/* ---- to be attacked ---- */

dlg_status dlg_training_check(const dlg_training_choice *choice, dlg_error *err)
{
    dlg_training t = {.shared = DLG_SHARED_GRADIENT};
    return dlg_training_choose(&t, choice, err);
}

dlg_status dlg_gradient_read_update(dlg_gradient **out, const dlg_model *before, const char *path,
                                    const dlg_training_choice *how, dlg_error *err)
{
    dlg_safetensors *file = NULL;
    dlg_training training;
    *out = NULL;
    dlg_status status = dlg_fit_trained(before, err);
    if (!status) status = dlg_safetensors_open(&file, path, err);
    if (!status) status = dlg_training_read(&training, file, err);
    if (!status && how) status = dlg_training_choose(&training, how, err);
    dlg_gradient *gradient = status ? NULL : dlg_allocate(1, sizeof *gradient);
    if (!status && !gradient) status = dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    if (!status) status = dlg_update_open(gradient, file, before, &training, err);
    if (status) {
        dlg_free(gradient);
        dlg_safetensors_close(file);
    } else {
        *out = gradient;
    }
    return status;
}

double dlg_gradient_rounding(const dlg_gradient *gradient, const char *parameter)
{
    for (size_t i = 0; i < gradient->n; i++)
        if (!strcmp(gradient->model->parameters[i].name, parameter))
            return dlg_gradient_rounding_at(gradient, &gradient->model->parameters[i]);
    return 0;
}
