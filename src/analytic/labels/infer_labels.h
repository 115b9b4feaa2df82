/** The labels, read off the gradient of the head: masked LM and classifier (iDLG and after). */
#ifndef DLG_ANALYTIC_LABELS_INFER_LABELS_H
#define DLG_ANALYTIC_LABELS_INFER_LABELS_H

#include "analytic/labels/label_restoration.h"
#include "math/spectrum.h"
#include "models/forward.h"
#include "vocab/special_tokens.h"

#include <stdint.h>

/** What is known before the labels are. */
typedef struct {
    size_t most;     /**< no more than this many */
    size_t expected; /**< so many, other evidence says; taken where it fits as well as the best; 0: none */
    bool is_certain; /**< the expected number is no matter of fit */
    /** (length) the one sentence as it went in, or NULL: then a sentence of masks stands for it */
    const uint32_t *fed;
    const size_t *types; /**< (length) its token types; NULL: all the first */
} dlg_label_evidence;

/** How well labels explain the decoder's bias. */
typedef struct {
    size_t n_labels;    /**< 0 when nothing fits */
    double misfit;      /**< the largest distance of a count from the whole number it became */
    double unexplained; /**< what of the bias' gradient prediction and labels do not make, as a part of its norm */
    double scale;       /**< by what the gradient is multiplied, next to that of the mean loss; may be negative */
} dlg_label_fit;

/** Whether other labels would explain the bias by far worse. */
bool dlg_label_fit_is_likely(const dlg_label_fit *);

/** Whether a scale is that of the mean loss, as near as a prediction that is not the text's own can say. */
bool dlg_label_scale_is_plain(double scale);

/**
 * Whether a batch's bias shows the class of its one sentence: of three classes and more one entry alone has its sign,
 * whatever the factor's is. Of two both have, and of a factor below zero it is the other.
 */
bool dlg_single_class_is_clear(const dlg_gradient *);

/**
 * The masked-LM labels. Mean loss over M masked positions leaves in the decoder's bias g[v] = mean over them of p[v],
 * minus n_v / M, n_v how often v is a label. p is the model's own prediction. Where M is not known it is what makes the
 * counts whole. @param[out] labels (known->most) sorted
 */
DLG_MUST_USE dlg_status dlg_infer_labels(size_t *labels, dlg_label_fit *out, const dlg_gradient *, dlg_forward *,
                                         size_t length, const dlg_label_evidence *known, dlg_special_tokens,
                                         dlg_error *);

/** More rows are not told apart by dlg_infer_head_rows. */
enum { DLG_HEAD_ROWS_MOST = 256 };

/**
 * How many rows went through the head: the rank of its first layer's gradient. For a masked LM the number of labels,
 * for a classifier that of sentences, but that rows which are the same count once. 0 where the rank is not clear.
 * @param head of that gradient, DLG_HEAD_ROWS_MOST directions where it has as many
 */
size_t dlg_infer_head_rows(const dlg_gradient *, const dlg_spectrum *head);

/**
 * The classes of a batch. One sentence: the only negative entry of the classifier's bias (iDLG). Several: each
 * sentence's own prediction and class (analytic/labels/label_restoration.h); where that does not see, the bias' g[c] =
 * mean p[c] - n_c / B with the prediction for a blank input. The gradient must have that bias.
 * @param[out] labels (n_sentences) sorted
 */
DLG_MUST_USE dlg_status dlg_infer_classes(size_t *labels, size_t n_sentences, const dlg_gradient *, dlg_forward *,
                                          const dlg_label_restoration *, size_t length, dlg_special_tokens,
                                          dlg_error *);

#endif
