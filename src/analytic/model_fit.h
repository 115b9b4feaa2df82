/** Whether a gradient is of the model that it is held against; a piece of dlg_inspect. */
#ifndef DLG_ANALYTIC_MODEL_FIT_H
#define DLG_ANALYTIC_MODEL_FIT_H

#include "analytic/inspect.h"

/**
 * Set `fits` and its ground, by length, text and defence as they were found: do the first and the last token fulfil
 * what embeddings and layer 0 say of them?
 * @param has_ends of the reading (analytic/tokens/reading.h)
 * @param n_inputs different tokens at their positions; 0: not clear
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_model_fit_judge(dlg_inspection *, dlg_analysis *, bool has_ends, size_t n_inputs,
                                            dlg_error *);

#endif
