/**
 * Steps of which a test knows everything: one sentence of a masked LM, a classifier's sentences, two sentences of
 * chosen lengths.
 */
#ifndef DLG_TESTS_KNOWN_STEP_H
#define DLG_TESTS_KNOWN_STEP_H

#include "gradient/gradient.h"
#include "analytic/knowledge.h"

enum { CLS = 2, SEP = 3, MASK = 4, LENGTH = 12, N_MASKS = 3, VOCABULARY = 200, CLASSES = 3, POSITIONS = 32 };

static const dlg_special_tokens special = {.cls = CLS, .sep = SEP, .mask = MASK};
static const size_t positions[N_MASKS] = {2, 5, 9}, labels[N_MASKS] = {77, 150, 77}, sorted[N_MASKS] = {77, 77, 150};

/** A model and the gradient of a step on it. */
typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
} known_step;

/** A model of two layers of 64. */
void known_create_model(dlg_model **out, dlg_task);

/** One sentence of LENGTH tokens, masked at `positions`, with `labels`. @param[out] fed (LENGTH), may be NULL */
void known_share_masked(known_step *, uint32_t *fed);

/** Up to three sentences of LENGTH tokens, of these classes. */
void known_share_classified(known_step *, size_t n_sentences, const size_t *classes);

/** Two sentences of a masked LM, or a classifier's, as long as they are told to be. */
void known_share_two(known_step *, dlg_task, size_t first, size_t second);

void known_release(known_step *);

void known_defend(known_step *, const char *spec, uint64_t seed);

void assert_numbers(size_t n, const size_t *found, size_t n_wanted, const size_t *wanted);

#endif
