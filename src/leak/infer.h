/** What can be read off a gradient without optimising; the pieces of dlg_knowledge_infer, each with what it rests on. */
#ifndef DLG_LEAK_INFER_H
#define DLG_LEAK_INFER_H

#include "leak/knowledge.h"

/**
 * Tokens of the longest sentence: rows of the position embedding's gradient above what stands behind them. Behind an undefended sentence
 * there is zero, behind a noisy one the noise itself, whose level the last tenth of the rows (16 at least) shows. A text that fills all
 * rows is told from noise by their sums, which layer norm makes zero. 0 when no row stands out.
 */
size_t dlg_infer_length(const dlg_gradient *);

/** How many sentences there are, and how long they are. */
typedef struct {
    size_t n_sentences;      /**< 1 where nothing shows it */
    size_t *lengths;         /**< (n_sentences) the longest first, to be freed with dlg_free; NULL: no length is seen */
    bool sentences_are_seen; /**< there is one; of several, nearly the same ones may be hidden behind others */
    bool lengths_are_seen;   /**< no other lengths fit; else these are as good as others */
    size_t n_rows;           /**< rows behind layer 0's attention; 0: not clear, or not looked at */
    size_t n_inputs;         /**< different tokens at their positions, as far as layer 0 tells them apart; 0: not clear, or not looked at */
} dlg_batch_layout;

/**
 * Behind layer 0's attention every token of the batch has a row of its own in the gradient's rank, so that their number is seen, but for
 * sentences that are nearly the same; where sentences end the span check sees [SEP]. The fewest sentences whose lengths make the number are
 * taken, and the longest for all of them where it is not clear: next to a defence, or where tokens fill the model's width.
 * @param n_sentences 0: not known; of one nothing but its length is looked at Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_infer_layout(dlg_batch_layout *out, const dlg_gradient *, size_t n_sentences, dlg_special_tokens, dlg_error *);

/** What is known before the labels are. */
typedef struct {
    size_t most;         /**< no more than this many */
    size_t expected;     /**< so many, other evidence says; taken where it fits as well as the best; 0: none */
    bool is_certain;     /**< the expected number is no matter of fit */
    const uint32_t *fed; /**< (length) the one sentence as it went in, or NULL: then a sentence of masks stands for it */
} dlg_label_evidence;

/** How well labels explain the decoder's bias. */
typedef struct {
    size_t n_labels;     /**< 0 when nothing fits */
    double misfit;       /**< the largest distance of a count from the whole number it became */
    double unexplained;  /**< what of the bias' gradient prediction and labels do not make, as a part of its norm */
    double scale;        /**< by what the gradient is multiplied, next to that of the mean loss */
} dlg_label_fit;

/**
 * The masked-LM labels. Mean loss over M masked positions leaves in the decoder's bias g[v] = mean over them of p[v], minus n_v / M, n_v
 * how often v is a label. p is the model's own prediction. Where M is not known it is what makes the counts whole.
 * @param[out] labels (known->most) sorted
 */
DLG_MUST_USE dlg_status dlg_infer_labels(size_t *labels, dlg_label_fit *out, const dlg_gradient *, size_t length,
                                         const dlg_label_evidence *known, dlg_special_tokens, dlg_error *);

/** More rows are not told apart by dlg_infer_head_rows. */
enum { DLG_HEAD_ROWS_MOST = 256 };

/**
 * How many rows went through the head: the rank of its first layer's gradient. For a masked LM the number of labels, for a classifier that
 * of sentences, but that rows which are the same count once. 0 where the rank is not clear.
 */
DLG_MUST_USE dlg_status dlg_infer_head_rows(size_t *n, const dlg_gradient *, dlg_error *);

/**
 * The classes of a batch. One sentence: the only negative entry of the classifier's bias (iDLG). Several: each sentence's own prediction
 * and class (leak/pooled.h); where that does not see, the bias' g[c] = mean p[c] - n_c / B with the prediction for a blank input.
 * @param[out] labels (n_sentences) sorted
 */
DLG_MUST_USE dlg_status dlg_infer_classes(size_t *labels, size_t n_sentences, const dlg_gradient *, size_t length, dlg_special_tokens,
                                          dlg_error *);

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
