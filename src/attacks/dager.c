/*
 * Tokens are read off layer 0 (candidates.h), whole sentences off layer 1 (sequence_search.h; both DAGER, Petrov et al.
 * 2024, arXiv:2405.15586), and the gradient of what was read is compared with the shared one:
 *
 *   1. where every position has one candidate, that is the sentence
 *   2. else sentences are searched for until they account for the rank of layer 1's row space, which says that there
 *      are no more; where they do not, those that were found are the result
 *
 * Once sentences are known, the rows that were predicted in them and their labels are solved for (predicted_rows.h).
 */
#include "attacks/dager.h"

#include "base/memory.h"
#include "attacks/classes.h"
#include "analytic/sequences/attention_groups.h"
#include "analytic/labels/predicted_rows.h"
#include "attacks/search_journal.h"
#include "attacks/session/found_sentences.h"
#include "attacks/session/session.h"
#include "analytic/sequences/sequence_search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where so little of the distance is left no sentence is missing: it is noise, which made the rank look larger. */
static const double no_sentence = 1e-4;

typedef struct {
    dlg_attack_result *out;
    dlg_analysis *analysis;
    const dlg_gradient *gradient; /* the analysis' */
    const dlg_knowledge *knowledge;
    const dlg_attack_options *options;
    const dlg_attack_observer *observer;
    const dlg_candidates *candidates;
    bool explained;
} attack;

static void note(const attack *a, const char *line)
{
    if (a->observer && a->observer->note) a->observer->note(a->observer->payload, line);
}

static bool is_interrupted(const attack *a)
{
    return a->observer && a->observer->interrupted && a->observer->interrupted(a->observer->payload);
}

static bool is_told(dlg_origin origin)
{
    return origin == DLG_TOLD || origin == DLG_METADATA;
}

/* ---- what is known once the sentences are ---- */

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

/* Sentences and the labels of the rows that have one. */
static dlg_status know_solved(const attack *a, dlg_knowledge *out, size_t n_sentences, const size_t *lengths,
                              const dlg_predicted_rows *solved, dlg_error *err)
{
    const dlg_knowledge *from = a->knowledge;
    const dlg_knowledge sentences = {.n_sentences = n_sentences,
                                     .lengths = (size_t *)lengths,
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
        if (!solved->fits[i]) continue;
        out->rows[out->n_rows++] = solved->row[i];
        out->labels[out->n_labels++] = solved->label[i];
    }
    out->placed = out->n_labels > 0;
    for (size_t i = 0; !out->placed && i < solved->n; i++) out->rows[out->n_rows++] = solved->row[i];
    if (!out->n_rows) out->n_rows = 1; /* a batch must have rows that may be predicted: the first stands for them */
    out->labels_from = origin_of(from->labels_from, from->n_labels, out->n_labels);
    out->rows_from = origin_of(from->rows_from, from->n_rows, out->n_rows);
    return DLG_OK;
}

/* Sentences that were found, and do not explain the gradient, at that distance. */
static void end_with_part(attack *a, const dlg_session *r, const dlg_predicted_rows *solved, const dlg_part *part)
{
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    dlg_attack_result *out = a->out;
    out->state.tokens = NULL; /* a guess may be nearer to the gradient and gives way all the same */
    out->end = r->d_tokens < no_sentence * r->scale && !r->explanation.tensor ? DLG_SETTLED : DLG_PARTLY;
    if (out->end == DLG_SETTLED) return;
    out->n_dense = 0; /* a rank above that of some sentences says nothing of a defence */
    out->part = *part;
    if (!is_mlm && solved->rank > part->n_least) out->part.n_least = solved->rank;
}

/*
 * Sentences as they are, with the labels that were solved for; the result even where they do not explain the gradient
 * if they are a part. It takes one evaluation, and an interrupt does not prevent it.
 */
static dlg_status put_together(attack *a, size_t n_sentences, const size_t *lengths, const uint32_t *fed,
                               const dlg_predicted_rows *solved, const dlg_part *part, dlg_error *err)
{
    dlg_knowledge knowledge = {0};
    dlg_session r = {0};
    dlg_status status = know_solved(a, &knowledge, n_sentences, lengths, solved, err);
    if (!status) status = dlg_session_begin(&r, a->out, a->analysis, &knowledge, a->options, a->observer, err);
    for (size_t i = 0; !status && i < r.n_rows; i++) {
        r.fed[i] = fed[i];
        r.evidence[i] = (dlg_evidence){DLG_FROM_READING, 1, NAN, NAN, 0};
    }
    if (!status) {
        r.start = 1;
        a->out->iterations++;
        if (knowledge.n_labels) r.d = dlg_session_distance_of_tokens(&r);
        dlg_session_put_labels_back(&r);
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

/*
 * Rows and labels of sentences are solved for. Where these do not explain the gradient the sentences are the result all
 * the same, but for one that is alone: its labels are left to a descent.
 */
static dlg_status explain_sentences(attack *a, size_t n_sentences, const size_t *lengths, const uint32_t *fed,
                                    const dlg_part *part, dlg_error *err)
{
    const dlg_knowledge *k = a->knowledge;
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    const bool rows_are_read = k->rows_from != DLG_ASSUMED && has_lengths(k, n_sentences, lengths);
    const dlg_forward_text text = {n_sentences, lengths, fed, rows_are_read ? k->n_rows : 0, k->rows};
    const dlg_spectrum *head;
    dlg_predicted_rows solved = {0};
    dlg_status status = dlg_analysis_head(&head, a->analysis, SIZE_MAX, err);
    if (!status)
        status = dlg_predicted_rows_find(&solved, a->gradient, head, dlg_analysis_forward(a->analysis), &text, err);
    dlg_forward_release(dlg_analysis_forward(a->analysis)); /* what comes next has a network of its own */
    const bool are_all = part->n_accounted >= part->n_directions || (solved.rank && solved.n >= solved.rank);
    const bool is_alone = are_all && n_sentences == 1 && (k->n_sentences == 1 || k->sentences_from == DLG_ASSUMED);
    if (!status && solved.is_clear && agrees(k, &solved, is_mlm))
        status = put_together(a, n_sentences, lengths, fed, &solved, NULL, err);
    if (!status && !a->explained && part->n_directions && (!is_alone || is_interrupted(a)))
        status = put_together(a, n_sentences, lengths, fed, &solved, part, err);
    dlg_predicted_rows_release(&solved);
    return status;
}

/* ---- 1: one sentence ---- */

/* The only candidate that may stand at a position of a sentence of that length. @return whether there is just one */
static bool find_only(uint32_t *out, const attack *a, size_t t, size_t length)
{
    const dlg_candidates *c = a->candidates;
    size_t n = 0;
    for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
        if (dlg_special_tokens_allow(a->knowledge->special, c->token[i], t, length)) *out = c->token[i], n++;
    return n == 1 && !(c->certain[t] && c->first[t + 1] - c->first[t] > 1);
}

static dlg_status try_one_sentence(attack *a, dlg_error *err)
{
    const size_t length = a->candidates->n_positions;
    bool possible = !is_told(a->knowledge->sentences_from) || a->knowledge->n_sentences == 1;
    uint32_t *fed = dlg_allocate(length, sizeof *fed);
    dlg_status status = fed ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t t = 0; !status && possible && t < length; t++) possible = find_only(&fed[t], a, t, length);
    if (!status && possible) status = explain_sentences(a, 1, &length, fed, &(dlg_part){0}, err);
    dlg_free(fed);
    return status;
}

/* ---- 2: sentence by sentence ---- */

/* Tokens of the sentences found, one after the other. */
static dlg_status list_fed(uint32_t **out, const attack *a, const dlg_sequences *found, dlg_error *err)
{
    size_t n = 0;
    *out = dlg_allocate(found->n * found->n_positions, sizeof **out);
    if (!*out) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t b = 0; b < found->n; b++)
        for (size_t t = 0; t < found->lengths[b]; t++)
            (*out)[n++] = a->candidates->token[found->index[b * found->n_positions + t]];
    return DLG_OK;
}

/* So many were there at least: as the tokens ask for or was told, or one more than were found, if that is not all. */
static dlg_part part_of(const attack *a, size_t n_found, size_t n_asked, size_t rank)
{
    const dlg_knowledge *k = a->knowledge;
    const size_t n_seen = n_asked < rank ? n_found + 1 : n_found;
    return (dlg_part){k->sentences_from != DLG_ASSUMED && k->n_sentences > n_seen ? k->n_sentences : n_seen, n_asked,
                      rank};
}

static dlg_status search(attack *a, dlg_error *err)
{
    dlg_sequence_check *check = NULL;
    dlg_attention_groups *co_occurrences = NULL;
    dlg_sequences found = {0};
    uint32_t *fed = NULL;
    size_t n_asked = 0;
    char line[160];
    dlg_search_journal journal = {a->options->journal, a->observer};
    const dlg_search_log log = dlg_search_journal_log(&journal);
    const dlg_sequence_limits limits = {
        .most_sentences =
            is_told(a->knowledge->sentences_from) ? a->knowledge->n_sentences : a->gradient->model->config.hidden_size,
        .most_tries = 4 * a->options->max_starts,
        .interrupted = a->observer ? a->observer->interrupted : NULL,
        .payload = a->observer ? a->observer->payload : NULL,
        .log = &log,
    };
    dlg_status status = dlg_attack_look(a->out, a->analysis, err); /* what is certain if it finds none */
    dlg_attack_doing(a->observer, "search for sentences");
    if (!status)
        status = dlg_sequence_check_create(&check, a->gradient, a->candidates, a->knowledge->special, false, err);
    if (!status)
        status = dlg_attention_groups_create(&co_occurrences, a->gradient, a->candidates, a->knowledge->special, err);
    if (!status)
        status = dlg_sequences_find(&found, &n_asked, check, a->gradient, a->candidates, co_occurrences,
                                    a->knowledge->special, &limits, err);
    if (!status && found.n) status = list_fed(&fed, a, &found, err);
    if (!status) {
        snprintf(line, sizeof line,
                 "sequence check: %zu sentence%s found, which account for %zu of %zu directions of the row space",
                 found.n, found.n == 1 ? "" : "s", n_asked, dlg_sequence_check_rank(check));
        note(a, line);
    }
    if (!status && found.n) {
        const dlg_part part = part_of(a, found.n, n_asked, dlg_sequence_check_rank(check));
        status = explain_sentences(a, found.n, found.lengths, fed, &part, err);
        if (status == DLG_ECANCELLED)
            status = dlg_found_sentences_keep(a->out, a->knowledge, found.n, found.lengths, fed, &part, err);
    }
    dlg_free(fed);
    dlg_sequences_release(&found);
    dlg_attention_groups_free(co_occurrences);
    dlg_sequence_check_free(check);
    return status;
}

static size_t count_lone(const dlg_candidates *c)
{
    size_t n = 0;
    for (size_t t = 0; t < c->n_positions; t++) n += c->first[t + 1] == c->first[t] + 1;
    return n;
}

dlg_status dlg_dager_run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                         const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    attack a = {.out = out,
                .analysis = analysis,
                .gradient = dlg_analysis_gradient(analysis),
                .knowledge = knowledge,
                .options = options,
                .observer = observer};
    char line[160];
    size_t longest = 0;
    for (size_t b = 0; b < knowledge->n_sentences; b++)
        longest = knowledge->lengths[b] > longest ? knowledge->lengths[b] : longest;
    dlg_attack_doing(observer, "reading layer 0");
    dlg_status status = dlg_analysis_candidates(&a.candidates, analysis, longest, err);
    if (status) return status;
    if (!a.candidates->sees) {
        note(&a, "span check: nothing to see, no gap between the tokens that were there and the others");
        return DLG_OK;
    }
    snprintf(line, sizeof line, "span check: %zu candidates at %zu positions, %zu of which have one only",
             a.candidates->first[longest], longest, count_lone(a.candidates));
    note(&a, line);
    status = try_one_sentence(&a, err);
    if (!status && !a.explained && !is_interrupted(&a)) status = search(&a, err);
    if (out->end == DLG_EXHAUSTED && is_interrupted(&a)) out->end = DLG_INTERRUPTED;
    return status;
}

const dlg_attack_class dlg_attack_dager = {
    "dager",      "the span check of DAGER (Petrov et al. 2024), sentence by sentence", &dlg_l2, &dlg_lbfgs, false,
    dlg_dager_run};
