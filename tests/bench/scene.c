#define _POSIX_C_SOURCE 200809L
#include "scene.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static dlg_status open_model(scene *s, const char *model, const char *gradient, dlg_error *err)
{
    const dlg_model_choice choice = {.directory = strcmp(model, "-") ? model : NULL};
    const dlg_status status = dlg_model_open_for(&s->model, gradient, &choice, err);
    if (!status && s->model->config.task != DLG_MASKED_LM)
        return dlg_fail(err, DLG_EFORMAT, "%s: want a masked LM", model);
    return status;
}

static dlg_status set_labels(scene *s, dlg_error *err)
{
    const size_t n = dlg_truth_count_labels(&s->truth);
    s->rows = dlg_allocate(n, sizeof *s->rows);
    s->label = dlg_allocate(n, sizeof *s->label);
    s->share = dlg_allocate(n * n, sizeof *s->share);
    if (!s->rows || !s->label || !s->share) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < s->truth.n_rows; i++) {
        if (s->truth.labels[i] == DLG_NO_LABEL) continue;
        s->rows[s->n] = i;
        s->label[s->n] = (size_t)s->truth.labels[i];
        s->share[s->n * n + s->n] = 1;
        s->n++;
    }
    return DLG_OK;
}

dlg_status scene_open(scene *s, const char *model, const char *gradient, const char *truth, dlg_error *err)
{
    dlg_status status = dlg_safetensors_open(&s->file, gradient, err);
    if (!status) status = open_model(s, model, gradient, err);
    if (!status) status = dlg_gradient_open(&s->gradient, s->file, s->model, err);
    if (!status) status = dlg_truth_read(&s->truth, truth, err);
    if (!status && s->truth.is_classification)
        status = dlg_fail(err, DLG_EFORMAT, "%s: want a masked LM's truth", truth);
    if (status) return status;
    const dlg_config *config = &s->model->config;
    status = dlg_truth_check(&s->truth, truth, config->vocabulary_size, config->n_token_types, config->n_labels,
                             config->max_positions, err);
    s->n_numbers = s->truth.n_rows * config->hidden_size;
    return status ? status : set_labels(s, err);
}

void scene_close(scene *s)
{
    dlg_truth_release(&s->truth);
    dlg_gradient_release(&s->gradient);
    dlg_safetensors_close(s->file);
    dlg_model_free(s->model);
    dlg_free(s->rows);
    dlg_free(s->label);
    dlg_free(s->share);
    *s = (scene){0};
}

dlg_status scene_batch(dlg_batch *out, const scene *s, size_t n_predicted, const size_t *rows, dlg_error *err)
{
    *out = (dlg_batch){0};
    size_t *lengths = dlg_allocate(s->truth.n_sentences, sizeof *lengths);
    dlg_status status = lengths ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    for (size_t b = 0; !status && b < s->truth.n_sentences; b++) lengths[b] = s->truth.first[b + 1] - s->truth.first[b];
    if (!status) status = dlg_batch_create(out, DLG_MASKED_LM, s->truth.n_sentences, lengths, err);
    if (!status) status = dlg_batch_predict(out, n_predicted, rows, err);
    dlg_free(lengths);
    return status;
}

dlg_status scene_objective(dlg_objective **out, const scene *s, size_t n_predicted, const size_t *rows,
                           size_t max_labels, dlg_error *err)
{
    const dlg_distance *distance;
    dlg_batch batch = {0};
    *out = NULL;
    dlg_status status = dlg_distance_find(&distance, "l2", err);
    if (!status) status = scene_batch(&batch, s, n_predicted, rows, err);
    if (!status) status = dlg_objective_create(out, &s->gradient, &batch, max_labels, distance, err);
    dlg_batch_release(&batch);
    return status;
}

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(size_t n, double *values)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

size_t positive(const char *argument)
{
    const long value = strtol(argument, NULL, 10);
    return value > 0 ? (size_t)value : 0;
}
