#include "io/truth.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/** What the rows of one list hold: tokens[i], labels[i] or types[i]; where all are NULL, 1. */
typedef struct {
    const uint32_t *tokens;
    const int64_t *labels;
    const size_t *types;
    double padding;
} row_values;

static bool add_number(cJSON *list, double value)
{
    cJSON *item = cJSON_CreateNumber(value);
    return item && cJSON_AddItemToArray(list, item);
}

/** One row a sentence, each as long as the longest. */
static bool add_rectangle(cJSON *root, const char *key, const dlg_truth *truth, row_values values)
{
    cJSON *rows = cJSON_AddArrayToObject(root, key);
    bool made = rows != NULL;
    size_t width = 0;
    for (size_t b = 0; b < truth->n_sentences; b++) {
        const size_t length = truth->first[b + 1] - truth->first[b];
        if (length > width) width = length;
    }
    for (size_t b = 0; b < truth->n_sentences && made; b++) {
        cJSON *row = cJSON_CreateArray();
        made = row && cJSON_AddItemToArray(rows, row);
        for (size_t t = 0; t < width && made; t++) {
            const size_t i = truth->first[b] + t;
            if (i >= truth->first[b + 1]) made = add_number(row, values.padding);
            else
                made = add_number(row, values.tokens   ? (double)values.tokens[i]
                                       : values.labels ? (double)values.labels[i]
                                       : values.types  ? (double)values.types[i]
                                                       : 1);
        }
    }
    return made;
}

static bool add_classes(cJSON *root, const dlg_truth *truth)
{
    cJSON *list = cJSON_AddArrayToObject(root, "labels");
    bool made = list != NULL;
    for (size_t b = 0; b < truth->n_sentences && made; b++) made = add_number(list, (double)truth->labels[b]);
    return made;
}

static bool add_text(cJSON *root, const char *key, const dlg_truth *truth, char *const *text)
{
    if (!text) return true;
    cJSON *list = cJSON_AddArrayToObject(root, key);
    bool made = list != NULL;
    for (size_t b = 0; b < truth->n_sentences && made; b++) {
        cJSON *item = text[b] ? cJSON_CreateString(text[b]) : cJSON_CreateNull();
        made = item && cJSON_AddItemToArray(list, item);
    }
    return made;
}

static bool has_types(const dlg_truth *truth)
{
    for (size_t i = 0; i < truth->n_rows; i++)
        if (truth->types[i]) return true;
    return false;
}

static bool fill(cJSON *root, const dlg_truth *truth)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)truth->seed); /* cJSON would write 10^15 as 1e+15 */
    return cJSON_AddStringToObject(root, "task", truth->is_classification ? "cls" : "mlm") &&
           add_text(root, "text", truth, truth->text) && add_text(root, "text_pair", truth, truth->pair) &&
           add_rectangle(root, "fed_ids", truth, (row_values){.tokens = truth->fed, .padding = truth->pad}) &&
           add_rectangle(root, "ids", truth, (row_values){.tokens = truth->ids, .padding = truth->pad}) &&
           (!has_types(truth) || add_rectangle(root, "token_type_ids", truth, (row_values){.types = truth->types})) &&
           add_rectangle(root, "attention", truth, (row_values){.padding = 0}) &&
           (truth->is_classification ? add_classes(root, truth)
                                     : add_rectangle(root, "labels", truth,
                                                     (row_values){.labels = truth->labels, .padding = DLG_NO_LABEL})) &&
           cJSON_AddNumberToObject(root, "loss", truth->loss) && cJSON_AddRawToObject(root, "seed", seed) &&
           cJSON_AddBoolToObject(root, "dropout", truth->dropout);
}

dlg_status dlg_truth_append(const dlg_truth *truth, dlg_file_writer *writer, dlg_error *err)
{
    cJSON *root = cJSON_CreateObject();
    char *text = root && fill(root, truth) ? cJSON_Print(root) : NULL;
    dlg_status status =
        text ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu sentences", truth->n_sentences);
    if (!status) status = dlg_file_append(writer, text, strlen(text), err);
    if (!status) status = dlg_file_append(writer, "\n", 1, err);
    cJSON_free(text);
    cJSON_Delete(root);
    return status;
}
