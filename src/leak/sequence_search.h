/** Whole sentences searched for, one by one, among the candidates of every position. */
#ifndef DLG_LEAK_SEQUENCE_SEARCH_H
#define DLG_LEAK_SEQUENCE_SEARCH_H

#include "leak/sequence_check.h"

/** Sentences, as indices into candidates->token. Zero-initialise; release with dlg_sequences_release. */
typedef struct {
    size_t n, n_positions;
    size_t *lengths;    /**< (n) */
    size_t *index;      /**< (n, n_positions) */
    double *outside;    /**< (n) how far outside each lies */
    size_t n_asked;     /**< rows of all of them that the check asked: the check's rank when they are all there were */
    bool is_complete;   /**< they are */
} dlg_sequences;

typedef struct {
    size_t most_sentences;
    size_t most_descents;  /**< without finding a sentence, before it is given up */
    uint64_t seed;
    bool (*interrupted)(void *payload);
    void *payload;
} dlg_sequence_limits;

/**
 * Find sentences that lie in the check's row space. Each descent begins with random candidates, takes the best of every position in turn
 * until none is better, goes on with swaps, and shakes a few positions where it is stuck.
 * @param guide the check inside layer 0, which every descent follows first; may see nothing (rank 0)
 * Errors: DLG_ENOMEM. It is no error to find none.
 */
DLG_MUST_USE dlg_status dlg_sequences_find(dlg_sequences *out, dlg_sequence_check *, dlg_sequence_check *guide, const dlg_candidates *,
                                           dlg_markers, const dlg_sequence_limits *, dlg_error *);

/** Accepts a zeroed one. */
void dlg_sequences_release(dlg_sequences *);

#endif
