/**
 * Labels on their way to their places: how much of each stands in each row that may hold it, a softmax over these rows that descends along
 * with the embeddings. A row that holds labels was [MASK] to the same degree, so its embedding is drawn there as they come:
 *
 *   s[r, j] = exp(c z[r, j]) / sum over rows of it,   w[r] = 1 - prod over j of (1 - s[r, j]),   x[r] = w[r] E[MASK] + (1 - w[r]) y[r]
 *
 * z (rows, labels) are the logits, as large as the embeddings' numbers, so that both move alike; y what stands there if no label does.
 */
#ifndef DLG_LEAK_SOFT_PLACEMENT_H
#define DLG_LEAK_SOFT_PLACEMENT_H

#include "leak/placement.h"

/** Zero-initialise, set the first, carve. Borrowed: placement, row, mask. */
typedef struct {
    dlg_placement *placement; /**< its share is what the logits make */
    const size_t *row;        /**< (placement->n_rows) which rows of the batch may hold a label */
    size_t width;             /**< of an embedding */
    const dlg_real *mask;     /**< (width) the embedding of [MASK]; NULL: labels may stand at other tokens */
    double factor;            /**< c */
    double *share;            /**< (n_rows, n_labels) s */
    double *masked;           /**< (n_rows) w */
} dlg_soft_placement;

/** Carve the arrays; called twice (see dlg_arena). */
void dlg_soft_placement_carve(dlg_soft_placement *, dlg_arena *);

/** Numbers in z. */
size_t dlg_soft_placement_size(const dlg_soft_placement *);

/** placement->share and the rows of point (batch's rows, width), which holds y, become what z makes of them. */
void dlg_soft_placement_apply(dlg_soft_placement *, const double *z, dlg_real *point);

/**
 * The derivative with respect to x and s, at the point and z that were applied last, becomes that with respect to y and z.
 * @param[in,out] derivative (batch's rows, width) @param[in] label_derivative (n_rows, n_labels) @param[out] dz
 */
void dlg_soft_placement_pull_back(const dlg_soft_placement *, const dlg_real *point, dlg_real *derivative,
                                  const dlg_real *label_derivative, double *dz);

/** Whether every label has all but come to one row. */
bool dlg_soft_placement_is_sharp(const dlg_soft_placement *);

/** Put the labels where most of them stands, no two in one row. @param scratch (n_rows, n_labels) */
void dlg_soft_placement_settle(const dlg_soft_placement *, dlg_real *scratch);

#endif
