/**
 * What the pooler's gradient says of each sentence of a classifier's batch: its final first vector, and with it the
 * model's own prediction and the class.
 *
 * The gradient of the pooler's weight is G = sum over sentences b of delta_b h_b^T, h_b the sentence's first vector
 * after the last layer,
 *
 *   s_b = a(W h_b + w),  p_b = softmax(C s_b + c),  delta_b = a'(W h_b + w) o C^T (p_b - e_y) / B,  y the class,
 *
 * a being tanh, or what else the architecture has there (DistilBERT: ReLU).
 *
 * So its rank is the number of sentences B, h_b lies in the row space and delta_b in the column space. h_b = sum_i k_i
 * q_i leaves B numbers open, and the last layer norm says two things of them: (h_b - beta) / gamma has mean 0 and
 * norm^2 H. delta is a function of k and y: a k whose delta lies in the column space is one of the sentences.
 * Levenberg-Marquardt from random k that fulfil the layer norm finds them one by one. None of it needs the text, and
 * the sentences may be as long as they like.
 */
#ifndef DLG_ANALYTIC_LABELS_LABEL_RESTORATION_H
#define DLG_ANALYTIC_LABELS_LABEL_RESTORATION_H

#include "gradient/gradient.h"

/** Sentences beyond this are not looked for one by one. */
enum { DLG_LABEL_RESTORATION_MOST = 16 };

typedef struct {
    /** the rank of the pooler's gradient; 0 where it is not clear: a defended gradient, or too many sentences */
    size_t n_sentences;
    /** every sentence was found, and together they make the classifier's bias: what follows is then set */
    bool is_solved;
    size_t label[DLG_LABEL_RESTORATION_MOST];
    double misfit; /**< what of the bias' gradient they leave unexplained, as a part of its norm */
    double scale;  /**< by what the gradient is multiplied, next to that of the mean loss */
    double spread; /**< by how much that is another for each sentence, as a part of it */
    /**
     * Of two classes the same if each sentence had the other, which a factor of the other sign makes possible: zero for
     * one sentence. Else infinity
     */
    double other_spread;
    bool is_only; /**< no other classes make such a gradient of a multiple of the mean loss */
} dlg_label_restoration;

/** Errors: DLG_ENOMEM, DLG_ENONFINITE. */
DLG_MUST_USE dlg_status dlg_label_restoration_solve(dlg_label_restoration *out, const dlg_gradient *, dlg_error *);

#endif
