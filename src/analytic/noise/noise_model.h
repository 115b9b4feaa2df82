/**
 * How exact the entries of one tensor of the gradient are. What was done to all of it:
 * analytic/noise/defence_traces.h.
 */
#ifndef DLG_ANALYTIC_NOISE_NOISE_MODEL_H
#define DLG_ANALYTIC_NOISE_NOISE_MODEL_H

#include "math/real.h"

#include <stddef.h>

typedef struct {
    double behind;   /**< variance of an entry, as the rows behind the sentence show it */
    double step;     /**< all entries are multiples of it; 0 when there is none */
    double pruned;   /**< what was pruned is smaller than this; 0 when nothing was */
    double relative; /**< half the last place that entries use, relative to them */
} dlg_noise_model;

/** The smallest magnitude that is not zero; 0 where all are. */
double dlg_smallest_entry(size_t n, const dlg_real *g);

/** Of the first `length` rows of the position embedding's gradient g (n_positions, H), or of all rows of another's. */
dlg_noise_model dlg_noise_model_of(const dlg_real *g, size_t length, size_t n_positions, size_t H);

/**
 * Variance of an entry of row g (H), all sources of error together.
 * @param roundoff what an undefended gradient has (math/tolerance.h)
 */
double dlg_noise_model_variance(const dlg_noise_model *, size_t H, const dlg_real *g, double roundoff);

#endif
