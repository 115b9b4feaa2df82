#include "cli/known.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/truth.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[DLG_N_KNOWN] = {"batch", "length", "masked", "labels"};

dlg_status dlg_known_add(dlg_known *known, const char *spec, dlg_error *err)
{
    char list[64] = "";
    for (size_t what = 0; what < DLG_N_KNOWN; what++) {
        const size_t n = strlen(names[what]);
        dlg_text_list(list, sizeof list, names[what], what + 1 == DLG_N_KNOWN);
        if (strncmp(spec, names[what], n) != 0 || spec[n] != ':' || !spec[n + 1]) continue;
        if (known->path[what]) return dlg_fail(err, DLG_EARG, "want %s once, found it twice", names[what]);
        known->path[what] = spec + n + 1;
        return DLG_OK;
    }
    return dlg_fail(err, DLG_EARG, "want WHAT:FILE with WHAT %s, found \"%.200s\"", list, spec);
}

static dlg_status tell_lengths(dlg_knowledge *k, const char *path, const dlg_truth *truth, dlg_error *err)
{
    if (k->sentences_from == DLG_TOLD && truth->n_sentences != k->n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: want the %zu sentences that --know=batch names, found %zu", path,
                        k->n_sentences, truth->n_sentences);
    k->n_sentences = truth->n_sentences;
    k->lengths = dlg_allocate(k->n_sentences, sizeof *k->lengths);
    if (!k->lengths) return dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    for (size_t b = 0; b < k->n_sentences; b++) k->lengths[b] = truth->first[b + 1] - truth->first[b];
    k->lengths_from = k->sentences_from = DLG_TOLD;
    return DLG_OK;
}

/* A row of the batch is only known where the lengths are, or where there is but one sentence. */
static dlg_status check_rows(const dlg_knowledge *k, const char *path, const dlg_truth *truth, dlg_error *err)
{
    const size_t n_sentences = k->n_sentences ? k->n_sentences : 1;
    if (truth->n_sentences != n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: want masked positions of %zu sentence%s, found %zu", path, n_sentences,
                        n_sentences == 1 ? "" : "s", truth->n_sentences);
    if (!k->lengths && n_sentences > 1)
        return dlg_fail(err, DLG_EARG, "--know=masked: want --know=length too in a batch of %zu sentences, found none",
                        n_sentences);
    for (size_t b = 0; k->lengths && b < n_sentences; b++)
        if (truth->first[b + 1] - truth->first[b] != k->lengths[b])
            return dlg_fail(err, DLG_ESHAPE,
                            "%s: sentence %zu: want the %zu tokens that --know=length names, found %zu", path, b,
                            k->lengths[b], truth->first[b + 1] - truth->first[b]);
    return DLG_OK;
}

static dlg_status tell_masked(dlg_knowledge *k, const char *path, const dlg_truth *truth, dlg_error *err)
{
    dlg_status status = check_rows(k, path, truth, err);
    if (status) return status;
    k->rows = dlg_allocate(dlg_truth_count_labels(truth), sizeof *k->rows);
    if (!k->rows) return dlg_fail(err, DLG_ENOMEM, "masked positions: no memory");
    for (size_t i = 0; i < truth->n_rows; i++)
        if (truth->labels[i] != DLG_NO_LABEL) k->rows[k->n_rows++] = i;
    k->rows_from = DLG_TOLD;
    return DLG_OK;
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Where the masked positions are told too, which label stands where is known as well. */
static dlg_status place_labels(dlg_knowledge *k, const char *path, const dlg_truth *truth, dlg_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < truth->n_rows; i++) {
        if (truth->labels[i] == DLG_NO_LABEL) continue;
        if (n == k->n_rows || k->rows[n] != i)
            return dlg_fail(err, DLG_ESHAPE,
                            "%s: labels: want them at the positions that --know=masked names, found another", path);
        n++;
    }
    if (n < k->n_rows)
        return dlg_fail(err, DLG_ESHAPE, "%s: labels: want one for each of %zu masked positions, found %zu", path,
                        k->n_rows, n);
    k->placed = true;
    return DLG_OK;
}

static dlg_status tell_labels(dlg_knowledge *k, const char *path, const dlg_truth *truth, dlg_error *err)
{
    const size_t n = truth->is_classification ? truth->n_sentences : truth->n_rows,
                 n_sentences = k->n_sentences ? k->n_sentences : 1;
    if (truth->is_classification && n != n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: labels: want the class of %zu sentence%s, found %zu", path, n_sentences,
                        n_sentences == 1 ? "" : "s", n);
    k->labels = dlg_allocate(dlg_truth_count_labels(truth), sizeof *k->labels);
    if (!k->labels) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < n; i++)
        if (truth->labels[i] != DLG_NO_LABEL) k->labels[k->n_labels++] = (size_t)truth->labels[i];
    k->labels_from = DLG_TOLD;
    if (truth->is_classification) return DLG_OK;
    if (k->rows) return place_labels(k, path, truth, err);
    qsort(k->labels, k->n_labels, sizeof *k->labels, compare_sizes); /* or their order would say which comes first */
    return DLG_OK;
}

static dlg_status tell(dlg_knowledge *k, dlg_known_what what, const char *path, const dlg_truth *truth, dlg_error *err)
{
    switch (what) {
    case DLG_KNOWN_BATCH:
        k->n_sentences = truth->n_sentences;
        k->sentences_from = DLG_TOLD;
        return DLG_OK;
    case DLG_KNOWN_LENGTH: return tell_lengths(k, path, truth, err);
    case DLG_KNOWN_MASKED: return tell_masked(k, path, truth, err);
    default: return tell_labels(k, path, truth, err);
    }
}

/* The order of dlg_known_what: each piece needs those before it. */
dlg_status dlg_known_tell(dlg_knowledge *k, const dlg_known *known, const dlg_config *config, dlg_error *err)
{
    dlg_status status = DLG_OK;
    const bool is_classifier = config->task == DLG_SEQUENCE_CLASSIFICATION;
    if (known->path[DLG_KNOWN_MASKED] && is_classifier)
        return dlg_fail(err, DLG_EARG, "--know=masked: want a masked LM, found a classifier, which masks nothing");
    for (size_t what = 0; what < DLG_N_KNOWN && !status; what++) {
        dlg_truth truth;
        const char *path = known->path[what];
        if (!path) continue;
        status = dlg_truth_read(&truth, path, err);
        if (status) return status;
        if (truth.is_classification != is_classifier)
            status = dlg_fail(err, DLG_EFORMAT, "%s: task: want %s, as the model is for, found %s", path,
                              dlg_task_name(config->task), truth.is_classification ? "cls" : "mlm");
        if (!status)
            status =
                dlg_truth_check(&truth, path, config->vocabulary_size, config->n_labels, config->max_positions, err);
        if (!status) status = tell(k, (dlg_known_what)what, path, &truth, err);
        dlg_truth_release(&truth);
    }
    return status;
}
