/** Which label stands in which of the rows that may hold one. */
#ifndef DLG_ATTACKS_SESSION_LABEL_ASSIGNMENT_H
#define DLG_ATTACKS_SESSION_LABEL_ASSIGNMENT_H

#include "base/memory.h"
#include "math/real.h"

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialise, set the sizes and label, carve. */
typedef struct {
    size_t n_rows, n_labels; /**< n_rows >= n_labels */
    const size_t *label;     /**< (n_labels), borrowed */
    bool placed;             /**< every label has a row of its own; else they are spread evenly */
    size_t *row_of;          /**< (n_labels) the row of each, once placed */
    dlg_real *share;         /**< (n_rows, n_labels) how much of each label stands in each row */
    size_t *proposed_row_of; /**< a proposal, not yet taken */
    dlg_real *proposed_share;
    double *scratch;
    size_t *index_scratch;
} dlg_label_assignment;

/** Carve the arrays; called twice (see dlg_arena). */
void dlg_label_assignment_carve(dlg_label_assignment *, dlg_arena *);

/** Spread every label evenly over the rows; where there is one row and one label, or `known`, put label i in row i. */
void dlg_label_assignment_start(dlg_label_assignment *, bool known);

/**
 * Propose the rows to which the derivative points (dD/dshare, (n_rows, n_labels)), by linear assignment: for fixed
 * embeddings the gradient is linear in the labels, so that is exact to first order. @return whether the proposal
 * differs from what holds (equal labels may change places)
 */
bool dlg_label_assignment_propose(dlg_label_assignment *, const dlg_real *derivative);

/** Propose that the labels of two rows, if they have any, change places. */
void dlg_label_assignment_propose_swap(dlg_label_assignment *, size_t row, size_t other_row);

/** Take the proposal. */
void dlg_label_assignment_accept(dlg_label_assignment *);

#endif
