/**
 * Weights after training, or a difference, as the gradient that would have made them:
 *
 *   SGD     after = before - lr (g + wd before) at each step, so that to first order
 *           (before - after) / (lr steps) - wd before is the mean of the steps' gradients
 *   AdamW   of one step from fresh moments the same numbers are g / (|g| + eps): signs, and sizes near eps alone
 *
 * Without a learning rate it is before - after, a multiple of the gradient that is not known.
 */
#ifndef DLG_GRADIENT_UPDATE_H
#define DLG_GRADIENT_UPDATE_H

#include "gradient/gradient.h"

/**
 * As dlg_gradient_open, of what the training shared, against the model from before it. Copies of tied weights, and
 * what training leaves behind, are left aside. Errors: likewise; DLG_EFORMAT where the weights did not change.
 */
DLG_MUST_USE dlg_status dlg_update_open(dlg_gradient *out, dlg_safetensors *file, const dlg_model *before,
                                        const dlg_training *, dlg_error *);

/** An entry's last place as it was stored: what the difference of two weights is a multiple of. */
double dlg_last_place(double weight, dlg_dtype);

/** The last place of a weight from before, in units of what was shared. @param shared of the file's numbers */
double dlg_update_place(const dlg_training *, dlg_dtype shared, double weight);

/** By what the difference was divided: lr, as far as it is known, times the steps. */
double dlg_training_divisor(const dlg_training *);

/**
 * The participant: the weights after training on the step, the whole batch at each of training->n_steps steps, or their
 * difference from before. @param[out] loss of the first step; may be NULL. Errors: as dlg_gradient_share;
 * DLG_ENONFINITE where the training diverges.
 */
DLG_MUST_USE dlg_status dlg_update_train(dlg_gradient *out, double *loss, const dlg_model *, const dlg_step *,
                                         const dlg_training *, dlg_error *);

/**
 * The numbers that dlg_update_open would have made of that training on this step, but for rounding. Errors: as
 * dlg_update_train.
 */
DLG_MUST_USE dlg_status dlg_update_expect(dlg_gradient *out, const dlg_model *, const dlg_step *, const dlg_training *,
                                          dlg_error *);

#endif
