/*
 * Of two classes any loss moves the bias one way or the other, and a factor below zero turns it: only sentences whose
 * own factors agree, or a factor of 1, say which class it was and that the loss is cross-entropy.
 */
#include "analytic/class_grounds.h"

#include "analytic/labels/infer_labels.h"

#include <math.h>

/* A factor so near to 1 is 1: another would be a coincidence. */
static const double near_one = 1e-4;

static dlg_ground ground_of_bias(const dlg_gradient *gradient)
{
    if (dlg_single_class_is_clear(gradient))
        return (dlg_ground){DLG_LIKELY, "classifier's bias, of which one entry alone has its sign"};
    if (gradient->model->config.n_labels == 2)
        return (dlg_ground){DLG_LIKELY, "classifier's bias; of a factor below zero it is the other class"};
    return (dlg_ground){DLG_GUESSED, "classifier's bias"};
}

static void judge_restored(dlg_inspection *out, const dlg_label_restoration *pooled)
{
    const bool is_plain = fabs(pooled->scale - 1) < near_one;
    const dlg_confidence most = out->is_defended ? DLG_LIKELY : DLG_CERTAIN;
    if (pooled->is_only) {
        out->labels_ground = (dlg_ground){most, "each sentence's prediction and class, off the pooler"};
        out->scale_ground =
            out->is_defended ? (dlg_ground){DLG_GUESSED, "predictions and classes, as far as what was done to the "
                                                         "gradient lets them be seen"}
            : is_plain
                ? (dlg_ground){most, "predictions and classes make the classifier's bias"}
                : (dlg_ground){DLG_LIKELY, "predictions and classes; of a loss other than cross-entropy it differs"};
        return;
    }
    out->labels_ground = (dlg_ground){
        DLG_GUESSED,
        "predictions off the pooler; of a factor with the other sign, or another loss, others fit as well"};
    out->scale_ground =
        (dlg_ground){DLG_GUESSED, "predictions, if these are the classes and the loss is cross-entropy"};
}

void dlg_class_grounds_find(dlg_inspection *out, const dlg_gradient *gradient, const dlg_label_restoration *pooled)
{
    out->scale_ground = (dlg_ground){DLG_UNSEEN, "the sentences' own predictions are not seen"};
    if (!pooled->n_sentences)
        out->labels_ground =
            (dlg_ground){DLG_UNSEEN, "the rank of the pooler is not clear, so neither is how many there are"};
    else if (pooled->is_solved) judge_restored(out, pooled);
    else if (pooled->n_sentences > 1) out->labels_ground = (dlg_ground){DLG_GUESSED, "classifier's bias"};
    else out->labels_ground = ground_of_bias(gradient);
}
