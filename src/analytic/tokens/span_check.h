/**
 * Which tokens were there, by the row space of layer 0: the first step of DAGER (Petrov et al. 2024,
 * arXiv:2405.15586).
 */
#ifndef DLG_ANALYTIC_TOKENS_SPAN_CHECK_H
#define DLG_ANALYTIC_TOKENS_SPAN_CHECK_H

#include "math/spectrum.h"
#include "models/model.h"

#include <stdint.h>

/**
 * The span check: layer 0's dW_Q, dW_K, dW_V have the inputs of all tokens in their row space. How far a token's input
 * at a position lies outside of it, as a part of its norm squared: about 0 for a token that was there, 1 - rank /
 * hidden for another.
 */
typedef struct dlg_span_check dlg_span_check;

/** Directions that the spectrum should have beyond the tokens': its last ones are only about right. */
enum { DLG_SPAN_CHECK_BEYOND = 8 };

/**
 * @param inputs of layer 0's query, key and value @param n_tokens tokens in the batch, which bound the rank
 * @param n_types token types that the batch used: a token is inside where it is as any of them
 * Errors: DLG_ENOMEM; *out is then NULL.
 */
DLG_MUST_USE dlg_status dlg_span_check_create(dlg_span_check **out, const dlg_model *, const dlg_spectrum *inputs,
                                              size_t n_tokens, size_t n_types, dlg_error *);

void dlg_span_check_free(dlg_span_check *);

double dlg_span_check_outside(const dlg_span_check *, uint32_t token, size_t position);

/**
 * The inner positions (1 .. length-2) of a sentence that hold `token`: those inside the row space, where a clear gap
 * sets them off from the rest.
 * @param[out] positions (length) ascending @return how many; 0 when the check sees nothing
 */
size_t dlg_span_check_positions(const dlg_span_check *, uint32_t token, size_t length, size_t *positions,
                                double *scratch);

#endif
