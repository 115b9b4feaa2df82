/**
 * The set of tokens that went in, off the word embedding's gradient, wherever they stood.
 *
 * A look-up leaves a gradient in the rows of the tokens that were looked up. In a classifier or next to an untied
 * decoder that is all there is. A tied decoder adds (P - Y)^T H / M, H (M, hidden) what came out of the head at the M
 * predicted rows: every row of it lies in the span of H's rows. Rows that nobody looked up show that span, and those
 * that stick out of it are the tokens. A row that is alone in one direction of the span shows nothing but itself, and
 * is left out of it. Where a direction is shown by labels' rows alone, whether those were looked up as well is not
 * seen: the set is then without them.
 */
#ifndef DLG_ANALYTIC_TOKENS_TOKEN_SET_H
#define DLG_ANALYTIC_TOKENS_TOKEN_SET_H

#include "gradient/gradient.h"

#include <stdint.h>

typedef struct {
    size_t n;
    uint32_t *tokens; /**< (n) ascending, to be freed with dlg_free */
    bool is_clear;    /**< the last one in and the first one out are far apart */
} dlg_token_set;

/** What was done to the gradient. */
typedef enum {
    DLG_SHARP, /**< nothing, or each entry rounded by a part of itself */
    DLG_NOISY, /**< every entry is off by much the same: rows are judged against the middle one */
    DLG_GRID   /**< small entries became zero: rows are judged against the smallest entry left */
} dlg_blur;

/** What of the gradient is known already. */
typedef struct {
    size_t n_predicted; /**< M, the rank of the decoder's part; next to a tied decoder not zero */
    size_t n_labels;
    const size_t *labels; /**< their rows are of the decoder before they are of a look-up */
    dlg_blur blur;
    double rounding; /**< of a sharp gradient: entries are off by up to this part of themselves */
} dlg_token_evidence;

/**
 * Next to a tied decoder a label that was also looked up is found only in a sharp gradient. Where the file has no
 * gradient of the word embedding the set is empty. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_token_set_find(dlg_token_set *out, const dlg_gradient *, const dlg_token_evidence *,
                                           dlg_error *);

/** Add tokens that are not in it, in any order. Errors: DLG_ENOMEM; the set is then as it was. */
DLG_MUST_USE dlg_status dlg_token_set_add(dlg_token_set *, size_t n, const size_t *tokens, dlg_error *);

/** The set of a text's n tokens. Errors: DLG_ENOMEM; the set is then empty. */
DLG_MUST_USE dlg_status dlg_token_set_of_text(dlg_token_set *out, size_t n, const uint32_t *text, dlg_error *);

#endif
