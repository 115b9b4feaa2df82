/**
 * Labels on their way to their places: how much of each stands in each row that may hold one, which descends along with
 * the embeddings. Every label is somewhere and no row holds more than one, so the shares are scaled until the columns
 * of labels add up to one, that of no label to what is left of the rows, and every row to one (Sinkhorn & Knopp 1967).
 * A row that holds a label was the mask token to the same degree, so its embedding is drawn there as it comes:
 *
 *   s[r, j] = u[r] exp(c z[r, j]) v[j],   w[r] = sum over labels j of s[r, j],   x[r] = w[r] E[mask] + (1 - w[r]) y[r]
 *
 * z (rows, labels) are the logits, as large as the embeddings' numbers, so that both move alike, and zero for no label;
 * y what stands there if no label does. Backward: dz = c s o (ds - a 1' - 1 b'), with a and b such that no row's and no
 * column's sum changes, found by solving for one and the other in turn, which converges as the scaling does.
 */
#ifndef DLG_ATTACKS_SESSION_SINKHORN_H
#define DLG_ATTACKS_SESSION_SINKHORN_H

#include "attacks/session/label_assignment.h"

/** Zero-initialise, set the first, carve. Borrowed: placement, row, mask. */
typedef struct {
    dlg_label_assignment *placement; /**< its share is what the logits make */
    const size_t *row;               /**< (placement->n_rows) which rows of the batch may hold a label */
    size_t width;                    /**< of an embedding */
    /** (width) the embedding of the mask token; NULL: labels may stand at other tokens */
    const dlg_real *mask;
    double factor;                      /**< c */
    double *share;                      /**< (n_rows, n_labels + 1) s, last that of no label */
    double *row_factor, *column_factor; /**< u or a (n_rows), v or b (n_labels + 1) */
} dlg_sinkhorn;

/** Carve the arrays; called twice (see dlg_arena). */
void dlg_sinkhorn_carve(dlg_sinkhorn *, dlg_arena *);

/** Numbers in z. */
size_t dlg_sinkhorn_size(const dlg_sinkhorn *);

/** placement->share and the rows of point (batch's rows, width), which holds y, become what z makes of them. */
void dlg_sinkhorn_apply(dlg_sinkhorn *, const double *z, dlg_real *point);

/**
 * The derivative with respect to x and s, at the point and z that were applied last, becomes that with respect to y and
 * z. @param[in,out] derivative (batch's rows, width) @param[in] label_derivative (n_rows, n_labels) @param[out] dz
 */
void dlg_sinkhorn_pull_back(dlg_sinkhorn *, const dlg_real *point, dlg_real *derivative,
                            const dlg_real *label_derivative, double *dz);

/** Whether of every row it is all but decided which label it holds, or that it holds none. */
bool dlg_sinkhorn_is_sharp(const dlg_sinkhorn *);

/** Put the labels where most of them stands, no two in one row. @param scratch (n_rows, n_labels) */
void dlg_sinkhorn_settle(const dlg_sinkhorn *, dlg_real *scratch);

#endif
