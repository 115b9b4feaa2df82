#include "base/interrupt.h"
#include "base/memory.h"
#include "defend/defence.h"
#include "gradient/update.h"
#include "io/truth.h"
#include "library/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* @param how of several steps; NULL: the gradient of one */
static dlg_status share_step(dlg_gradient *out, const dlg_model *model, dlg_truth *truth, const dlg_training *how,
                             uint64_t seed, dlg_error *err)
{
    dlg_batch batch = {0};
    dlg_status status = DLG_OK;
    size_t n_predicted = 0;
    size_t *lengths = dlg_allocate(truth->n_sentences, sizeof *lengths),
           *rows = dlg_allocate(truth->n_rows, sizeof *rows), *labels = dlg_allocate(truth->n_rows, sizeof *labels);
    if (!lengths || !rows || !labels) {
        status = dlg_fail(err, DLG_ENOMEM, "step: no memory for %zu tokens", truth->n_rows);
        goto out;
    }
    for (size_t b = 0; b < truth->n_sentences; b++) lengths[b] = truth->first[b + 1] - truth->first[b];
    const size_t n_labels = truth->is_classification ? truth->n_sentences : truth->n_rows;
    for (size_t i = 0; i < n_labels; i++) {
        if (truth->labels[i] == DLG_NO_LABEL) continue;
        rows[n_predicted] = i; /* a classifier's rows are the batch's own */
        labels[n_predicted++] = (size_t)truth->labels[i];
    }
    status = dlg_batch_create(&batch, model->config.task, truth->n_sentences, lengths, err);
    batch.dropout = truth->dropped;
    batch.dropout_seed = seed;
    if (!status) dlg_batch_set_types(&batch, truth->types);
    if (!status && !truth->is_classification) status = dlg_batch_predict(&batch, n_predicted, rows, err);
    const dlg_step step = {.batch = &batch, .fed = truth->fed, .labels = labels};
    if (!status && how) status = dlg_update_train(out, &truth->loss, model, &step, how, err);
    else if (!status) status = dlg_gradient_share(out, &truth->loss, model, &step, err);
    if (!status && !isfinite(truth->loss)) {
        status = dlg_fail(err, DLG_ENONFINITE, "%s: want a finite loss, found %g", model->name, truth->loss);
        dlg_gradient_release(out);
    }
out:
    dlg_batch_release(&batch);
    dlg_free(lengths);
    dlg_free(rows);
    dlg_free(labels);
    return status;
}

/* The chain as the metadata have it; NULL when memory ran out. */
static char *name_defences(size_t n_defences, const char *const defences[])
{
    size_t n = sizeof "none", used = 0;
    for (size_t i = 0; i < n_defences; i++) n += strlen(defences[i]) + 1;
    char *chain = dlg_allocate(n, 1);
    if (!chain) return NULL;
    if (!n_defences) snprintf(chain, n, "none");
    for (size_t i = 0; i < n_defences; i++)
        used += (size_t)snprintf(chain + used, n - used, "%s%s", i ? "," : "", defences[i]);
    return chain;
}

static dlg_status defend(dlg_gradient *gradient, size_t n, const char *const specs[], dlg_error *err)
{
    dlg_defence *defences = dlg_allocate(n, sizeof *defences);
    gradient->defence = name_defences(n, specs);
    dlg_status status = DLG_OK;
    if (!defences || !gradient->defence) status = dlg_fail(err, DLG_ENOMEM, "defences: no memory for %zu", n);
    for (size_t i = 0; i < n && !status; i++) status = dlg_defence_parse(&defences[i], specs[i], err);
    for (size_t i = 0; i < gradient->n && !status; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        status =
            dlg_defence_apply(defences, n, p->name, gradient->owned[i], dlg_parameter_items(p), gradient->seed, err);
    }
    dlg_free(defences);
    return status;
}

/* A step on record can have been made otherwise than this library makes one. */
static dlg_status check_step(const dlg_truth *step, const dlg_model *model, dlg_error *err)
{
    if (step->dropout && !(step->dropped > 0))
        return dlg_fail(err, DLG_EFORMAT, "%s: want a step without dropout, found one with it", dlg_fit_name(step));
    if (model->config.task == DLG_SEQUENCE_CLASSIFICATION && model->config.n_labels < 2)
        return dlg_fail(err, DLG_ESHAPE, "%s: num_labels: want at least 2 classes, found 1 (that is a regression)",
                        model->name);
    return dlg_fit_step(step, model, err);
}

static dlg_status compute(dlg_gradient **out, const dlg_model *model, dlg_truth *step, const dlg_training *how,
                          size_t n_defences, const char *const defences[], uint64_t seed, dlg_error *err)
{
    dlg_gradient *gradient = NULL;
    *out = NULL;
    dlg_status status = check_step(step, model, err);
    for (size_t i = 0; i < n_defences && !status; i++) status = dlg_defence_check(defences[i], err);
    if (!status) status = dlg_check_interrupt(err);
    if (status) return status;
    gradient = dlg_allocate(1, sizeof *gradient);
    if (!gradient) return dlg_fail(err, DLG_ENOMEM, "gradient of %s: no memory", model->name);
    status = share_step(gradient, model, step, how, seed, err);
    gradient->seed = seed;
    if (!status) status = defend(gradient, n_defences, defences, err);
    if (status) dlg_gradient_free(gradient);
    else *out = gradient;
    return status;
}

dlg_status dlg_gradient_compute(dlg_gradient **out, const dlg_model *model, dlg_truth *step, size_t n_defences,
                                const char *const defences[], uint64_t seed, dlg_error *err)
{
    return compute(out, model, step, NULL, n_defences, defences, seed, err);
}

dlg_status dlg_gradient_train(dlg_gradient **out, const dlg_model *model, dlg_truth *step,
                              const dlg_training_choice *how, size_t n_defences, const char *const defences[],
                              uint64_t seed, dlg_error *err)
{
    dlg_training training = {.shared = DLG_SHARED_GRADIENT};
    *out = NULL;
    const dlg_status status = dlg_training_choose(&training, how, err);
    if (status) return status;
    if (!training.shared || !training.trainer || !(training.lr > 0) || !training.n_steps)
        return dlg_fail(err, DLG_EARG, "training: want what is shared, an optimizer, lr and steps, found one missing");
    return compute(out, model, step, &training, n_defences, defences, seed, err);
}

dlg_status dlg_defence_check(const char *defence, dlg_error *err)
{
    dlg_defence parsed;
    return dlg_defence_parse(&parsed, defence, err);
}
