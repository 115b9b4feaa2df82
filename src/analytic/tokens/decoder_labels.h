/** What a tied decoder's fit is made of, for the files that make it: see tied_decoder.h. */
#ifndef DLG_ANALYTIC_TOKENS_DECODER_LABELS_H
#define DLG_ANALYTIC_TOKENS_DECODER_LABELS_H

#include "analytic/tokens/tied_decoder.h"
#include "math/exponential_sum.h"

/** No label is known. */
#define DLG_NO_LABEL UINT32_MAX

struct dlg_tied_decoder {
    const dlg_gradient *gradient;
    const double *basis; /**< (rank, H) */
    size_t rank;
    double sign; /**< of the factor by which the gradient is multiplied */
    double *x;   /**< (V, rank) the vocabulary's embeddings in the basis */
    dlg_exponential_sum sum;
    double *weights;    /**< (rank) of the predicted rows */
    dlg_real *expected; /**< (rank, H) sum over the vocabulary of q E[v] */
    uint32_t *labels;   /**< (rank) of the predicted rows, or DLG_NO_LABEL */
    double *q, *slope;  /**< (rank) scratch */
};

/** q (rank) at a token, in d->q, and the sum of the terms' slopes in d->slope. @return the terms' sum */
double dlg_tied_decoder_at(const dlg_tied_decoder *, uint32_t token);

/** How often the token is a label; SIZE_MAX where the bias is no whole number of labels off. */
size_t dlg_decoder_labels_count(const dlg_tied_decoder *, uint32_t token, double terms);

/**
 * Which label belongs to which predicted row, as far as that is seen. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 * @param looked_up (n) ascending
 */
DLG_MUST_USE dlg_status dlg_decoder_labels_find(dlg_tied_decoder *, size_t n, const uint32_t *looked_up, dlg_error *);

#endif
