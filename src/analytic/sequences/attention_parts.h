/**
 * What of the gradient of layer 0's attention belongs to each of the rows that its inputs are made of: terms
 * (attention_groups.h), or whole inputs (joint_sparsity.h).
 */
#ifndef DLG_ANALYTIC_SEQUENCES_ATTENTION_PARTS_H
#define DLG_ANALYTIC_SEQUENCES_ATTENTION_PARTS_H

#include "gradient/gradient.h"

/** Whether the gradients of query and key are there: else they were frozen, and nothing is seen. */
bool dlg_attention_parts_are_there(const dlg_gradient *);

/**
 * out (2, n, H) = rows (n, H) Wq^T, and below each other Wk^T; to rows from `first` on the bias is added.
 */
void dlg_attention_project(double *out, const dlg_model *, size_t n, const double *rows, size_t first);

/**
 * parts (n, 2 H) with rows^T parts = (dWq^T | dWk^T) by least squares; directions of the rows below `smallest` of
 * their largest are left out. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_attention_parts_find(double *parts, const dlg_gradient *, size_t n, const double *rows,
                                                 double smallest, dlg_error *);

#endif
