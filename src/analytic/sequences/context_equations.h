/**
 * What a place's row behind layer 0's attention says about the sentence around it.
 *
 * Let p be a place, a token at a position, whose input x_p is known, and let m_j be 1 for the candidates j that stand
 * in its sentence and 0 for the others. What the attention hands on at p,
 *
 *   c_p = (sum_j m_j e_pj v_j) / (sum_j m_j e_pj),   e_pj = exp(<q_p, k_j> / sqrt(d)), head by head,
 *
 * depends on nothing else, and neither does what follows: y_p = LN(x_p + Wo c_p + bo) and h_p = act(W1 y_p + b1). The
 * gradients dWo, dW1 and dW2 are sums of outer products with c_p, y_p and h_p, so that these lie in their row spaces.
 * As long as a batch has fewer tokens than the hidden size there are many directions outside of them: each is an
 * equation in m, and a single place has hundreds. h has four times as many numbers as there are rows; besides, it is no
 * linear function of x_p, so that it tells places that were there from sums of others.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_CONTEXT_EQUATIONS_H
#define DLG_ANALYTIC_SEQUENCES_CONTEXT_EQUATIONS_H

#include "analytic/tokens/candidates.h"
#include "gradient/gradient.h"

typedef struct dlg_context_equations dlg_context_equations;

/**
 * Borrows model and candidates. *out is NULL on failure, and where there is nothing to see: one layer, tokens that fill
 * the hidden size, frozen weights. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_context_equations_create(dlg_context_equations **out, const dlg_gradient *,
                                                     const dlg_candidates *, dlg_error *);

/** Accepts NULL. */
void dlg_context_equations_free(dlg_context_equations *);

/** How many there are of a place. */
size_t dlg_context_equations_count(const dlg_context_equations *);

/** From now on they are those of this candidate. */
void dlg_context_equations_choose(dlg_context_equations *, size_t candidate);

/**
 * What is left of them at m.
 * @param[in] m (candidates) not negative, not all zero @param[out] left (count) @return the sum of its squares
 */
double dlg_context_equations_at(dlg_context_equations *, const double *m, dlg_real *left);

/** Half the derivative of that sum where it was last asked for. @param[out] gradient (candidates) */
void dlg_context_equations_gradient(dlg_context_equations *, const dlg_real *left, double *gradient);

/** The derivatives of `left` with respect to n of m's numbers. @param[out] slopes (n, count) */
void dlg_context_equations_slopes(dlg_context_equations *, size_t n, const size_t *which, dlg_real *slopes);

#endif
