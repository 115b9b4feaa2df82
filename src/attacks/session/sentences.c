#include "attacks/session/sentences.h"

#include "analytic/labels/predicted_rows.h"
#include "attacks/session/session.h"
#include "attacks/session/twin_sentences.h"

#include <math.h>
#include <string.h>

/* Where so little of the distance is left no sentence is missing: it is noise, which made the rank look larger. */
static const double no_sentence = 1e-4;

static bool is_told(dlg_origin origin)
{
    return origin == DLG_TOLD || origin == DLG_METADATA;
}

static bool has(size_t n, const size_t *list, size_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == wanted) return true;
    return false;
}

static size_t count(size_t n, const size_t *list, size_t wanted)
{
    size_t times = 0;
    for (size_t i = 0; i < n; i++) times += list[i] == wanted;
    return times;
}

/* Whether what was told of rows and labels does not speak against what was solved. */
static bool agrees(const dlg_knowledge *told, const dlg_predicted_rows *solved, bool is_mlm)
{
    bool all = !is_told(told->labels_from) || told->n_labels == solved->n;
    for (size_t i = 0; all && is_told(told->labels_from) && i < solved->n; i++)
        all =
            count(told->n_labels, told->labels, solved->label[i]) == count(solved->n, solved->label, solved->label[i]);
    for (size_t i = 0; is_mlm && is_told(told->rows_from) && i < solved->n; i++)
        all &= has(told->n_rows, told->rows, solved->row[i]);
    return all;
}

/* What was told of n things was told of these, if there are as many. */
static dlg_origin origin_of(dlg_origin from, size_t n_told, size_t n)
{
    return is_told(from) && n_told == n ? from : DLG_INFERRED;
}

/* A factor so near to 1 is 1, of the mean loss of these labels: others would have another. */
static bool is_plain(const dlg_predicted_rows *solved)
{
    return !solved->outputs && fabs(solved->loss.softmax.factor - 1) < 1e-4 && solved->loss.softmax.smoothing == 0;
}

/* Sentences and the labels of the rows that have one, or all rows where what they are given is known instead. */
static dlg_status know_solved(const dlg_attempt *a, dlg_knowledge *out, size_t n_sentences, const size_t *lengths,
                              const size_t *types, const dlg_predicted_rows *solved, dlg_error *err)
{
    const dlg_knowledge *from = a->knowledge;
    const dlg_knowledge sentences = {.n_sentences = n_sentences,
                                     .lengths = (size_t *)lengths,
                                     .types = (size_t *)types,
                                     .factor = solved->loss.softmax.factor,
                                     .special = from->special,
                                     .sentences_from = origin_of(from->sentences_from, from->n_sentences, n_sentences),
                                     .lengths_from = origin_of(from->lengths_from, from->n_sentences, n_sentences),
                                     .masks_are_seen = from->masks_are_seen};
    dlg_status status = dlg_knowledge_copy(out, &sentences, err);
    if (status) return status;
    out->rows = dlg_allocate(solved->n + 1, sizeof *out->rows);
    out->labels = dlg_allocate(solved->n + 1, sizeof *out->labels);
    if (!out->rows || !out->labels) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < solved->n; i++) {
        if (!solved->fits[i] || solved->outputs) continue;
        out->rows[out->n_rows++] = solved->row[i];
        out->labels[out->n_labels++] = solved->label[i];
    }
    out->placed = out->n_labels > 0;
    for (size_t i = 0; !out->placed && i < solved->n; i++) out->rows[out->n_rows++] = solved->row[i];
    if (!out->n_rows) out->n_rows = 1; /* a batch must have rows that may be predicted: the first stands for them */
    out->labels_from = origin_of(from->labels_from, from->n_labels, out->n_labels);
    out->labels_are_unsure = from->labels_are_unsure && !is_plain(solved);
    out->rows_from = origin_of(from->rows_from, from->n_rows, out->n_rows);
    return DLG_OK;
}

/* Sentences that were found, and do not explain the gradient, at that distance. */
static void end_with_part(dlg_attempt *a, const dlg_session *r, const dlg_predicted_rows *solved, const dlg_part *part)
{
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    dlg_attack_result *out = a->out;
    out->state.tokens = NULL; /* a guess may be nearer to the gradient and gives way all the same */
    out->end = r->d_tokens < no_sentence * r->scale && !r->explanation.tensor ? DLG_SETTLED : DLG_PARTLY;
    if (out->end == DLG_SETTLED) return;
    out->n_dense = 0; /* a rank above that of some sentences says nothing of a defence */
    out->part = *part;
    size_t n_head_rows;
    if (is_mlm || dlg_analysis_count_head_rows(&n_head_rows, a->analysis, NULL)) return;
    if (n_head_rows && solved->rank > part->n_least) out->part.n_least = solved->rank;
}

/* The loss that was found, as what the session's labels stand for. */
static void take_loss(dlg_session *r, const dlg_predicted_rows *solved)
{
    if (!solved->are_all) return;
    r->loss = solved->loss;
    r->fits_factor = false;
    r->factor_of_tokens = solved->loss.softmax.factor;
    const size_t n = r->placement.n_labels;
    for (size_t i = 0; solved->is_clear && solved->weights && i < n; i++)
        for (size_t j = 0; j < n; j++) r->placement.share[i * n + j] *= (dlg_real)solved->weights[i];
    r->outputs = solved->outputs;
}

/* The distance of a text that was found. */
static void compare(const dlg_attempt *a, dlg_session *r, const uint32_t *fed, const dlg_predicted_rows *solved)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        r->fed[i] = fed[i];
        r->evidence[i] = (dlg_evidence){DLG_FROM_READING, 1, NAN, NAN, 0, NAN};
    }
    take_loss(r, solved);
    r->start = 1;
    a->out->iterations++;
    if (r->knowledge->n_labels || r->outputs) r->d = dlg_session_distance_of_tokens(r);
    dlg_session_put_labels_back(r);
}

/*
 * Sentences as they are, with the labels that were solved for, or whatever the loss is; the result even where they do
 * not explain the gradient if they are a part. It takes one evaluation, and an interrupt does not prevent it.
 */
static dlg_status put_together(dlg_attempt *a, size_t n_sentences, const size_t *lengths, const uint32_t *fed,
                               const size_t *types, const dlg_predicted_rows *solved, const dlg_part *part,
                               dlg_error *err)
{
    dlg_knowledge knowledge = {0};
    dlg_session r = {0};
    dlg_status status = know_solved(a, &knowledge, n_sentences, lengths, types, solved, err);
    if (!status) status = dlg_session_begin(&r, a->out, a->analysis, &knowledge, a->options, a->observer, err);
    if (!status) {
        compare(a, &r, fed, solved);
        a->explained = dlg_session_is_explained(&r);
        if (a->explained) a->out->end = DLG_EXPLAINED;
        else if (part) end_with_part(a, &r, solved, part);
        dlg_session_report(&r);
    }
    dlg_session_end(&r);
    dlg_knowledge_release(&knowledge);
    return status;
}

static bool has_lengths(const dlg_knowledge *k, size_t n_sentences, const size_t *lengths)
{
    return k->n_sentences == n_sentences && !memcmp(k->lengths, lengths, n_sentences * sizeof *lengths);
}

dlg_status dlg_sentences_explain(dlg_attempt *a, size_t n_sentences, const size_t *lengths, const uint32_t *fed,
                                 const size_t *types, const dlg_part *part, dlg_error *err)
{
    const dlg_knowledge *k = a->knowledge;
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    const bool rows_are_read = k->rows_from != DLG_ASSUMED && has_lengths(k, n_sentences, lengths);
    const dlg_forward_text text = {n_sentences, lengths, fed, rows_are_read ? k->n_rows : 0, k->rows, types};
    const dlg_spectrum *head;
    dlg_predicted_rows solved = {0};
    dlg_status status = dlg_analysis_head(&head, a->analysis, SIZE_MAX, err);
    if (!status)
        status = dlg_predicted_rows_find(&solved, a->gradient, head, dlg_analysis_forward(a->analysis), &text, err);
    dlg_forward_release(dlg_analysis_forward(a->analysis)); /* what comes next has a network of its own */
    const bool are_all = part->n_accounted >= part->n_directions || (solved.rank && solved.n >= solved.rank);
    const bool is_alone = are_all && n_sentences == 1 && (k->n_sentences == 1 || k->sentences_from == DLG_ASSUMED);
    dlg_twin_sentences all = {0};
    if (!status) status = dlg_twin_sentences_add(&all, &solved, n_sentences, lengths, fed, types, err);
    const bool is_whole = solved.is_clear ? agrees(k, &solved, is_mlm) : solved.outputs != NULL;
    if (!status && is_whole) status = put_together(a, all.n, all.lengths, all.fed, all.types, &solved, NULL, err);
    if (!status && !a->explained && part->n_directions && (!is_alone || dlg_attack_is_interrupted(a->observer))) {
        dlg_predicted_rows by_themselves = solved;
        by_themselves.outputs = NULL;
        by_themselves.are_all = false;
        status = put_together(a, all.n, all.lengths, all.fed, all.types, &by_themselves, part, err);
    }
    dlg_twin_sentences_release(&all);
    dlg_predicted_rows_release(&solved);
    return status;
}
