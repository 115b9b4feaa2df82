/** A participant's step on a preset's weights: model, batch and the gradient it shares. For tests. */
#ifndef DLG_TESTS_SMALL_STEP_H
#define DLG_TESTS_SMALL_STEP_H

#include "gradient/gradient.h"

typedef struct {
    dlg_model *model;
    dlg_batch batch;
    dlg_gradient gradient;
} small_step;

/** A tied masked LM of two layers, two heads and random weights. */
dlg_model *small_step_model(size_t vocabulary_size, size_t hidden_size, size_t max_positions);

/** Share the gradient of these tokens, with labels behind the predicted rows. The step owns the model from here on. */
void small_step_share(small_step *, dlg_model *, size_t n_sentences, const size_t *lengths, const uint32_t *fed,
                      size_t n_predicted, const size_t *rows, const size_t *labels);

/** Put a defence, such as "bf16", on the gradient. */
void small_step_defend(small_step *, const char *spec);

void small_step_release(small_step *);

#endif
