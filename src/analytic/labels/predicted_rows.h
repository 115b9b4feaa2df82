/**
 * Which rows of a batch were predicted and what label belongs to each, where the tokens that were fed are known.
 * Neither is searched for: one forward pass and the head's gradient say it, of each row by itself. So some of a batch's
 * sentences are enough.
 *
 * The head's first weight W sees, of the encoder's rows h_i, the predicted ones alone. Its gradient is
 *
 *   G = sum over predicted rows m of delta_m h_m^T,   delta_m = dL/du_m,   u_m = W h_m + w.
 *
 * So a row was predicted when h_i lies in the row space of G, whatever token it holds: the mask token, its own word or
 * any other. A classifier's are its sentences' first. With E the decoder, p_m the model's prediction for the row, y_m
 * its label, M rows, and J_m the derivative of what lies between, layer norm (a masked LM's) and activation,
 * transposed,
 *
 *   M delta_m = J_m E^T (p_m - e_{y_m})
 *
 * lies in the column space of G. The forward pass gives p_m and J_m: y_m is the one token of the vocabulary with which
 * the right side does. What points the other way lies there too, and of two classes one does. But where the h_m are
 * independent, and the delta_m are, h_m^T G^+ delta_m = 1 (G = D^T C with the rows delta_m in D and h_m in C, so that C
 * G^+ D^T is the identity): its sign must be right.
 * What that is when it is not 1 is the factor by which the gradient is multiplied.
 *
 * The same holds where labels are smoothed by a: the right side is then J_m E^T (p_m - (1 - a) e_{y_m} - a / V), of two
 * unknowns. Where the rows are all that were predicted the loss is fitted to G, by least squares over the rows'
 * coefficients, or, of a classifier, a row's delta is that of several sentences which are the same and have other
 * classes (twin_labels.c); and whatever the loss is, the delta_m themselves follow, G^T = sum of h_m delta_m^T.
 */
#ifndef DLG_ANALYTIC_LABELS_PREDICTED_ROWS_H
#define DLG_ANALYTIC_LABELS_PREDICTED_ROWS_H

#include "analytic/labels/loss.h"
#include "math/spectrum.h"
#include "models/forward.h"

#include <stdbool.h>

/** Zero-initialise; release with dlg_predicted_rows_release. */
typedef struct {
    bool is_clear; /**< the rows account for the head's gradient, and every one has one label that fits */
    size_t rank;   /**< of the head's gradient: so many different rows were predicted in all; 0: too many to see any */
    size_t n;      /**< rows found */
    size_t *row;   /**< (n) rows of the batch, ascending */
    size_t *label; /**< (n) token or class of each, where it fits */
    bool *fits;    /**< (n) whether one label fits the row, and clearly better than others */
    bool are_all;  /**< the rows account for the head's gradient: loss, weights and outputs are set */
    dlg_loss loss; /**< what it seems to be; the labels are of a softmax loss alone */
    /** (n) what each row weighs in a softmax loss, with a mean of 1; NULL: all alike */
    double *weights;
    /** (n_twins) of a classifier: the number of a sentence that was there once more, and its class then */
    size_t n_twins, *twin_of, *twin_label;
    dlg_real *outputs; /**< (n, H) delta: the gradient of what the head's first layer makes */
} dlg_predicted_rows;

/**
 * @param head column space of the gradient of the head's first layer (of its transpose, the rows), all there is of it
 * @param[in] text some or all of the batch; its predicted rows, or none, are those that will probably be found: they
 * cost no second pass
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ESHAPE for a sentence that is too long; *out is then empty.
 */
DLG_MUST_USE dlg_status dlg_predicted_rows_find(dlg_predicted_rows *out, const dlg_gradient *, const dlg_spectrum *head,
                                                dlg_forward *, const dlg_forward_text *text, dlg_error *);

/** Accepts a zeroed one. */
void dlg_predicted_rows_release(dlg_predicted_rows *);

#endif
