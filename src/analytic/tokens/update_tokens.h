/**
 * Which tokens and positions a training saw, off the rows of the embeddings that it moved. A row that was never looked
 * up has no gradient at any step: whatever the optimizer, however many steps and epochs, it is where it was, or where
 * weight decay alone has put it, the same part of the way for every row. The other rows are the bag of tokens, and the
 * last such position the longest sentence's end. A tied decoder moves every word's row, and the bag is not seen. No
 * sentence holds more different tokens than it is long, which says how many there were at least; at most there may have
 * been any number, of the same tokens again.
 */
#ifndef DLG_ANALYTIC_TOKENS_UPDATE_TOKENS_H
#define DLG_ANALYTIC_TOKENS_UPDATE_TOKENS_H

#include "gradient/gradient.h"

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialise; release with dlg_update_tokens_release. */
typedef struct {
    bool sees_tokens;
    size_t n_tokens;
    uint32_t *tokens; /**< (n_tokens) ascending: those that were looked up, padding apart */
    bool is_clear;    /**< the least that a token's row moved is far more than the most of any other */
    const char *why;  /**< where tokens are not seen: in words, static */
    size_t length;    /**< positions used, that is tokens of the longest sentence; 0: not seen */
    bool length_is_clear;
    size_t n_least; /**< sentences that so many different tokens take at least, of that length; 0: not seen */
    double decay;   /**< of the weights, as a part of them, in the gradient's unit; by what is not looked up */
} dlg_update_tokens;

/** Of what a training shared; of a gradient nothing is seen. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_update_tokens_find(dlg_update_tokens *out, const dlg_gradient *, dlg_error *);

/** Accepts a zeroed one. */
void dlg_update_tokens_release(dlg_update_tokens *);

#endif
