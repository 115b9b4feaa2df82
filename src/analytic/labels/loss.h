/** Which loss a gradient is of. */
#ifndef DLG_ANALYTIC_LABELS_LOSS_H
#define DLG_ANALYTIC_LABELS_LOSS_H

#include "gradient/gradient.h"

typedef enum {
    DLG_LOSS_MEAN,     /**< mean cross-entropy, perhaps times a factor */
    DLG_LOSS_SMOOTHED, /**< the same with smoothed labels */
    DLG_LOSS_WEIGHTED, /**< the same, some rows weighing more than others: class weights, or batches added up */
    DLG_LOSS_BINARY,   /**< mean binary cross-entropy of every class: several labels a text */
    DLG_LOSS_SQUARED,  /**< mean squared error of the one number: regression */
    DLG_LOSS_OTHER     /**< none of these, or it is not seen which */
} dlg_loss_kind;

/** "mean cross-entropy" and so on. */
const char *dlg_loss_name(dlg_loss_kind);

/** That of a mean cross-entropy is {DLG_LOSS_MEAN, {1, 0}}. */
typedef struct {
    dlg_loss_kind kind;
    dlg_softmax_loss softmax; /**< factor and smoothing; the factor of a binary one too; of others 1 */
    double other_factor;      /**< that with the other of two classes explains as much; 0: there is none */
    bool is_weighted_too;     /**< plain labels, one of which weighs more, explain it as well as smoothed ones */
} dlg_loss;

#endif
