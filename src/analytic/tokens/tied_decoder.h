/**
 * What a tied decoder adds to the word embedding's gradient, of the rows of tokens that were looked up as well.
 *
 * With h_m what came out of the head at the predicted rows, w_m what each weighs in the loss, and y_m its label, row v
 * of the decoder's weight and entry v of its bias get
 *
 *   sum_m q_m(v) h_m - sum over m with y_m = v of w_m h_m,   sum_m q_m(v) - sum over them of w_m,
 *   q_m(v) = w_m exp(h_m E[v] + b[v]) / Z_m.
 *
 * Rows of tokens that nobody looked up hold nothing else. In coordinates of the span of the h_m, which they show, they
 * are slopes of a sum of exponentials (math/exponential_sum.h) and the bias' entries its values: as many unknowns as
 * predicted rows times one more than these, against so many numbers for each token of the vocabulary. So the h_m
 * follow, and with them what the decoder added to any row; the bias says how often a token is a label. Of which rows
 * is solved for (decoder_labels.c).
 */
#ifndef DLG_ANALYTIC_TOKENS_TIED_DECODER_H
#define DLG_ANALYTIC_TOKENS_TIED_DECODER_H

#include "gradient/gradient.h"

#include <stdint.h>

typedef struct dlg_tied_decoder dlg_tied_decoder;

/**
 * @param basis (rank, H) orthonormal, of the decoder's rows, borrowed @param looked_up (n) ascending: the others are
 * known not to have been. *out is NULL where nothing is seen: no gradient of the bias, too many predicted rows, or rows
 * that are no such sum (smoothed labels; noise). Errors: DLG_ENOMEM, DLG_ENONFINITE,
 * DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_tied_decoder_find(dlg_tied_decoder **out, const dlg_gradient *, size_t rank,
                                              const double *basis, size_t n, const uint32_t *looked_up, dlg_error *);

/**
 * Row (H) of the word embedding's gradient without the decoder's part. @return the norm of what it is off by; infinite
 * where the token is a label, and of which of the rows cannot be told
 */
double dlg_tied_decoder_take_out(const dlg_tied_decoder *, uint32_t token, double *row);

/** Accepts NULL. */
void dlg_tied_decoder_free(dlg_tied_decoder *);

#endif
