/**
 * Steps of which a test knows everything: one sentence of a masked LM, a classifier's sentences, two sentences of
 * chosen lengths.
 */
#ifndef DLG_TESTS_KNOWN_STEP_H
#define DLG_TESTS_KNOWN_STEP_H

#include "analytic/knowledge.h"
#include "shared_step.h"

enum { LENGTH = 12, N_MASKS = 3, VOCABULARY = 200, CLASSES = 3, POSITIONS = 32 };

static const size_t positions[N_MASKS] = {2, 5, 9}, labels[N_MASKS] = {77, 150, 77}, sorted[N_MASKS] = {77, 77, 150};

/** A model of two layers of 64. */
dlg_model *known_model(dlg_task);

/** One sentence of LENGTH tokens, masked at `positions`, with `labels`. */
void known_share_masked(shared_step *);

/** Up to three sentences of LENGTH tokens, of these classes. */
void known_share_classified(shared_step *, size_t n_sentences, const size_t *classes);

/** Two sentences of a masked LM, or a classifier's, as long as they are told to be. */
void known_share_two(shared_step *, dlg_task, size_t first, size_t second);

void assert_numbers(size_t n, const size_t *found, size_t n_wanted, const size_t *wanted);

#endif
