/**
 * Which tokens may stand at which position, read off layer 0 (DAGER, Petrov et al. 2024, arXiv:2405.15586, section
 * 4.1): the inputs LN(E[v] + P[t] + S[type]) that lie in the row space of dW_Q, dW_K and dW_V. Two things blur what is
 * seen, and both only add candidates: an input that is the sum of others (v stands elsewhere and another token at t,
 * and a chain of these joins them) lies there too, and where the batch has as many distinct inputs as the hidden size,
 * everything does.
 */
#ifndef DLG_ANALYTIC_TOKENS_CANDIDATES_H
#define DLG_ANALYTIC_TOKENS_CANDIDATES_H

#include "gradient/gradient.h"
#include "math/spectrum.h"

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialise; release with dlg_candidates_release. */
typedef struct {
    size_t n_positions;
    size_t *first;   /**< (n_positions + 1) where each position's begin in token and outside */
    uint32_t *token; /**< ascending within a position */
    size_t *type;    /**< the token's type; one that fits as several is there once for each */
    double *outside; /**< how far its input lies outside of the row space, as a part of its norm */
    size_t rank;     /**< of the row space */
    /** a gap sets candidates off from the rest, and every position has one; else the lists are empty */
    bool sees;
    /** (n_positions) the word embedding's gradient shows that these are the position's tokens, and all of them */
    bool *certain;
    bool has_tokens; /**< it narrowed the candidates to tokens that were fed */
} dlg_candidates;

/**
 * Of the first n_positions positions and n_types token types. @param inputs of layer 0's query, key and value, all
 * there is of it Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_candidates_find(dlg_candidates *out, const dlg_model *, const dlg_spectrum *inputs,
                                            size_t n_positions, size_t n_types, dlg_error *);

/** Accepts a zeroed one. */
void dlg_candidates_release(dlg_candidates *);

/** Whether the token is a candidate at the position. */
bool dlg_candidates_has(const dlg_candidates *, uint32_t token, size_t position);

/** Where the token is one at the position, of that type if it can be; the position's end where it is not. */
size_t dlg_candidates_index(const dlg_candidates *, uint32_t token, size_t position, size_t type);

/**
 * All tokens that are candidates anywhere, n of them, ascending; *out is to be freed with dlg_free. Errors:
 * DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_candidates_tokens(uint32_t **out, size_t *n, const dlg_candidates *, dlg_error *);

/** Where the token stands in such a list of n; n where it does not. */
size_t dlg_candidates_token_index(size_t n, const uint32_t *tokens, uint32_t token);

/** Keep of the candidates those that `keep` says. */
void dlg_candidates_narrow(dlg_candidates *, bool (*keep)(void *payload, uint32_t token, size_t position),
                           void *payload);

/**
 * Narrow the candidates by the gradient of the word embedding, where the file has it and it is not drowned in noise.
 * Its rows hold, besides the tied decoder's part (of the rank of the masked positions, found where no token was fed),
 * the sums of dL/dx over where a token stands; so do the position embedding's rows over the sentences. A token without
 * a row was not fed. Without a decoder's part places are peeled off (row_peeling.h); next to one, a position whose row
 * is the sum of some tokens' rows holds these tokens; where that leaves something open, and the decoder's part can be
 * solved for (tied_decoder.h) places are peeled off as well. Errors: as above, and those of the parts.
 */
DLG_MUST_USE dlg_status dlg_candidates_from_embedding(dlg_candidates *, const dlg_gradient *, dlg_error *);

#endif
