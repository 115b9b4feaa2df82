/**
 * The gradient of the head's first layer beside a text: what predicted_rows.h explains is found in three steps, rows,
 * labels and loss, which share this. Private to them.
 */
#ifndef DLG_ANALYTIC_LABELS_HEAD_GRADIENT_H
#define DLG_ANALYTIC_LABELS_HEAD_GRADIENT_H

#include "analytic/labels/predicted_rows.h"

/** Labels are smoothed by no more than this; with more the true class would be the less likely one. */
#define DLG_SMOOTHING_MOST 0.5

typedef struct {
    const dlg_gradient *gradient;
    dlg_forward *forward;
    const dlg_forward_text *text;
    const dlg_real *head;       /**< G (H, H) */
    size_t H, n_rows;           /**< rows of the batch */
    const dlg_network *network; /**< the text has gone through it, the predicted rows through its head */
    size_t rank;
    const double *columns; /**< (rank, H) orthonormal basis of G's column space */
    double *weights;       /**< (rank, batch rows) G^T columns^T weights = the encoder's rows, as nearly as can be */
} dlg_head_gradient;

/** d (H) := J d: back through layer norm and activation of the i-th predicted row; and J^T d. */
void dlg_head_pull_back(const dlg_network *, size_t i, double *d);
void dlg_head_push_forward(const dlg_network *, size_t i, double *d);

/** out (n, H) = E^T p_m of every predicted row. */
void dlg_head_expect(const dlg_head_gradient *, size_t n, dlg_real *out);

/** out (n, H) = J_m E^T (p_m - uniform): what smoothed labels add. @param[in] expected by dlg_head_expect */
DLG_MUST_USE dlg_status dlg_head_smooth(const dlg_head_gradient *, size_t n, const dlg_real *expected, double *out,
                                        dlg_error *);

/** The label of each of out->n rows, and whether one fits, smoothed or not. @param[in] expected by dlg_head_expect */
DLG_MUST_USE dlg_status dlg_row_labels_find(dlg_predicted_rows *out, const dlg_head_gradient *,
                                            const dlg_real *expected, dlg_error *);

/**
 * Rows that several sentences of other classes share, if that makes it a mean loss: labels, twins and loss are then
 * set. @param[in] slope (C, n) the loss' derivative with respect to the logits of the rows
 */
DLG_MUST_USE dlg_status dlg_twin_labels_find(dlg_predicted_rows *out, const dlg_head_gradient *, const double *slope,
                                             dlg_error *);

/** The loss, the rows' weights and what the head's first layer is given, of rows that are all there are. */
DLG_MUST_USE dlg_status dlg_loss_fit(dlg_predicted_rows *out, const dlg_head_gradient *, const dlg_real *expected,
                                     dlg_error *);

#endif
