/**
 * Pairs: which token type stands where, read off the gradients of types and positions. A row of either is the sum of
 * what the embeddings' layer norm hands back over the tokens that used it, so that in a batch of one sentence
 *
 *   dS[k] = sum of dP[t] over the positions t of type k.
 */
#ifndef DLG_ANALYTIC_TOKENS_SEGMENTS_H
#define DLG_ANALYTIC_TOKENS_SEGMENTS_H

#include "gradient/gradient.h"

/**
 * How many token types the batch used, up to the last whose row stands out of the noise. 1 where the model has no more,
 * or the gradient lacks them. @param length of the longest sentence
 */
size_t dlg_segments_count(const dlg_gradient *, size_t length);

/**
 * The types of a single sentence that uses the first two: the second from one position to another, which fit the sum
 * best. @param[out] types (length) @param[out] misfit norm of what they leave of the second type's row, as a part of it
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_segments_find(size_t *types, double *misfit, const dlg_gradient *, size_t length,
                                          dlg_error *);

#endif
