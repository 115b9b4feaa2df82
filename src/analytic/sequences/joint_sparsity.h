/**
 * Which places, a token at a position each, stand in one sentence: the same question as in attention_groups.h, of
 * places that are known (analytic/tokens/row_peeling.h) and not of the terms they are made of.
 *
 * Where the input x_p of place p depends on no other's, least squares gives dq_p and dk_p themselves. In every head
 * dq_p is a combination of the keys of p's sentence, and dk_p of its queries: all heads, of keys and of queries, have
 * different dictionaries and the same few atoms. That is a jointly sparse problem (M-FOCUSS, Cotter, Rao, Engan &
 * Kreutz-Delgado 2005): of all solutions the one of least weighted norm, again and again, where an atom's weight is its
 * share before, of all heads together. Two things make it work where a sentence has as many tokens as a head is wide,
 * and no head by itself says anything: that p stands with j says that j stands with p, so that both share a weight; and
 * those that stand with the same ones stand together, so that weights are spread along two steps.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_JOINT_SPARSITY_H
#define DLG_ANALYTIC_SEQUENCES_JOINT_SPARSITY_H

#include "analytic/sequences/sequences.h"
#include "analytic/tokens/candidates.h"
#include "vocab/special_tokens.h"

typedef struct dlg_joint_sparsity dlg_joint_sparsity;

/**
 * Borrows model and candidates. @param inputs (candidates, H) what went in for each; NULL: the candidates' own inputs.
 * *out is NULL on failure, and where it sees nothing: most inputs depend on others, or sentences are padded, cut or
 * pairs. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_joint_sparsity_create(dlg_joint_sparsity **out, const dlg_gradient *,
                                                  const dlg_candidates *, const double *inputs, dlg_special_tokens,
                                                  dlg_error *);

/** Accepts NULL. */
void dlg_joint_sparsity_free(dlg_joint_sparsity *);

/**
 * Sentences, each once, that the places besides the found ones seem to stand in; places of found ones belong to others
 * only where nothing else does. `outside` is the part of the shares that a sentence leaves out.
 * @param[out] out n_positions is set Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_joint_sparsity_propose(dlg_sequences *out, dlg_joint_sparsity *, const dlg_sequences *found,
                                                   dlg_error *);

#endif
