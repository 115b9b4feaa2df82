/**
 * Which token stood where in a batch, exactly, as far as it can be told from the word and position embeddings' rows.
 *
 * With du the derivative behind the embeddings' sum, summed over the sentences that have token v at position t, a
 * place, the word's row is the sum of du over v's places, the position's row the sum over what stood at t. The layer
 * norm's backward pass leaves every du orthogonal to the input of its place, c = E[v] + P[t] + S without its mean:
 *
 *   <du(v, t), c(v, t)> = 0,   <sum of several du, c of one of them> is not.
 *
 * So the row of a token with one place shows that it has one only, and which. That place is taken out of its position's
 * row; a position all but one of whose places are taken out shows the last one in the same way, and so on: rows are
 * the nodes of a graph whose edges are places, and what is not on a circle comes off, leaf by leaf. What a tied decoder
 * added to the words' rows must be taken out of them (tied_decoder.h); tokens whose rows are not known stay open, and
 * are placed by the positions' rows.
 */
#ifndef DLG_ANALYTIC_TOKENS_ROW_PEELING_H
#define DLG_ANALYTIC_TOKENS_ROW_PEELING_H

#include "analytic/tokens/candidates.h"

/** Rows of tokens and positions. Zero-initialise what is not set; release with dlg_row_peeling_release. */
typedef struct {
    size_t n_tokens, n_positions;
    const uint32_t *token;  /**< (n_tokens) ascending, borrowed */
    bool *is_placed;        /**< (n_tokens, n_positions) */
    bool *token_is_open;    /**< (n_tokens) it stands in more places than were found */
    bool *position_is_open; /**< (n_positions) more stand there than were found */
} dlg_row_peeling;

/**
 * Among the candidates, of a model whose embeddings' sum passes a layer norm and nothing else. @param rows (n_tokens,
 * H) @param off (n_tokens) norms of what they are off by, beside rounding; infinite: not known @param positions
 * (n_positions, H) the embeddings' rows, both overwritten with what is left of them Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_row_peeling_find(dlg_row_peeling *out, const dlg_gradient *, const dlg_candidates *,
                                             size_t n_tokens, const uint32_t *token, double *rows, const double *off,
                                             double *positions, dlg_error *);

/** Whether the token may stand there: it does, or both are open. */
bool dlg_row_peeling_admit(const dlg_row_peeling *, uint32_t token, size_t position);

/** Accepts a zeroed one. */
void dlg_row_peeling_release(dlg_row_peeling *);

#endif
