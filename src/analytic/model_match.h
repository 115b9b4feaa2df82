/** Whether the gradient is one of this model, which all else that is read off it takes for granted. */
#ifndef DLG_ANALYTIC_MODEL_MATCH_H
#define DLG_ANALYTIC_MODEL_MATCH_H

#include "analytic/inspect.h"

/**
 * All sentences begin alike, and the longest end so, whatever they say: both tokens must fit the rows of the position
 * embedding, and lie in the row space of layer 0. Sets fits and its ground, and the causes
 * where they do not.
 * @param n_inputs rank of that space, 0 where it is not clear @param has_ends both fit the rows (dlg_reading)
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_model_match_find(dlg_inspection *, dlg_analysis *, size_t n_inputs, bool has_ends,
                                             dlg_error *);

#endif
