/**
 * The objective as attacks ask it: by way of the run's journal, if there is one. An attack is a deterministic program
 * whose only expensive steps, and the only ones that depend on more than its own numbers, are these questions. While
 * the journal holds answers they come from there; after that the objective is asked and its answers are written down.
 * So every attack, with any minimiser, can be killed and goes on without knowing of it, provided it asks here, ends
 * early only where its observer says that it is interrupted, and decides nothing by the clock: a budget of time is such
 * an interrupt (attacks/session/budget.h).
 */
#ifndef DLG_MATCHING_ORACLE_H
#define DLG_MATCHING_ORACLE_H

#include "io/journal.h"
#include "matching/explanation.h"

typedef struct dlg_oracle dlg_oracle;

/** As dlg_objective_create. @param journal borrowed, may be NULL */
DLG_MUST_USE dlg_status dlg_oracle_create(dlg_oracle **out, dlg_journal *journal, const dlg_gradient *,
                                          const dlg_batch *, size_t max_labels, const dlg_distance *, dlg_error *);

/** Accepts NULL. */
void dlg_oracle_free(dlg_oracle *);

/** The objective behind it, for what needs no sweep: its size, scale, floor and targets. */
const dlg_objective *dlg_oracle_objective(const dlg_oracle *);

/** As dlg_objective_evaluate. */
double dlg_oracle_evaluate(dlg_oracle *, const dlg_soft_labels *, const dlg_real *x, dlg_real *dx);

/** As dlg_objective_distance. */
double dlg_oracle_distance(dlg_oracle *, const dlg_soft_labels *, const dlg_real *x);

/** As dlg_objective_factor, of the last of these. */
double dlg_oracle_factor(const dlg_oracle *);

/** As dlg_objective_label_derivative, of the last dlg_oracle_evaluate. */
void dlg_oracle_label_derivative(dlg_oracle *, dlg_real *out);

/**
 * The logarithm of how unlikely the gradient is of this text over its noise, but for a constant: each tensor's squared
 * distance by twice the variance that is seen in it. No journal holds it. NaN after an interrupt.
 */
double dlg_oracle_misfit(dlg_oracle *, const dlg_soft_labels *, const dlg_real *x);

/** As dlg_explanation_find, of tokens whose embeddings are x. */
dlg_explanation dlg_oracle_explain(dlg_oracle *, const dlg_soft_labels *, const dlg_real *x, const uint32_t *fed);

/** Evaluations, with and without derivative, that a journal has yet to answer. */
size_t dlg_oracle_left(const dlg_journal *);

#endif
