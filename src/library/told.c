#include "base/memory.h"
#include "library/attack.h"
#include "library/fit.h"
#include "math/sorted.h"

#include <string.h>

const char *dlg_known_name(dlg_known what)
{
    static const char *const names[DLG_N_KNOWN] = {"batch", "length", "masked", "labels"};
    return names[what];
}

/* A piece that is told after one that rests on it would change what was checked. */
static dlg_status check_order(const dlg_attack *attack, dlg_known what, dlg_error *err)
{
    const dlg_knowledge *k = &attack->told;
    const bool told[DLG_N_KNOWN] = {
        [DLG_KNOWN_LENGTH] = k->lengths, [DLG_KNOWN_MASKED] = k->rows, [DLG_KNOWN_LABELS] = k->labels};
    if (attack->is_prepared || attack->has_run)
        return dlg_fail(err, DLG_EARG, "told: want an attack that is not prepared yet, found one that is");
    for (size_t i = what; i < DLG_N_KNOWN; i++)
        if (told[i])
            return dlg_fail(err, DLG_EARG, "told: want %s before %s and once, found it behind", dlg_known_name(what),
                            dlg_known_name((dlg_known)i));
    return DLG_OK;
}

static const dlg_config *config_of(const dlg_attack *attack)
{
    return &attack->gradient->model->config;
}

static bool is_classifier(const dlg_attack *attack)
{
    return config_of(attack)->task == DLG_SEQUENCE_CLASSIFICATION;
}

/* How many sentences what was told so far is about. */
static size_t count_sentences(const dlg_attack *attack)
{
    return attack->told.n_sentences ? attack->told.n_sentences : 1;
}

/* Put a copy in the place of what was told before. */
static dlg_status copy(size_t **out, size_t n, const size_t *values, const char *what, dlg_error *err)
{
    size_t *numbers = dlg_allocate(n, sizeof *numbers);
    if (!numbers) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", what);
    if (n) memcpy(numbers, values, n * sizeof *numbers);
    dlg_free(*out);
    *out = numbers;
    return DLG_OK;
}

/* ---- values; `from` starts messages ---- */

static dlg_status tell_lengths(dlg_attack *attack, const char *from, size_t n, const size_t *lengths, dlg_error *err)
{
    dlg_knowledge *k = &attack->told;
    if (k->sentences_from == DLG_TOLD && n != k->n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: want the %zu sentences that --know=batch names, found %zu", from,
                        k->n_sentences, n);
    const dlg_status status = copy(&k->lengths, n, lengths, "lengths", err);
    if (status) return status;
    k->n_sentences = n;
    k->lengths_from = k->sentences_from = DLG_TOLD;
    return DLG_OK;
}

static dlg_status check_masked(const dlg_attack *attack, dlg_error *err)
{
    if (is_classifier(attack))
        return dlg_fail(err, DLG_EARG, "--know=masked: want a masked LM, found a classifier, which masks nothing");
    if (!attack->told.lengths && count_sentences(attack) > 1)
        return dlg_fail(err, DLG_EARG, "--know=masked: want --know=length too in a batch of %zu sentences, found none",
                        count_sentences(attack));
    return DLG_OK;
}

static dlg_status tell_masked(dlg_attack *attack, size_t n, const size_t *rows, dlg_error *err)
{
    dlg_knowledge *k = &attack->told;
    const dlg_status status = copy(&k->rows, n, rows, "masked positions", err);
    if (status) return status;
    k->n_rows = n;
    k->rows_from = DLG_TOLD;
    return DLG_OK;
}

/* Where the masked positions are told too, which label stands where is known as well. */
static dlg_status check_n_labels(const dlg_attack *attack, const char *from, size_t n, dlg_error *err)
{
    const size_t n_sentences = count_sentences(attack), n_rows = attack->told.n_rows;
    if (is_classifier(attack) && n != n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: labels: want the class of %zu sentence%s, found %zu", from, n_sentences,
                        n_sentences == 1 ? "" : "s", n);
    if (attack->told.rows && n != n_rows)
        return dlg_fail(err, DLG_ESHAPE, "%s: labels: want one for each of %zu masked positions, found %zu", from,
                        n_rows, n);
    return DLG_OK;
}

static dlg_status tell_labels(dlg_attack *attack, const char *from, size_t n, const size_t *labels, dlg_error *err)
{
    dlg_knowledge *k = &attack->told;
    dlg_status status = check_n_labels(attack, from, n, err);
    if (!status) status = copy(&k->labels, n, labels, "labels", err);
    if (status) return status;
    k->n_labels = n;
    k->labels_from = DLG_TOLD;
    k->placed = k->rows != NULL;
    if (!is_classifier(attack) && !k->placed) /* or their order would say which comes first */
        dlg_sort_sizes(n, k->labels);
    return DLG_OK;
}

/* ---- by the caller ---- */

dlg_status dlg_attack_tell_batch(dlg_attack *attack, size_t n_sentences, dlg_error *err)
{
    const dlg_status status = check_order(attack, DLG_KNOWN_BATCH, err);
    if (status) return status;
    if (!n_sentences) return dlg_fail(err, DLG_EARG, "told: want at least one sentence, found none");
    attack->told.n_sentences = n_sentences;
    attack->told.sentences_from = DLG_TOLD;
    return DLG_OK;
}

dlg_status dlg_attack_tell_lengths(dlg_attack *attack, size_t n_sentences, const size_t *lengths, dlg_error *err)
{
    const size_t most = config_of(attack)->max_positions;
    dlg_status status = check_order(attack, DLG_KNOWN_LENGTH, err);
    if (!status && !n_sentences) status = dlg_fail(err, DLG_EARG, "told: want at least one sentence, found none");
    for (size_t b = 0; b < n_sentences && !status; b++)
        if (lengths[b] < 3 || lengths[b] > most)
            status = dlg_fail(err, DLG_ESHAPE, "told: sentence %zu: want from 3 to %zu tokens, found %zu", b, most,
                              lengths[b]);
    return status ? status : tell_lengths(attack, "told", n_sentences, lengths, err);
}

dlg_status dlg_attack_tell_masked(dlg_attack *attack, size_t n_rows, const size_t *rows, dlg_error *err)
{
    const dlg_knowledge *k = &attack->told;
    size_t n = k->lengths ? 0 : config_of(attack)->max_positions;
    for (size_t b = 0; k->lengths && b < k->n_sentences; b++) n += k->lengths[b];
    dlg_status status = check_order(attack, DLG_KNOWN_MASKED, err);
    if (!status) status = check_masked(attack, err);
    if (!status && !n_rows) status = dlg_fail(err, DLG_ESHAPE, "told: want at least one masked row, found none");
    for (size_t i = 0; i < n_rows && !status; i++)
        if (rows[i] >= n || (i && rows[i] <= rows[i - 1]))
            status = dlg_fail(err, DLG_ESHAPE, "told: masked: want rows that ascend and are below %zu, found %zu", n,
                              rows[i]);
    return status ? status : tell_masked(attack, n_rows, rows, err);
}

dlg_status dlg_attack_tell_labels(dlg_attack *attack, size_t n_labels, const size_t *labels, dlg_error *err)
{
    const dlg_config *config = config_of(attack);
    const size_t n = is_classifier(attack) ? config->n_labels : config->vocabulary_size;
    dlg_status status = check_order(attack, DLG_KNOWN_LABELS, err);
    if (!status && !n_labels) status = dlg_fail(err, DLG_ESHAPE, "told: want at least one label, found none");
    for (size_t i = 0; i < n_labels && !status; i++)
        if (labels[i] >= n)
            status = dlg_fail(err, DLG_ESHAPE, "told: labels[%zu]: want one below %zu, found %zu", i, n, labels[i]);
    return status ? status : tell_labels(attack, "told", n_labels, labels, err);
}

/* ---- by a truth ---- */

/* A row of the batch is only known where the lengths are, or where there is but one sentence. */
static dlg_status check_rows(const dlg_attack *attack, const dlg_truth *truth, dlg_error *err)
{
    const dlg_knowledge *k = &attack->told;
    const size_t n_sentences = count_sentences(attack);
    if (truth->n_sentences != n_sentences)
        return dlg_fail(err, DLG_ESHAPE, "%s: want masked positions of %zu sentence%s, found %zu", dlg_fit_name(truth),
                        n_sentences, n_sentences == 1 ? "" : "s", truth->n_sentences);
    for (size_t b = 0; k->lengths && b < n_sentences; b++)
        if (truth->first[b + 1] - truth->first[b] != k->lengths[b])
            return dlg_fail(err, DLG_ESHAPE,
                            "%s: sentence %zu: want the %zu tokens that --know=length names, found %zu",
                            dlg_fit_name(truth), b, k->lengths[b], truth->first[b + 1] - truth->first[b]);
    return DLG_OK;
}

static dlg_status check_places(const dlg_attack *attack, const dlg_truth *truth, dlg_error *err)
{
    const dlg_knowledge *k = &attack->told;
    size_t n = 0;
    for (size_t i = 0; k->rows && i < truth->n_rows; i++) {
        if (truth->labels[i] == DLG_NO_LABEL) continue;
        if (n == k->n_rows || k->rows[n] != i)
            return dlg_fail(err, DLG_ESHAPE,
                            "%s: labels: want them at the positions that --know=masked names, found another",
                            dlg_fit_name(truth));
        n++;
    }
    return DLG_OK;
}

/* The piece as numbers, of which there are never more than rows. @return how many */
static size_t read_piece(const dlg_truth *truth, dlg_known what, size_t *out)
{
    size_t n = 0;
    if (what == DLG_KNOWN_LENGTH) {
        for (; n < truth->n_sentences; n++) out[n] = truth->first[n + 1] - truth->first[n];
        return n;
    }
    const size_t n_labels = truth->is_classification ? truth->n_sentences : truth->n_rows;
    for (size_t i = 0; i < n_labels; i++)
        if (truth->labels[i] != DLG_NO_LABEL) out[n++] = what == DLG_KNOWN_MASKED ? i : (size_t)truth->labels[i];
    return n;
}

static dlg_status tell(dlg_attack *attack, dlg_known what, const dlg_truth *truth, size_t n, const size_t *numbers,
                       dlg_error *err)
{
    const char *from = dlg_fit_name(truth);
    dlg_status status = DLG_OK;
    switch (what) {
    case DLG_KNOWN_BATCH: return dlg_attack_tell_batch(attack, truth->n_sentences, err);
    case DLG_KNOWN_LENGTH: return tell_lengths(attack, from, n, numbers, err);
    case DLG_KNOWN_MASKED: status = check_rows(attack, truth, err); break;
    case DLG_KNOWN_LABELS: status = is_classifier(attack) ? DLG_OK : check_places(attack, truth, err); break;
    default: return dlg_fail(err, DLG_EARG, "told: want a piece of a truth, found %d", (int)what);
    }
    if (!status && what == DLG_KNOWN_MASKED) status = check_masked(attack, err);
    if (status) return status;
    return what == DLG_KNOWN_MASKED ? tell_masked(attack, n, numbers, err) : tell_labels(attack, from, n, numbers, err);
}

dlg_status dlg_attack_tell_truth(dlg_attack *attack, dlg_known what, const dlg_truth *truth, dlg_error *err)
{
    dlg_status status = check_order(attack, what, err);
    if (!status && what == DLG_KNOWN_MASKED && is_classifier(attack)) status = check_masked(attack, err);
    if (!status) status = dlg_fit_step(truth, attack->gradient->model, err);
    if (status) return status;
    size_t *numbers = dlg_allocate(truth->n_rows, sizeof *numbers);
    if (!numbers) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu rows", dlg_fit_name(truth), truth->n_rows);
    status = tell(attack, what, truth, read_piece(truth, what, numbers), numbers, err);
    dlg_free(numbers);
    return status;
}
