#include "case.h"

#include "base/file.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
/* after the four above */
#include <cmocka.h>

static const cJSON *member(const cJSON *truth, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(truth, name);
    assert_non_null(item);
    return item;
}

static int number_at(const cJSON *rows, size_t row, size_t column)
{
    return cJSON_GetArrayItem(cJSON_GetArrayItem(rows, (int)row), (int)column)->valueint;
}

static void read_truth(dlg_case *c, const cJSON *truth)
{
    const cJSON *attention = member(truth, "attention"), *fed = member(truth, "fed_ids"),
                *labels = member(truth, "labels");
    const size_t n_sentences = (size_t)cJSON_GetArraySize(attention);
    size_t lengths[64];
    assert_true(n_sentences <= 64);
    c->width = (size_t)cJSON_GetArraySize(cJSON_GetArrayItem(attention, 0));
    c->loss = member(truth, "loss")->valuedouble;
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = lengths[b] = 0; t < c->width; t++) lengths[b] += (size_t)number_at(attention, b, t);
    assert_int_equal(dlg_batch_create(&c->batch, c->model->config.task, n_sentences, lengths, NULL), DLG_OK);
    c->fed = dlg_allocate(c->batch.n_rows, sizeof *c->fed);
    c->padded_row = dlg_allocate(c->batch.n_rows, sizeof *c->padded_row);
    c->labels = dlg_allocate(c->batch.n_rows, sizeof *c->labels);
    size_t *predicted = dlg_allocate(c->batch.n_rows, sizeof *predicted), n_predicted = 0;
    for (size_t b = 0, row = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, row++) {
            c->fed[row] = (uint32_t)number_at(fed, b, t);
            c->padded_row[row] = b * c->width + t;
            if (c->model->config.task != DLG_MASKED_LM || number_at(labels, b, t) < 0) continue;
            c->labels[n_predicted] = (size_t)number_at(labels, b, t);
            predicted[n_predicted++] = row;
        }
    if (c->model->config.task == DLG_MASKED_LM)
        assert_int_equal(dlg_batch_predict(&c->batch, n_predicted, predicted, NULL), DLG_OK);
    else
        for (size_t b = 0; b < n_sentences; b++) c->labels[b] = (size_t)cJSON_GetArrayItem(labels, (int)b)->valueint;
    dlg_free(predicted);
}

bool dlg_case_open(dlg_case *out, const char *directory)
{
    struct stat info;
    dlg_error err = {0};
    *out = (dlg_case){0};
    if (stat(directory, &info)) return false;
    char *model = dlg_path_join(directory, "model"), *gradient = dlg_path_join(directory, "case.g"),
         *truth_path = dlg_path_join(directory, "case.truth.json");
    cJSON *truth = NULL;
    const bool ok =
        !dlg_model_load(&out->model, model, DLG_BOTH_WAYS, &err) && !dlg_safetensors_open(&out->file, gradient, &err) &&
        !dlg_gradient_open(&out->gradient, out->file, out->model, &err) && !dlg_json_read(&truth, truth_path, &err);
    if (!ok) fail_msg("%s", err.message);
    read_truth(out, truth);
    cJSON_Delete(truth);
    dlg_free(model);
    dlg_free(gradient);
    dlg_free(truth_path);
    return true;
}

void dlg_case_close(dlg_case *c)
{
    dlg_gradient_release(&c->gradient);
    dlg_safetensors_close(c->file);
    dlg_model_free(c->model);
    dlg_batch_release(&c->batch);
    dlg_free(c->fed);
    dlg_free(c->labels);
    dlg_free(c->padded_row);
    *c = (dlg_case){0};
}
