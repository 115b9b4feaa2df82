/** Mean cross-entropy of a softmax against soft labels. */
#ifndef DLG_OPS_CROSS_ENTROPY_H
#define DLG_OPS_CROSS_ENTROPY_H

#include "ops/op.h"

/**
 * logits z (n, V) -> loss = -(1/count) sum over rows i and labels j of Y[i,j] log softmax(z_i)[label j].
 *
 * Y spreads n_labels labels over n rows. Each label certain of its row, and count = n_labels: the mean loss of PyTorch.
 * The caller may change Y, labels and count between evaluations. logits->x holds the softmax p after forward. logits
 * has no other consumer.
 */
typedef struct {
    dlg_op op;
    dlg_value *logits;
    size_t n_labels;
    const size_t *label;   /**< (n_labels), below V; a label may stand there twice */
    const dlg_real *share; /**< Y (n, n_labels) */
    double count;          /**< what the sum is divided by */
    double loss;           /**< forward */
    dlg_real *log_p;       /**< (n, n_labels) forward: log softmax at the labels */
    dlg_real *rlog_p;      /**< (n, n_labels) R-forward: its derivative; R dloss/dY = -rlog_p / count */
    size_t max_labels;     /**< what log_p and rlog_p have room for */
} dlg_cross_entropy;

extern const dlg_op_class dlg_cross_entropy_class;

#endif
