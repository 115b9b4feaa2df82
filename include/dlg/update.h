/**
 * What arrives may be no gradient: weights after some steps of training, or a difference of weights. Which it is, and
 * how the steps were taken, the file's metadata say, or the caller.
 */
#ifndef DLG_UPDATE_H
#define DLG_UPDATE_H

#include "dlg/gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How it was made. Strings are borrowed during the call. Start from {0}: as the metadata say, else a gradient. */
typedef struct {
    const char
        *shared; /**< "gradient", "difference" (after less before) or "weights" (after training); NULL: not told */
    /**
     * what took the steps: "sgd" or "adamw", perhaps with numbers: "sgd:weight_decay=0.01",
     * "adamw:eps=1e-8,weight_decay=0.01,beta1=0.9,beta2=0.999" (these are the defaults); NULL: not told
     */
    const char *optimizer;
    double lr;      /**< the learning rate; 0: not told */
    size_t n_steps; /**< of training; 0: not told */
} dlg_training_choice;

/** Whether there is such a training: DLG_EARG, with what there is, if not. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_training_check(const dlg_training_choice *, dlg_error *);

/**
 * As dlg_gradient_read, of what is shared, against the model with the weights from before the training: it becomes the
 * gradient that would have made it, as near as the numbers let it be. Copies of tied weights and buffers in the file
 * are left aside.
 * @param how NULL: as {0}; what it does not tell the metadata may
 * Errors: as dlg_gradient_read; DLG_EARG as dlg_training_check; DLG_EFORMAT for metadata that are no training, and for
 * weights that did not change.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_read_update(dlg_gradient **out, const dlg_model *before,
                                                            const char *path, const dlg_training_choice *how,
                                                            dlg_error *);

/**
 * The participant's: train on the step, the whole batch at each of so many steps (at least 1), and share the weights
 * after it or the difference, as `how` says, which must tell all. Written by dlg_gradient_write. Errors: as
 * dlg_gradient_compute; DLG_EARG.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_train(dlg_gradient **out, const dlg_model *, dlg_truth *step,
                                                      const dlg_training_choice *how, size_t n_defences,
                                                      const char *const defences[], uint64_t seed, dlg_error *);

/**
 * How far an entry of a parameter's gradient is off, by the last places of the weights that it was made of: the root
 * of the mean square over the parameter. 0: it is a gradient as it was shared, or has none of that name.
 */
DLG_PUBLIC double dlg_gradient_rounding(const dlg_gradient *, const char *parameter);

#ifdef __cplusplus
}
#endif

#endif
