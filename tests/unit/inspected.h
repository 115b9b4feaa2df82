/** A step that a participant made, what --inspect reads off its gradient, and what of that must be true. For tests. */
#ifndef DLG_TESTS_INSPECTED_H
#define DLG_TESTS_INSPECTED_H

#include "analytic/inspect.h"

enum { CLS = 2, SEP = 3, MASK = 4, POSITIONS = 160, CLASSES = 4, MOST_ROWS = 256, MOST_LABELS = 64 };

typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
    size_t n_rows, n_labels;
    uint32_t fed[MOST_ROWS];
    size_t labels[MOST_LABELS];
} inspected;

/** A model of two layers of 64, random weights. */
dlg_model *inspected_preset(dlg_task, bool tied);

/** A trained model, or NULL where there is none. */
dlg_model *inspected_trained(const char *name);

/**
 * Sentences of these lengths; every stride-th inner token is masked, up to n_labels, and its label repeats every
 * `distinct`.
 */
void inspected_share(inspected *, dlg_model *, size_t n_sentences, const size_t *lengths, size_t n_labels,
                     size_t stride, size_t distinct);

/** The same with classes. */
void inspected_share_classes(inspected *, dlg_model *, size_t n_sentences, const size_t *lengths,
                             const size_t *classes);

void inspected_release(inspected *);

void inspected_defend(inspected *, const char *spec);
void inspected_scale(inspected *, double factor);

/** To be released with dlg_inspection_release. */
dlg_inspection inspected_read(const inspected *);

/* What must be found: the labels in any order, all tokens and no others, the one sentence. */

void inspected_assert_labels(const dlg_inspection *, const inspected *);
void inspected_assert_tokens(const dlg_inspection *, const inspected *);
void inspected_assert_text(const dlg_inspection *, const inspected *);

#endif
