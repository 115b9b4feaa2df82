/** A step whose residuals are found, for the files that find them. */
#ifndef DLG_TESTS_RESIDUALS_STEP_H
#define DLG_TESTS_RESIDUALS_STEP_H

#include "residuals.h"

typedef struct {
    residual *out;
    const dlg_gradient *gradient;
    const dlg_batch *batch;
    const uint32_t *fed;
    const size_t *labels;
    dlg_special_tokens special;
    size_t H, V, n;
    double roundoff;
    uint32_t *nearest; /* (n) by its embedding, of each row's token */
    uint32_t *wrong;   /* (n) the text with one of them */
    uint32_t first_word;
} residuals_step;

DLG_MUST_USE dlg_status residuals_no_memory(dlg_error *);

void residuals_note(const residuals_step *, residual_kind, const char *name, double truth, double bound, double wrong);

/* Of a batch of one sentence. */
DLG_MUST_USE dlg_status residuals_of_position_rows(const residuals_step *, dlg_error *);

/* Of a tied decoder. */
DLG_MUST_USE dlg_status residuals_of_word_rows(const residuals_step *, dlg_error *);

DLG_MUST_USE dlg_status residuals_of_embeddings(const residuals_step *, dlg_error *);

/* Of what inputs are made of, in the gradient of layer 0's attention; where it is not too much for the width. */
DLG_MUST_USE dlg_status residuals_of_terms(const residuals_step *, dlg_error *);

#endif
