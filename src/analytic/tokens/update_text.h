/**
 * Where the tokens of a bag stood, off the rows that a training on one sentence moved. With, at one step, du[t] the
 * derivative behind the embeddings' sum at position t, a position's row is du[t] and a word's the sum of du[t] over
 * where it stood (no tied decoder). Of a gradient's multiple a least-squares fit of the words' rows by the positions'
 * shows the factors 0 and 1; where AdamW left signs alone, a word that stood once has its position's signs, and one
 * that stood at several agrees with each of theirs more often than not.
 */
#ifndef DLG_ANALYTIC_TOKENS_UPDATE_TEXT_H
#define DLG_ANALYTIC_TOKENS_UPDATE_TEXT_H

#include "analytic/tokens/update_tokens.h"
#include "vocab/special_tokens.h"

/** Zero-initialise; release with dlg_update_text_release. */
typedef struct {
    size_t length, n_tokens;
    const uint32_t *tokens; /**< (n_tokens) the bag, borrowed */
    double *score;          /**< (length, n_tokens) how well the rows of position and token go together; 1 at best */
} dlg_update_text;

/**
 * Nothing (length 0) where bag or length are not seen, or where no sentence of that length holds the bag.
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_update_text_match(dlg_update_text *out, const dlg_gradient *, const dlg_update_tokens *,
                                              dlg_error *);

/**
 * The text that goes best with all of them, in which each token of the bag stands at least once.
 * @param[out] choice (length) indices into tokens @return false where no sentence of that length holds the bag
 */
bool dlg_update_text_read(const dlg_update_text *, dlg_special_tokens, size_t *choice);

/** Accepts a zeroed one. */
void dlg_update_text_release(dlg_update_text *);

#endif
