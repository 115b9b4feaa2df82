/**
 * A gradient-leakage case on disk, as examples of the truth file's fields: what a participant's step was. For tests.
 */
#ifndef DLG_TESTS_CASE_H
#define DLG_TESTS_CASE_H

#include "gradient/gradient.h"

/** A model, its shared gradient, and the step that made it. */
typedef struct {
    dlg_model *model;
    dlg_safetensors *file; /**< the gradient's */
    dlg_gradient gradient;
    dlg_batch batch;
    size_t width;       /**< tokens a padded row has in the file */
    uint32_t *fed;      /**< (batch.n_rows) */
    size_t *labels;     /**< (batch.n_predicted) */
    size_t *padded_row; /**< (batch.n_rows) where each row stands among the padded ones */
    double loss;
} dlg_case;

/**
 * Load directory/model, directory/case.g and directory/case.truth.json. @return false where it is not there; failures
 * are asserted
 */
bool dlg_case_open(dlg_case *out, const char *directory);

void dlg_case_close(dlg_case *);

#endif
