/**
 * What went into layer 0 where dropout was on: which token stood at which position, and which of its numbers were
 * dropped. It needs layer 0's query, key and value, and no embedding's gradient.
 *
 * Behind the embeddings' layer norm dropout makes of an input x the masked input r = m o x / (1 - p), m zero with
 * probability p and else one, drawn anew for each token. The gradients' row space is that of the r, so that x lies
 * outside: by about sqrt(p) of its norm, and other tokens come as near. But x - (1 - p) r is sparse: zero where m is
 * one. A sparse fit within the space (math/sparse_fit.h) finds it where the space has room: of a token
 * that was there every entry is then either left whole or not at all, to rounding. Of any other a fit makes as many
 * entries zero as the space has directions, and an entry more by chance alone: some ten of them are a proof.
 *
 * Masks differ, so that the same token at the same position of two sentences is two inputs, where it is one without
 * dropout. A fit finds one of them, or a mixture. It is made to find another by what is asked of single entries: that
 * one which the first has dropped is kept, and that one which it keeps is dropped.
 */
#ifndef DLG_ANALYTIC_TOKENS_DROPPED_INPUTS_H
#define DLG_ANALYTIC_TOKENS_DROPPED_INPUTS_H

#include "math/spectrum.h"
#include "models/model.h"
#include "vocab/special_tokens.h"

#include <stdint.h>

/** Inputs that were found, by position, then token. Zero-initialise; release with dlg_dropped_inputs_release. */
typedef struct {
    size_t n, H;
    size_t n_positions; /**< that were looked at */
    size_t rank;        /**< how many there are, found or not: that of the row space */
    uint32_t *token;    /**< (n) */
    size_t *position;   /**< (n) */
    double *input;      /**< (n, H) m o x */
    size_t n_dropped;   /**< entries of all that were dropped */
} dlg_dropped_inputs;

/** Whether a row space of that rank leaves room to tell what was dropped. */
bool dlg_dropped_inputs_have_room(const dlg_model *, size_t rank);

/**
 * Whether token stands at position, dropped or not.
 * @param inputs of layer 0's query, key and value, all there is of it @param rank of it (math/rank.h)
 * @param[out] n_dropped of its entries, where it does
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_dropped_inputs_have(bool *out, size_t *n_dropped, const dlg_model *,
                                                const dlg_spectrum *inputs, size_t rank, uint32_t token,
                                                size_t position, dlg_error *);

/**
 * Look for all of them, of the first token type. Of each position the tokens are looked at closely that lie nearest to
 * the row space, and those that frame texts. Cost: a product (vocabulary, hidden, rank) a position, and some hundred
 * solves of a (rank, rank) system. Errors: DLG_ENOMEM, DLG_ECANCELLED; *out is then empty.
 */
DLG_MUST_USE dlg_status dlg_dropped_inputs_find(dlg_dropped_inputs *out, const dlg_model *, const dlg_spectrum *inputs,
                                                size_t rank, size_t n_positions, dlg_special_tokens, dlg_error *);

/** Accepts a zeroed one. */
void dlg_dropped_inputs_release(dlg_dropped_inputs *);

#endif
