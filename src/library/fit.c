#include "library/fit.h"

#include <string.h>

dlg_status dlg_fit_trained(const dlg_model *model, dlg_error *err)
{
    if (model->config.task != DLG_CAUSAL_LM) return DLG_OK;
    return dlg_fail(err, DLG_EARG, "%s: want a model for mlm or cls, found one for %s", model->name,
                    dlg_model_task(model));
}

const char *dlg_fit_name(const dlg_truth *truth)
{
    return truth->name ? truth->name : "step";
}

dlg_status dlg_fit_truth(const dlg_truth *truth, const dlg_model *model, dlg_error *err)
{
    const dlg_config *config = &model->config;
    size_t n_types;
    dlg_model_types(model, &n_types);
    return dlg_truth_check(truth, dlg_fit_name(truth), config->vocabulary_size, n_types, config->n_labels,
                           config->max_positions, err);
}

dlg_status dlg_fit_step(const dlg_truth *step, const dlg_model *model, dlg_error *err)
{
    if (strcmp(dlg_truth_task(step), dlg_model_task(model)) != 0)
        return dlg_fail(err, DLG_EFORMAT, "%s: task: want %s, as the model is for, found %s", dlg_fit_name(step),
                        dlg_model_task(model), dlg_truth_task(step));
    return dlg_fit_truth(step, model, err);
}
