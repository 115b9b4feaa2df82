#include "io/truth.h"

#include "base/json.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

dlg_status dlg_truth_create(dlg_truth *out, bool is_classification, size_t n_sentences, const size_t *lengths,
                            dlg_error *err)
{
    *out = (dlg_truth){.is_classification = is_classification, .n_sentences = n_sentences};
    for (size_t b = 0; b < n_sentences; b++) {
        assert(lengths[b] > 0);
        out->n_rows += lengths[b];
    }
    const size_t n_labels = is_classification ? n_sentences : out->n_rows;
    out->first = dlg_allocate(n_sentences + 1, sizeof *out->first);
    out->fed = dlg_allocate(out->n_rows, sizeof *out->fed);
    out->ids = dlg_allocate(out->n_rows, sizeof *out->ids);
    out->types = dlg_allocate(out->n_rows, sizeof *out->types);
    out->labels = dlg_allocate(n_labels, sizeof *out->labels);
    if (!out->first || !out->fed || !out->ids || !out->types || !out->labels) {
        dlg_truth_release(out);
        return dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu sentences", n_sentences);
    }
    for (size_t b = 0; b < n_sentences; b++) out->first[b + 1] = out->first[b] + lengths[b];
    for (size_t i = 0; i < n_labels; i++) out->labels[i] = DLG_NO_LABEL;
    return DLG_OK;
}

void dlg_truth_release(dlg_truth *truth)
{
    for (size_t b = 0; truth->text && b < truth->n_sentences; b++) dlg_free(truth->text[b]);
    for (size_t b = 0; truth->pair && b < truth->n_sentences; b++) dlg_free(truth->pair[b]);
    dlg_free(truth->pair);
    dlg_free(truth->name);
    dlg_free(truth->text);
    dlg_free(truth->first);
    dlg_free(truth->fed);
    dlg_free(truth->ids);
    dlg_free(truth->types);
    dlg_free(truth->labels);
    *truth = (dlg_truth){0};
}

size_t dlg_truth_count_labels(const dlg_truth *truth)
{
    const size_t n = truth->is_classification ? truth->n_sentences : truth->n_rows;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += truth->labels[i] != DLG_NO_LABEL;
    return count;
}

dlg_status dlg_truth_check(const dlg_truth *truth, const char *path, size_t vocabulary_size, size_t n_types,
                           size_t n_labels, size_t max_positions, dlg_error *err)
{
    for (size_t b = 0; b < truth->n_sentences; b++) {
        const size_t length = truth->first[b + 1] - truth->first[b];
        if (length > max_positions)
            return dlg_fail(err, DLG_ESHAPE, "%s: sentence %zu: want at most the model's %zu positions, found %zu",
                            path, b, max_positions, length);
        if (truth->is_classification && (uint64_t)truth->labels[b] >= n_labels)
            return dlg_fail(err, DLG_ESHAPE, "%s: labels[%zu]: want one of the model's %zu classes, found %lld", path,
                            b, n_labels, (long long)truth->labels[b]);
        for (size_t i = truth->first[b]; i < truth->first[b + 1]; i++) {
            const uint32_t larger = truth->fed[i] > truth->ids[i] ? truth->fed[i] : truth->ids[i];
            if (larger >= vocabulary_size)
                return dlg_fail(err, DLG_ESHAPE,
                                "%s: sentence %zu, position %zu: want a token of the model's %zu, found %lu", path, b,
                                i - truth->first[b], vocabulary_size, (unsigned long)larger);
            if (truth->types[i] >= n_types)
                return dlg_fail(err, DLG_ESHAPE,
                                "%s: sentence %zu, position %zu: want one of the model's %zu token types, found %zu",
                                path, b, i - truth->first[b], n_types, truth->types[i]);
        }
    }
    return DLG_OK;
}

/* ---- reading ---- */

/** The file's lists, all checked to be lists of n_sentences entries. */
typedef struct {
    const char *path;
    dlg_error *err;
    size_t n_sentences, width;
    uint64_t *numbers;                                                 /* (width) scratch */
    const cJSON *attention, *fed, *ids, *types, *labels, *text, *pair; /* types, text, pair: NULL where absent */
} lists;

static dlg_status find_list(const lists *l, const cJSON *root, const char *key, const cJSON **out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, key);
    *out = item;
    if (!cJSON_IsArray(item))
        return dlg_fail(l->err, DLG_EFORMAT, "%s: %s: want a list, found %s", l->path, key, item ? "no list" : "none");
    const size_t n = (size_t)cJSON_GetArraySize(item);
    if (!n) return dlg_fail(l->err, DLG_EFORMAT, "%s: %s: want at least one entry, found none", l->path, key);
    if (l->n_sentences && n != l->n_sentences)
        return dlg_fail(l->err, DLG_EFORMAT, "%s: %s: want the %zu sentences that attention has, found %zu", l->path,
                        key, l->n_sentences, n);
    return DLG_OK;
}

/** One row of a rectangle. */
static dlg_status check_row(const lists *l, const char *key, size_t b, const cJSON *row)
{
    const size_t n = cJSON_IsArray(row) ? (size_t)cJSON_GetArraySize(row) : 0;
    if (n == l->width) return DLG_OK;
    return dlg_fail(l->err, DLG_EFORMAT, "%s: %s[%zu]: want a list of %zu, as attention[0] is, found %zu", l->path, key,
                    b, l->width, n);
}

/** 1s and then 0s. @param[out] length how many 1s */
static dlg_status measure_row(const lists *l, size_t b, const cJSON *row, size_t *length)
{
    uint64_t value, before = 1;
    size_t t = 0;
    const cJSON *item;
    dlg_status status = check_row(l, "attention", b, row);
    if (status) return status;
    *length = 0;
    cJSON_ArrayForEach(item, row)
    {
        if (!dlg_json_whole(item, &value) || value > before)
            return dlg_fail(l->err, DLG_EFORMAT, "%s: attention[%zu][%zu]: want 1s and then 0s, found another value",
                            l->path, b, t);
        *length += value;
        before = value;
        t++;
    }
    if (!*length)
        return dlg_fail(l->err, DLG_EFORMAT, "%s: attention[%zu]: want at least one token, found none", l->path, b);
    return DLG_OK;
}

/** numbers := a row's, each of which is `what`. */
static dlg_status read_row(const lists *l, const char *key, const char *what, size_t b, const cJSON *row)
{
    size_t t = 0;
    const cJSON *item;
    dlg_status status = check_row(l, key, b, row);
    if (status) return status;
    cJSON_ArrayForEach(item, row)
    {
        if (!dlg_json_whole(item, &l->numbers[t]) || l->numbers[t] > UINT32_MAX)
            return dlg_fail(l->err, DLG_EFORMAT, "%s: %s[%zu][%zu]: want %s, found another value", l->path, key, b, t,
                            what);
        t++;
    }
    return DLG_OK;
}

static dlg_status read_tokens(const lists *l, const char *key, size_t b, const cJSON *row, size_t length, uint32_t *out,
                              uint32_t *pad)
{
    const dlg_status status = read_row(l, key, "a token", b, row);
    for (size_t t = 0; !status && t < l->width; t++) *(t < length ? &out[t] : pad) = (uint32_t)l->numbers[t];
    return status;
}

static dlg_status read_types(const lists *l, size_t b, const cJSON *row, size_t length, size_t *out)
{
    const dlg_status status = read_row(l, "token_type_ids", "a token type", b, row);
    for (size_t t = 0; !status && t < length; t++) out[t] = (size_t)l->numbers[t];
    return status;
}

static bool is_no_label(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble == (double)DLG_NO_LABEL;
}

static dlg_status read_labels(const lists *l, size_t b, const cJSON *row, size_t length, const uint32_t *ids,
                              int64_t *out)
{
    uint64_t value;
    size_t t = 0;
    const cJSON *item;
    dlg_status status = check_row(l, "labels", b, row);
    if (status) return status;
    cJSON_ArrayForEach(item, row)
    {
        if (!is_no_label(item)) {
            if (t >= length)
                return dlg_fail(l->err, DLG_EFORMAT, "%s: labels[%zu][%zu]: want -100 in padding, found another value",
                                l->path, b, t);
            if (!dlg_json_whole(item, &value) || value != ids[t])
                return dlg_fail(l->err, DLG_EFORMAT,
                                "%s: labels[%zu][%zu]: want -100 or %lu, as ids has it, found another value", l->path,
                                b, t, (unsigned long)ids[t]);
            out[t] = (int64_t)value;
        }
        t++;
    }
    return DLG_OK;
}

static dlg_status read_class(const lists *l, size_t b, const cJSON *item, int64_t *out)
{
    uint64_t value;
    if (!dlg_json_whole(item, &value) || value > UINT32_MAX)
        return dlg_fail(l->err, DLG_EFORMAT, "%s: labels[%zu]: want a class, found another value", l->path, b);
    *out = (int64_t)value;
    return DLG_OK;
}

/* @param may_lack an entry may be null */
static dlg_status read_text(const lists *l, const char *key, const cJSON *list, bool may_lack, char ***out)
{
    size_t b = 0;
    const cJSON *item;
    *out = dlg_allocate(l->n_sentences, sizeof **out);
    if (!*out) return dlg_fail(l->err, DLG_ENOMEM, "%s: no memory", l->path);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) && !(may_lack && cJSON_IsNull(item)))
            return dlg_fail(l->err, DLG_EFORMAT, "%s: %s[%zu]: want a string, found another value", l->path, key, b);
        if (cJSON_IsString(item) && !((*out)[b] = dlg_copy_string(item->valuestring)))
            return dlg_fail(l->err, DLG_ENOMEM, "%s: no memory", l->path);
        b++;
    }
    return DLG_OK;
}

/** What may be absent. */
static dlg_status read_rest(const lists *l, const cJSON *root, dlg_truth *out)
{
    const cJSON *loss = cJSON_GetObjectItemCaseSensitive(root, "loss"),
                *seed = cJSON_GetObjectItemCaseSensitive(root, "seed"),
                *dropout = cJSON_GetObjectItemCaseSensitive(root, "dropout");
    if (loss && !cJSON_IsNumber(loss))
        return dlg_fail(l->err, DLG_EFORMAT, "%s: loss: want a number, found another value", l->path);
    if (seed && !dlg_json_whole(seed, &out->seed))
        return dlg_fail(l->err, DLG_EFORMAT, "%s: seed: want a whole number up to 2^53, found another value", l->path);
    if (dropout && !cJSON_IsBool(dropout))
        return dlg_fail(l->err, DLG_EFORMAT, "%s: dropout: want true or false, found another value", l->path);
    out->loss = loss ? loss->valuedouble : 0;
    out->dropout = cJSON_IsTrue(dropout);
    const dlg_status status = l->text ? read_text(l, "text", l->text, false, &out->text) : DLG_OK;
    return status || !l->pair ? status : read_text(l, "text_pair", l->pair, true, &out->pair);
}

static dlg_status read_task(const char *path, const cJSON *root, bool *is_classification, dlg_error *err)
{
    const cJSON *task = cJSON_GetObjectItemCaseSensitive(root, "task");
    const char *name = cJSON_IsString(task) ? task->valuestring : "no string";
    *is_classification = !strcmp(name, "cls");
    if (*is_classification || !strcmp(name, "mlm")) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: task: want \"mlm\" or \"cls\", found %.60s", path, name);
}

static dlg_status read_sentences(const lists *l, dlg_truth *out)
{
    dlg_status status = DLG_OK;
    const cJSON *fed = l->fed->child, *ids = l->ids->child, *labels = l->labels->child,
                *types = l->types ? l->types->child : NULL;
    for (size_t b = 0; b < out->n_sentences && !status; b++, fed = fed->next, ids = ids->next, labels = labels->next) {
        const size_t at = out->first[b], length = out->first[b + 1] - at;
        status = read_tokens(l, "fed_ids", b, fed, length, out->fed + at, &out->pad);
        if (!status) status = read_tokens(l, "ids", b, ids, length, out->ids + at, &out->pad);
        if (!status && types) status = read_types(l, b, types, length, out->types + at);
        if (types) types = types->next;
        if (status) break;
        status = out->is_classification ? read_class(l, b, labels, out->labels + b)
                                        : read_labels(l, b, labels, length, out->ids + at, out->labels + at);
    }
    return status;
}

static dlg_status read_root(dlg_truth *out, const char *path, const cJSON *root, dlg_error *err)
{
    lists l = {.path = path, .err = err};
    bool is_classification;
    size_t *lengths = NULL;
    dlg_status status = DLG_OK;
    if (!cJSON_IsObject(root)) return dlg_fail(err, DLG_EFORMAT, "%s: want an object, found another value", path);
    status = read_task(path, root, &is_classification, err);
    if (!status) status = find_list(&l, root, "attention", &l.attention);
    if (status) goto out;
    l.n_sentences = (size_t)cJSON_GetArraySize(l.attention);
    l.width = cJSON_IsArray(l.attention->child) ? (size_t)cJSON_GetArraySize(l.attention->child) : 0;
    status = find_list(&l, root, "fed_ids", &l.fed);
    if (!status) status = find_list(&l, root, "ids", &l.ids);
    if (!status) status = find_list(&l, root, "labels", &l.labels);
    if (!status && cJSON_GetObjectItemCaseSensitive(root, "text")) status = find_list(&l, root, "text", &l.text);
    if (!status && cJSON_GetObjectItemCaseSensitive(root, "text_pair"))
        status = find_list(&l, root, "text_pair", &l.pair);
    if (!status && cJSON_GetObjectItemCaseSensitive(root, "token_type_ids"))
        status = find_list(&l, root, "token_type_ids", &l.types);
    if (status) goto out;

    lengths = dlg_allocate(l.n_sentences, sizeof *lengths);
    l.numbers = dlg_allocate(l.width + 1, sizeof *l.numbers);
    if (!lengths || !l.numbers) status = dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    const cJSON *row = l.attention->child;
    for (size_t b = 0; b < l.n_sentences && !status; b++, row = row->next)
        status = measure_row(&l, b, row, &lengths[b]);
    if (!status) status = dlg_truth_create(out, is_classification, l.n_sentences, lengths, err);
    if (!status) status = read_sentences(&l, out);
    if (!status) status = read_rest(&l, root, out);
    if (!status && !dlg_truth_count_labels(out))
        status = dlg_fail(err, DLG_EFORMAT, "%s: labels: want at least one token to be predicted, found none", path);
out:
    dlg_free(l.numbers);
    dlg_free(lengths);
    return status;
}

dlg_status dlg_truth_read(dlg_truth *out, const char *path, dlg_error *err)
{
    cJSON *root = NULL;
    *out = (dlg_truth){0};
    dlg_status status = dlg_json_read(&root, path, err);
    if (!status) status = read_root(out, path, root, err);
    if (status) dlg_truth_release(out);
    cJSON_Delete(root);
    return status;
}
