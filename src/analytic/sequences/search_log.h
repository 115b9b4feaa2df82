/**
 * What a search for sentences found, written down as it goes by whoever keeps it, so that one that was ended is not
 * begun anew. It is asked and told in the same order in every run: of each round the proposals, and what reading and
 * editing have found.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_SEARCH_LOG_H
#define DLG_ANALYTIC_SEQUENCES_SEARCH_LOG_H

#include "analytic/sequences/sequences.h"
#include "analytic/tokens/candidates.h"

/** Each function may be NULL. */
typedef struct {
    /** The next answer. @return false: there is none, and it shall be added */
    bool (*recall)(void *payload, uint64_t question, void *answer, size_t n_bytes);
    /** Not of what an interrupt has cut short, which it has to know. */
    void (*add)(void *payload, uint64_t question, const void *answer, size_t n_bytes);
    /** So many sentences are found now. */
    void (*found)(void *payload, size_t n);
    void *payload;
} dlg_search_log;

/** A run may have been killed between writing down how many proposals there were and which. */
typedef enum { DLG_NOTHING_KNOWN, DLG_NUMBER_KNOWN, DLG_PROPOSALS_KNOWN } dlg_proposals_known;

/**
 * Proposals beside the sentences that were found; one that the candidates cannot make is left out.
 * @param[out] known unless all are there are none, and the rest shall be added. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_search_log_recall_proposals(const dlg_search_log *, dlg_proposals_known *known,
                                                        dlg_sequences *proposals, const dlg_sequences *found,
                                                        const dlg_candidates *, dlg_error *);

/** @param known before. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_search_log_add_proposals(const dlg_search_log *, dlg_proposals_known known,
                                                     const dlg_sequences *proposals, const dlg_sequences *found,
                                                     dlg_error *);

/** What finds one sentence at a time. */
typedef enum { DLG_FOUND_BY_EDITING, DLG_FOUND_BY_READING } dlg_found_by;

/**
 * The sentence that was found so. @param[out] is_known else it shall be added @param[out] length 0: none
 * @param[out] index (n_positions) Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_search_log_recall_one(const dlg_search_log *, dlg_found_by, bool *is_known, size_t *length,
                                                  size_t *index, const dlg_sequences *found, const dlg_candidates *,
                                                  dlg_error *);

/** Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_search_log_add_one(const dlg_search_log *, dlg_found_by, size_t length, const size_t *index,
                                               const dlg_sequences *found, dlg_error *);

#endif
