/** A step that a participant made, what --inspect reads off its gradient, and what of that must be true. For tests. */
#ifndef DLG_TESTS_INSPECTED_H
#define DLG_TESTS_INSPECTED_H

#include "analytic/inspect.h"
#include "shared_step.h"

enum { POSITIONS = 160, CLASSES = 4 };

/** A model of two layers of 64, random weights. */
dlg_model *inspected_preset(dlg_task, bool tied);

/** A trained model, or NULL where there is none. */
dlg_model *inspected_trained(const char *name);

/**
 * Sentences of these lengths; every stride-th inner token is masked, up to n_labels, and its label repeats every
 * `distinct`.
 */
void inspected_share(shared_step *, dlg_model *, size_t n_sentences, const size_t *lengths, size_t n_labels,
                     size_t stride, size_t distinct);

/** The same with classes. */
void inspected_share_classes(shared_step *, dlg_model *, size_t n_sentences, const size_t *lengths,
                             const size_t *classes);

void inspected_scale(shared_step *, double factor);

/** To be released with dlg_inspection_release. */
dlg_inspection inspected_read(const shared_step *);

/* What must be found: the labels in any order, all tokens and no others, the one sentence. */

void inspected_assert_labels(const dlg_inspection *, const shared_step *);
void inspected_assert_tokens(const dlg_inspection *, const shared_step *);
void inspected_assert_text(const dlg_inspection *, const shared_step *);

#endif
