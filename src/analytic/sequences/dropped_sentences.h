/**
 * Which inputs stand in one sentence where dropout was on and all of them are known (analytic/tokens/dropped_inputs.h):
 * no two of them are the same then, so that each belongs to one sentence alone.
 *
 * The inputs r_p being independent, least squares on dW_Q and dW_K gives dq_p and dk_p themselves. dq_p is a
 * combination of the keys of p's own sentence, whose factors add up to zero as the derivatives of a softmax do, dropout
 * on its result or not; dk_p one of that sentence's queries. Who stands with whom is proposed by joint sparsity over
 * heads (joint_sparsity.h). Where a head is wider than the sentence is long that is proved: dq_p and dk_p of all its
 * places lie in the span of its own keys and queries, to rounding, in every head, and those of a place of another
 * sentence do not.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_DROPPED_SENTENCES_H
#define DLG_ANALYTIC_SEQUENCES_DROPPED_SENTENCES_H

#include "analytic/sequences/sequences.h"
#include "analytic/tokens/dropped_inputs.h"
#include "gradient/gradient.h"
#include "vocab/special_tokens.h"

/**
 * Sentences, as indices into inputs->token, each input in no more than one. `outside` is 0 of those that are proved,
 * and 1 of the others, which are the best that is proposed. n_positions is the inputs'. Errors: DLG_ENOMEM,
 * DLG_ENONFINITE, DLG_ECANCELLED; *out is then empty.
 */
DLG_MUST_USE dlg_status dlg_dropped_sentences_find(dlg_sequences *out, const dlg_gradient *, const dlg_dropped_inputs *,
                                                   dlg_special_tokens, dlg_error *);

#endif
