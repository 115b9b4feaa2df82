/**
 * A weight matrix's shared gradient as an operator: what the attack needs of g - t without ever forming g.
 */
#ifndef DLG_MATCHING_TARGET_H
#define DLG_MATCHING_TARGET_H

#include "matching/distance.h"
#include "math/stack.h"
#include "ops/weight_direction.h"

/** The target of one linear operator, whose weight may be several parameters stacked. */
typedef struct dlg_target dlg_target;

/**
 * Take the target t (n_out, n_in), whose row blocks are of one parameter each, and reserve what an evaluation with up
 * to n_rows rows needs. An undefended gradient has rank <= n_rows, t = A B; what is left over, t - A B, is checked
 * against rounding: a defended gradient has more. Held in factors, evaluations cost no product with t, two with what is
 * left over; where rows are many, forming g costs less, and that is done instead; so it is where the distance is
 * by_number. The blocks are borrowed. *out is NULL on failure. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_target_create(dlg_target **out, const dlg_stack *, size_t n_rows, bool by_number,
                                          dlg_error *);

/** Accepts NULL. */
void dlg_target_free(dlg_target *);

/** To be the linear operator's direction. Its gradient sweep makes the residuals below. */
dlg_weight_direction *dlg_target_direction(dlg_target *);

/** After the gradient sweep: how the i-th part's gradient differs from its target. */
dlg_residual dlg_target_residual(const dlg_target *, size_t part);

/**
 * Between the gradient sweep and the R sweeps: the i-th part of the direction shall be a e + b t + s sign(e), e = g -
 * t. Other than 0, s is for targets by number.
 */
void dlg_target_steer(dlg_target *, size_t part, dlg_distance_part);

/**
 * What would be left of the i-th part if a gradient of so few rows explained all that it can, e = -Z; zero without a
 * remainder.
 */
dlg_residual dlg_target_unexplained(const dlg_target *, size_t part);

/**
 * What the noise of a whole target is of what of it is in dlg_target_unexplained: directions in all, by those that are
 * left over.
 */
double dlg_target_noise_share(const dlg_target *);

/** Whether there is more than the low-rank part. */
int dlg_target_is_dense(const dlg_target *);

#endif
