/**
 * What a defence leaves in a gradient's numbers, whatever the model and the text: zeros, levels, places, noise where
 * nothing should be.
 */
#ifndef DLG_ANALYTIC_NOISE_DEFENCE_TRACES_H
#define DLG_ANALYTIC_NOISE_DEFENCE_TRACES_H

#include "gradient/gradient.h"

typedef enum {
    DLG_NOT_ROUNDED,
    DLG_ROUNDED_F16,
    DLG_ROUNDED_BF16,
    DLG_ROUNDED_LEVELS /**< of each tensor to a few whole multiples of one number */
} dlg_rounding;

typedef struct {
    double norm;        /**< of all tensors together */
    bool is_norm_round; /**< it is a number that somebody would choose, to six digits: clipped to it */
    /** tensors in which several entries share the largest magnitude: clipped entry by entry */
    size_t n_at_bound;
    bool is_clipped; /**< most are */
    /** weight matrices, embeddings apart: what is said of zeros and levels is counted in these */
    size_t n_matrices;
    dlg_rounding rounding;
    /** most magnitudes, zero apart, that one of them uses; 0 where they are too many to be levels */
    size_t n_levels;
    double zeros;   /**< the middle matrix's share of exact zeros */
    bool is_pruned; /**< in most of them zeros are more than rounding would make */
    /** entries of the position embedding's rows behind the text: zero, but for noise; 0: there are none */
    size_t n_behind;
    double noise;        /**< their standard deviation */
    double kurtosis;     /**< of them: 3 is normal noise's, 6 Laplace's */
    double zeros_behind; /**< their share of zeros */
} dlg_defence_traces;

/** @param length rows of the position embedding's gradient that hold text; 0: not known Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_defence_traces_find(dlg_defence_traces *out, const dlg_gradient *, size_t length,
                                                dlg_error *);

/** Whether there is one of rounding, pruning, noise, and clipping entry by entry. */
bool dlg_defence_traces_any(const dlg_defence_traces *);

#endif
