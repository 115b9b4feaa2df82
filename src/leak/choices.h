/** The tokens that each row of a batch may hold. */
#ifndef DLG_LEAK_CHOICES_H
#define DLG_LEAK_CHOICES_H

#include "leak/candidates.h"
#include "leak/knowledge.h"

/** Zero-initialise; release with dlg_choices_release. */
typedef struct {
    size_t n_rows;
    size_t *first;    /**< (n_rows + 1) where each row's begin */
    uint32_t *token;
} dlg_choices;

/**
 * The candidates of every row's position, for sentences of these lengths: [CLS] begins and [SEP] ends each, and neither stands elsewhere
 * where there is another choice. *possible is false, and the rest empty, when a row has no choice, or a position that shows all its
 * tokens has more tokens than sentences. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_choices_make(dlg_choices *out, bool *possible, const dlg_candidates *, size_t n_sentences,
                                         const size_t *lengths, dlg_markers, dlg_error *);

/** Accepts a zeroed one. */
void dlg_choices_release(dlg_choices *);

#endif
