/** Whether what a caller brings together belongs together. */
#ifndef DLG_LIBRARY_FIT_H
#define DLG_LIBRARY_FIT_H

#include "io/truth.h"
#include "models/model.h"

/** DLG_EARG for a model that is only asked how likely a text is. */
DLG_MUST_USE dlg_status dlg_fit_trained(const dlg_model *, dlg_error *);

/** Whether its numbers are the model's. Errors: those of dlg_truth_check, naming the truth's file. */
DLG_MUST_USE dlg_status dlg_fit_truth(const dlg_truth *, const dlg_model *, dlg_error *);

/** Whether the model can have made the step: the task is its own too. Errors: also DLG_EFORMAT. */
DLG_MUST_USE dlg_status dlg_fit_step(const dlg_truth *, const dlg_model *, dlg_error *);

/** The file of a truth, for messages; "step" where it is none. */
const char *dlg_fit_name(const dlg_truth *);

#endif
