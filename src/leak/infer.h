/** What can be read off a gradient without optimising; the pieces of dlg_knowledge_infer, each with what it rests on. */
#ifndef DLG_LEAK_INFER_H
#define DLG_LEAK_INFER_H

#include "leak/knowledge.h"

/**
 * Tokens of the longest sentence: rows of the position embedding's gradient above what stands behind them. Behind an undefended sentence
 * there is zero, behind a noisy one the noise itself, whose level the last tenth of the rows (16 at least) shows. 0 when no row stands out.
 */
size_t dlg_infer_length(const dlg_gradient *);

/**
 * The masked-LM labels. Mean loss over M masked positions leaves in the decoder's bias g[v] = mean over them of p[v], minus n_v / M, n_v
 * how often v is a label. p is the model's own prediction for a sentence of `length` masks. M is what makes the counts whole.
 * @param max_labels M's upper bound
 * @param expected a number of labels that other evidence suggests, taken where it fits as well as the best; 0: none
 * @param is_known the expected number is certain
 * @param[out] labels (max_labels) sorted @param[out] n_labels 0 when nothing fits
 */
DLG_MUST_USE dlg_status dlg_infer_labels(size_t *labels, size_t *n_labels, const dlg_gradient *, size_t length, size_t max_labels,
                                         size_t expected, bool is_known, dlg_markers, dlg_error *);

/** The classes of a batch (iDLG): the classifier's bias has g[c] = mean p[c] - n_c / B. @param[out] labels (n_sentences) sorted */
DLG_MUST_USE dlg_status dlg_infer_classes(size_t *labels, size_t n_sentences, const dlg_gradient *, size_t length, dlg_markers, dlg_error *);

/**
 * The span check: layer 0's dW_Q, dW_K, dW_V have the inputs of all tokens in their row space. How far a token's input at a position lies
 * outside of it, as a part of its norm squared: about 0 for a token that was there, 1 - rank / hidden for another.
 */
typedef struct dlg_span_check dlg_span_check;

/** @param n_tokens tokens in the batch, which bound the rank. *out is NULL on failure. */
DLG_MUST_USE dlg_status dlg_span_check_create(dlg_span_check **out, const dlg_gradient *, size_t n_tokens, dlg_error *);

void dlg_span_check_free(dlg_span_check *);

double dlg_span_check_outside(const dlg_span_check *, uint32_t token, size_t position);

/**
 * The inner positions (1 .. length-2) of a sentence that hold `token`: those inside the row space, where a clear gap sets them off from
 * the rest.
 * @param[out] positions (length) ascending @return how many; 0 when the check sees nothing
 */
size_t dlg_span_check_positions(const dlg_span_check *, uint32_t token, size_t length, size_t *positions, double *scratch);

#endif
