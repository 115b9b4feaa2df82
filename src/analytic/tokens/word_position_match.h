/**
 * The rows that the word and the position embedding's gradients share: which token stood at each position of a single
 * sentence, also where a defence blurs all else.
 *
 * With du[t] the derivative behind the embeddings' sum at position t, in a batch of one sentence
 *
 *   position embedding's gradient, row t    du[t]
 *   word embedding's gradient, row v        sum over the positions t where v stood of du[t], + (p - y)[v]^T H / M
 *
 * The second part is a tied decoder's, of as many directions as there are predicted rows (analytic/tokens/token_set.h).
 * Once these are taken out, each word's row is a sum of some of the positions' rows, each with the factor 1, and a
 * least-squares fit of all words by all positions shows the factors: blurred, but the one and the many zeros of a
 * position differ. The decoder's directions are at first those of the labels' rows; then, what is read having been
 * subtracted, the strongest ones of what is left, until nothing changes.
 */
#ifndef DLG_ANALYTIC_TOKENS_WORD_POSITION_MATCH_H
#define DLG_ANALYTIC_TOKENS_WORD_POSITION_MATCH_H

#include "analytic/tokens/position_check.h"

/** Zero-initialise; release with dlg_word_position_match_release. */
typedef struct {
    size_t length;
    bool sees;       /**< there was something to fit */
    uint32_t *token; /**< (length) whose factor is the largest */
    bool *is_named;  /**< (length) and whether it is near 1 and no other's is */
} dlg_word_position_match;

/** What is known of the decoder's part: how many rows were predicted, and labels of them. */
typedef struct {
    size_t n_predicted, n_labels;
    const size_t *labels; /**< (n_labels) borrowed */
} dlg_decoder_part;

/**
 * Among the tokens that the position check admits. Nothing is named where the file has no gradient of the word
 * embedding, or where the sentence is as long as the model is wide. A token that stood there and is a label as well is
 * named only where other rows show the decoder's part. Costs a product (hidden, vocabulary, hidden) and, in each of a
 * few rounds, one (vocabulary, hidden, length) and the eigenvectors of a (hidden, hidden) matrix. Errors: DLG_ENOMEM,
 * DLG_ENONFINITE; *out is then empty.
 */
DLG_MUST_USE dlg_status dlg_word_position_match_find(dlg_word_position_match *out, const dlg_gradient *,
                                                     const dlg_position_check *, size_t length,
                                                     const dlg_decoder_part *, dlg_error *);

/** Positions 1 .. length-2 at which this token is named, ascending. @param[out] positions (length) @return how many */
size_t dlg_word_position_match_positions(const dlg_word_position_match *, uint32_t token, size_t *positions);

/** Accepts a zeroed one. */
void dlg_word_position_match_release(dlg_word_position_match *);

#endif
