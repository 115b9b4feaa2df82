/** A participant's step on a small model: what was fed and predicted, and the gradient that it shares. For tests. */
#ifndef DLG_TESTS_SHARED_STEP_H
#define DLG_TESTS_SHARED_STEP_H

#include "gradient/gradient.h"
#include "vocab/special_tokens.h"

enum { CLS = 2, SEP = 3, MASK = 4, STEP_ROWS = 256 };

static const dlg_special_tokens special = {.begin = CLS, .end = SEP, .mask = MASK};

typedef struct {
    dlg_model *model;
    dlg_batch batch;
    dlg_gradient gradient;
    uint32_t fed[STEP_ROWS];  /**< (batch.n_rows) */
    size_t labels[STEP_ROWS]; /**< (batch.n_predicted) tokens, or classes */
} shared_step;

/** Sizes of a tied BERT of two layers, which a test changes where it wants others. */
dlg_config step_config(dlg_task, size_t vocabulary_size, size_t hidden_size, size_t max_positions);

/** A model of such sizes, its weights drawn by the seed. */
dlg_model *step_model(const dlg_config *, uint64_t seed);

/**
 * Begin a step on a model, which it owns from here on. [CLS] and [SEP] are fed around each sentence; the tokens between
 * them and the labels are for the test to set.
 */
void step_begin(shared_step *, dlg_model *, size_t n_sentences, const size_t *lengths);

/** Predict these rows, or where none is named those that the batch has, as a classifier's; and share the gradient. */
void step_share(shared_step *, size_t n_predicted, const size_t *rows);

enum { STEP_WORDS = 150, STEP_LENGTH = 10, STEP_MASKED = 4, STEP_LABEL = 60 };

/** A step on one sentence of STEP_LENGTH different tokens, with a masked LM's label at STEP_MASKED, or the class 1. */
void step_share_sentence(shared_step *, dlg_task);

/** Put a defence, such as "bf16", on the gradient. */
void step_defend(shared_step *, const char *spec, uint64_t seed);

/** Accepts a step of which nothing but the model is there. */
void step_release(shared_step *);

#endif
