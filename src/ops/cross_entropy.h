/** Cross-entropy of a softmax against soft labels, which may be smoothed. */
#ifndef DLG_OPS_CROSS_ENTROPY_H
#define DLG_OPS_CROSS_ENTROPY_H

#include "ops/op.h"

/**
 * logits z (n, V) -> loss = -(1/count) sum over rows i and labels j of Y[i,j] L_i[label j], where
 * L_i[v] = (1 - smoothing) log softmax(z_i)[v] + smoothing mean over u of log softmax(z_i)[u].
 *
 * Y spreads n_labels labels over n rows. Each label certain of its row, and count = n_labels: the mean loss of PyTorch;
 * a smaller count is that loss times a factor, a negative one turns its sign, and rows of Y that sum to other than 1
 * weigh the rows. The caller may change Y, labels, count and smoothing between evaluations. logits->x holds the softmax
 * p after forward. logits has no other consumer.
 */
typedef struct {
    dlg_op op;
    dlg_value *logits;
    size_t n_labels;
    const size_t *label;   /**< (n_labels), below V; a label may stand there twice */
    const dlg_real *share; /**< Y (n, n_labels) */
    double count;          /**< what the sum is divided by */
    double smoothing;      /**< of the labels, 0 to 1 (Szegedy et al. 2016, arXiv:1512.00567, section 7) */
    double loss;           /**< forward */
    dlg_real *log_p;       /**< (n, n_labels) forward: L at the labels */
    dlg_real *rlog_p;      /**< (n, n_labels) R-forward: its derivative; R dloss/dY = -rlog_p / count */
    size_t max_labels;     /**< what log_p and rlog_p have room for */
} dlg_cross_entropy;

extern const dlg_op_class dlg_cross_entropy_class;

#endif
