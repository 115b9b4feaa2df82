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

#include "base/clock.h"
#include "base/memory.h"
#include "attacks/classes.h"
#include "analytic/sequences/attention_groups.h"
#include "attacks/search_journal.h"
#include "attacks/session/found_sentences.h"
#include "attacks/session/sentences.h"
#include "analytic/sequences/sequence_search.h"

#include <stdio.h>

typedef struct {
    dlg_attempt attempt;
    const dlg_candidates *candidates;
} attack;

/*
 * Once a search has lasted so long, what is certain without it is looked at: an interrupt shows that then. Most are
 * over sooner.
 */
static const double look_after_s = 0.5;

typedef struct {
    const attack *a;
    double begun_s;
    bool has_looked;
} watch;

/* The candidates that are searched must stay as they are: those of the length that is seen do. */
static bool look_or_end(void *payload)
{
    watch *w = payload;
    const attack *a = w->a;
    if (dlg_attack_is_interrupted(a->attempt.observer)) return true;
    if (w->has_looked || dlg_clock_now() - w->begun_s < look_after_s) return false;
    w->has_looked = true;
    size_t seen;
    if (dlg_analysis_length(&seen, a->attempt.analysis, NULL) || seen != a->candidates->n_positions) return false;
    /* What fails here fails at the end, too, and is said there. */
    return dlg_attack_look(a->attempt.out, a->attempt.analysis, NULL) == DLG_ECANCELLED;
}

static bool is_told(dlg_origin origin)
{
    return origin == DLG_TOLD || origin == DLG_METADATA;
}

/* ---- 1: one sentence ---- */

/* The only candidate that may stand at a position of a sentence of that length. @return whether there is just one */
static bool find_only(uint32_t *out, size_t *type, const attack *a, size_t t, size_t length)
{
    const dlg_candidates *c = a->candidates;
    size_t n = 0;
    for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
        if (dlg_special_tokens_allow(a->attempt.knowledge->special, c->token[i], t, length))
            *out = c->token[i], *type = c->type[i], n++;
    return n == 1 && !(c->certain[t] && c->first[t + 1] - c->first[t] > 1);
}

static dlg_status try_one_sentence(attack *a, dlg_error *err)
{
    const size_t length = a->candidates->n_positions;
    bool possible = !is_told(a->attempt.knowledge->sentences_from) || a->attempt.knowledge->n_sentences == 1;
    uint32_t *fed = dlg_allocate(length, sizeof *fed);
    size_t *types = dlg_allocate(length, sizeof *types);
    dlg_status status = fed && types ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t t = 0; !status && possible && t < length; t++) possible = find_only(&fed[t], &types[t], a, t, length);
    if (!status && possible) status = dlg_sentences_explain(&a->attempt, 1, &length, fed, types, &(dlg_part){0}, err);
    dlg_free(types);
    dlg_free(fed);
    return status;
}

/* ---- 2: sentence by sentence ---- */

/* Tokens of the sentences found, one after the other, and their types. */
static dlg_status list_fed(uint32_t **out, size_t **types, const attack *a, const dlg_sequences *found, dlg_error *err)
{
    size_t n = 0;
    *out = dlg_allocate(found->n * found->n_positions, sizeof **out);
    *types = dlg_allocate(found->n * found->n_positions, sizeof **types);
    if (!*out || !*types) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t b = 0; b < found->n; b++)
        for (size_t t = 0; t < found->lengths[b]; t++) {
            (*types)[n] = a->candidates->type[found->index[b * found->n_positions + t]];
            (*out)[n++] = a->candidates->token[found->index[b * found->n_positions + t]];
        }
    return DLG_OK;
}

/* So many were there at least: as the tokens ask for or was told, or one more than were found, if that is not all. Of
 * entries that were clipped the rank says nothing. */
static dlg_part part_of(const attack *a, size_t n_found, size_t n_asked, size_t rank)
{
    const dlg_knowledge *k = a->attempt.knowledge;
    const dlg_defence_traces *traces;
    const bool is_counted = !dlg_analysis_traces(&traces, a->attempt.analysis, NULL) && !traces->is_clipped;
    const size_t n_seen = is_counted && n_asked < rank ? n_found + 1 : n_found;
    return (dlg_part){k->sentences_from != DLG_ASSUMED && k->n_sentences > n_seen ? k->n_sentences : n_seen, n_asked,
                      rank};
}

static dlg_status search(attack *a, dlg_error *err)
{
    dlg_sequence_check *check = NULL;
    dlg_sequences found = {0};
    uint32_t *fed = NULL;
    size_t n_asked = 0, *types = NULL;
    char line[160];
    watch watching = {a, dlg_clock_now(), false};
    dlg_search_journal journal = {a->attempt.options->journal, a->attempt.observer};
    const dlg_search_log log = dlg_search_journal_log(&journal);
    const dlg_sequence_limits limits = {
        .most_sentences = is_told(a->attempt.knowledge->sentences_from)
                              ? a->attempt.knowledge->n_sentences
                              : a->attempt.gradient->model->config.hidden_size,
        .most_tries = 4 * a->attempt.options->max_starts,
        .interrupted = look_or_end,
        .payload = &watching,
        .log = &log,
    };
    dlg_attack_doing(a->attempt.observer, "search for sentences");
    dlg_status status = dlg_sequence_check_create(&check, a->attempt.gradient, a->candidates,
                                                  a->attempt.knowledge->special, false, err);
    if (!status)
        status = dlg_sequences_find(&found, &n_asked, check, a->attempt.gradient, a->candidates,
                                    a->attempt.knowledge->special, &limits, err);
    if (!status && found.n) status = list_fed(&fed, &types, a, &found, err);
    if (!status) {
        snprintf(line, sizeof line,
                 "sequence check: %zu sentence%s found, which account for %zu of %zu directions of the row space",
                 found.n, found.n == 1 ? "" : "s", n_asked, dlg_sequence_check_rank(check));
        dlg_attack_note(a->attempt.observer, line);
    }
    if (!status && found.n) {
        const dlg_part part = part_of(a, found.n, n_asked, dlg_sequence_check_rank(check));
        status = dlg_sentences_explain(&a->attempt, found.n, found.lengths, fed, types, &part, err);
        if (status == DLG_ECANCELLED)
            status = dlg_found_sentences_keep(a->attempt.out, a->attempt.knowledge, found.n, found.lengths, fed, &part,
                                              DLG_PARTLY, err);
    }
    dlg_free(types);
    dlg_free(fed);
    dlg_sequences_release(&found);
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
    attack a = {.attempt = {out, analysis, dlg_analysis_gradient(analysis), knowledge, options, observer, false}};
    char line[160];
    size_t longest = 0;
    for (size_t b = 0; b < knowledge->n_sentences; b++)
        longest = knowledge->lengths[b] > longest ? knowledge->lengths[b] : longest;
    dlg_attack_doing(observer, "reading layer 0");
    dlg_status status = dlg_analysis_candidates(&a.candidates, analysis, longest, err);
    if (status) return status;
    if (!a.candidates->sees) {
        dlg_attack_note(observer,
                        "span check: nothing to see, no gap between the tokens that were there and the others");
        return DLG_OK;
    }
    snprintf(line, sizeof line, "span check: %zu candidates at %zu positions, %zu of which have one only",
             a.candidates->first[longest], longest, count_lone(a.candidates));
    dlg_attack_note(observer, line);
    status = try_one_sentence(&a, err);
    if (!status && !a.attempt.explained && !dlg_attack_is_interrupted(observer)) status = search(&a, err);
    if (out->end == DLG_EXHAUSTED && dlg_attack_is_interrupted(observer)) out->end = DLG_INTERRUPTED;
    return status;
}

const dlg_attack_class dlg_attack_dager = {
    "dager",      "the span check of DAGER (Petrov et al. 2024), sentence by sentence", &dlg_l2, &dlg_lbfgs, false,
    dlg_dager_run};
