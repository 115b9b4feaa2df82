/** Whole sentences found, one by one, among the candidates of every position. */
#ifndef DLG_ANALYTIC_SEQUENCES_SEQUENCE_SEARCH_H
#define DLG_ANALYTIC_SEQUENCES_SEQUENCE_SEARCH_H

#include "analytic/sequences/sequences.h"
#include "analytic/sequences/search_log.h"
#include "analytic/sequences/sequence_check.h"

typedef struct {
    size_t most_sentences;
    size_t most_tries; /**< sentences whose neighbours are looked at without finding one, before it is given up */
    bool (*interrupted)(void *payload);
    void *payload;
    const dlg_search_log *log; /**< may be NULL */
} dlg_sequence_limits;

/**
 * Find sentences that the check says were there. They are read off their places, one after the other
 * (context_reading.h), as far as that goes; then those that co-occurrences (attention_groups.h) propose are asked, or
 * these first where heads are wide. Every one that is found shows more of the others. What is left is often nearly the
 * same as a found one, so that neither can tell them apart: then the found ones and the proposals are edited, the best
 * of them first: a token replaced, inserted, left out, moved, or two swapped. The best are chosen by the check inside
 * layer 0, which is made when it comes to that, as all of these are, and by the check itself afterwards.
 * @param[out] n_asked rows of the sentences found that the check asked: the check's rank when they are all there were
 * Errors: DLG_ENOMEM, DLG_ENONFINITE. It is no error to find none, and neither is an
 * interrupt: those that were found by then are there.
 */
DLG_MUST_USE dlg_status dlg_sequences_find(dlg_sequences *out, size_t *n_asked, dlg_sequence_check *,
                                           const dlg_gradient *, const dlg_candidates *, dlg_special_tokens,
                                           const dlg_sequence_limits *, dlg_error *);

#endif
