/**
 * Which tokens and positions stand in one sentence, read off the gradient of layer 0's attention: a batch falls apart
 * into its sentences without a search.
 *
 * Let x_p be the inputs of layer 0, p = (token v, position t), q_p = Wq x_p + bq, k_p = Wk x_p + bk, and dS the
 * derivative of the loss by the scores before the softmax, d numbers a head. Then
 *
 *   dWq = sum_p dq_p x_p^T,   dq_p = sum_j dS[p][j] k_j / sqrt(d)
 *   dWk = sum_p dk_p x_p^T,   dk_p = sum_i dS[i][p] q_i / sqrt(d)
 *
 * and dS[p][j] is not zero only where p and j stand in the same sentence. x_p is a sum of terms: x_p = (e_v + e_t) /
 * s_p + beta with e_v = gamma o centred E[v], e_t = gamma o centred (P[t] + S), s_p the standard deviation. As long as
 * the terms of all candidate tokens and positions are independent (together fewer than the hidden size), least squares
 * finds from dWq what belongs to every term,
 *
 *   D_v = sum over where v stands of dq_p / s_p,   D_t likewise,
 *
 * and where v stands once in the batch D_v is dq_p itself. A second least squares writes it by the terms of the keys:
 * the coefficient of e_w is the sum of dS[p][j] / (s_j sqrt(d)) over the places j where w stands in p's sentence, and
 * so for every position. A token that stands once there and its position have the same coefficients, head by head, for
 * queries and for keys; those of a word that stands there twice are the sums of two positions'. Matching them gives the
 * sentence, length and all (sequence_assembly.h). What another token type than the first adds is a term as well, which
 * no token has to match. Terms that stand in several sentences give a mixture that no sentence
 * matches, which shows.
 *
 * Sentences that were found are taken out of such mixtures. D_v and D_t hold the same of p = (v, t), so that D_t - D_v
 * is without it. With found sentences for a graph whose edges are their p, between tokens and positions, the sum of D_t
 * less the sum of D_v over a connected component is without any of them: it holds what leads from one component to
 * another, which is of the other sentences. Once all but one are found, everything is of the last.
 *
 * All that needs fewer terms than a head is wide. Where most places are told apart (tokens/row_peeling.h) they take the
 * terms' part (joint_sparsity.h).
 */
#ifndef DLG_ANALYTIC_SEQUENCES_ATTENTION_GROUPS_H
#define DLG_ANALYTIC_SEQUENCES_ATTENTION_GROUPS_H

#include "analytic/tokens/candidates.h"
#include "vocab/special_tokens.h"
#include "analytic/sequences/sequences.h"

typedef struct dlg_attention_groups dlg_attention_groups;

/**
 * Borrows model and candidates. *out is NULL on failure, and when there are too many terms. Errors: DLG_ENOMEM,
 * DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_attention_groups_create(dlg_attention_groups **out, const dlg_gradient *,
                                                    const dlg_candidates *, dlg_special_tokens, dlg_error *);

/** Accepts NULL. */
void dlg_attention_groups_free(dlg_attention_groups *);

/**
 * One proposal for every component that has a gradient left, in no order; `outside` is what of the coefficients is left
 * without a match, as a part of them. Several may be the same. None from NULL.
 * @param[out] out n_positions is set Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_attention_groups_propose(dlg_sequences *out, dlg_attention_groups *,
                                                     const dlg_sequences *found, dlg_error *);

#endif
