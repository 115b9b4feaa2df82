/**
 * Whether a text explains a gradient: whether its own is the shared one, tensor by tensor.
 *
 * The sum over all tensors does not say it. Where one of them is so much larger than the others that these are its
 * rounding, any text does as well; and what the distance leaves out, the word embedding's rows, tells tokens apart
 * whose embeddings are the same. So every tensor is compared by itself, and those that depend on the text must be more
 * than rounding of the whole.
 */
#ifndef DLG_MATCHING_EXPLANATION_H
#define DLG_MATCHING_EXPLANATION_H

#include "matching/objective.h"

#include <stdint.h>

typedef struct {
    double whole;       /**< norm of what is left of all tensors, as a part of theirs */
    double worst;       /**< the largest such part of one tensor, of those that are more than rounding of the whole */
    const char *tensor; /**< its name, borrowed from the model */
    /** norm of what is the text's, as a part of the whole: the position embedding's gradient, or, where that was
     * frozen, that of query, key and value of the first block that has any */
    double text;
    /** by how much more the predicted rows' parts of the head's gradient are than their sum, which keeps the rounding
     * of all of them: 1 where nothing cancels, as where one row was predicted */
    double cancelled;
    double roundoff;      /**< of the gradient: what these are held against (math/tolerance.h) */
    size_t hidden, depth; /**< likewise, of the model */
} dlg_explanation;

enum { DLG_EXPLANATION_ROWS = 512 }; /**< of the word embedding, compared together */

/**
 * Of the objective's last evaluation, if that was at the embeddings of these tokens.
 * @param[in] fed (rows of the batch) @param rows (DLG_EXPLANATION_ROWS, hidden) scratch
 */
dlg_explanation dlg_explanation_find(const dlg_objective *, const uint32_t *fed, dlg_real *rows);

/** Whether what depends on the text is more than rounding of the whole: else any text would explain as much. */
bool dlg_explanation_is_of_text(const dlg_explanation *);

/** How much of all tensors the true text may leave. */
double dlg_explanation_bound(const dlg_explanation *);

/** Whether what is left is rounding, of each tensor, and what is explained is the text's; not of a zeroed one. */
bool dlg_explanation_is_complete(const dlg_explanation *);

#endif
