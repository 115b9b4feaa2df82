/**
 * What the truth leaves of a gradient beside each tolerance of math/tolerance.h, and what the nearest wrong hypothesis
 * does. For the unit test and for bench_tolerances, which print or hold the same numbers.
 */
#ifndef DLG_TESTS_RESIDUALS_H
#define DLG_TESTS_RESIDUALS_H

#include "gradient/gradient.h"
#include "vocab/special_tokens.h"

typedef enum {
    RESIDUAL_EXPLAINED,        /**< of all tensors: the text, beside it with one token replaced by its nearest */
    RESIDUAL_EXPLAINED_TENSOR, /**< of one tensor */
    RESIDUAL_TEXT,             /**< what the text makes of the whole: nothing else could be told from rounding */
    RESIDUAL_DIRECTION,        /**< singular values of layer 0's gradient: behind the rank, and the last before it */
    RESIDUAL_REMAINDER,        /**< of layer 0's gradient outside of its row space */
    RESIDUAL_INPUT,            /**< inputs of layer 0: those that were there, and the nearest tokens' */
    RESIDUAL_POSITION_ROW,     /**< position rows against words' embeddings, of one sentence: as above */
    RESIDUAL_WORD_ROW,  /**< word rows outside of a tied decoder's span: tokens that were not fed, and fed ones */
    RESIDUAL_LOOKED_UP, /**< the same beside a position's row */
    RESIDUAL_EMBEDDING, /**< directions of the embeddings' rows: behind the last, and the last */
    RESIDUAL_DEPENDENT, /**< singular values of what inputs are made of: of dependent terms, and the least of others */
    RESIDUAL_ATTENTION_PART, /**< their parts in the gradient of query and key: tokens that were not there, and were */
    RESIDUAL_ENCODED,        /**< the head's rows outside of its gradient's row space: predicted ones, and others */
    RESIDUAL_ROW,            /**< the same as a multiple of what is expected of rounding */
    RESIDUAL_BIAS,           /**< the decoder's bias, of one sentence: the labels, and one of them wrong */
    RESIDUALS
} residual_kind;

typedef struct {
    const char *name;
    double truth; /**< the most that the truth leaves; NAN: the step does not show it */
    double bound;
    double wrong; /**< the least that a wrong hypothesis does; NAN: there is none */
} residual;

/**
 * Of the gradient of one step. @param[out] out (RESIDUALS) @param[in] fed (batch->n_rows) tokens
 * @param[in] labels (batch->n_predicted) @param first_word tokens below it are special, and replace none
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status residuals_find(residual *out, const dlg_gradient *, const dlg_batch *, const uint32_t *fed,
                                       const size_t *labels, dlg_special_tokens, uint32_t first_word, dlg_error *);

#endif
