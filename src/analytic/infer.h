/** How many sentences there are and how long they are, read off a gradient; pieces of dlg_knowledge_infer. */
#ifndef DLG_ANALYTIC_INFER_H
#define DLG_ANALYTIC_INFER_H

#include "analytic/analysis.h"

/**
 * Tokens of the longest sentence: rows of the position embedding's gradient above what stands behind them. Behind an
 * undefended sentence there is zero, behind a noisy one the noise itself, whose level the last tenth of the rows (16 at
 * least) shows. A text that fills all rows is told from noise by their sums, which layer norm makes zero. 0 when no row
 * stands out, or there is no such gradient.
 */
size_t dlg_infer_length(const dlg_gradient *);

/**
 * Whether a defence is unlikely to hide rows behind that length: those before it are by far larger than one that it
 * hides. False where there is no such gradient. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_infer_length_is_likely(bool *out, const dlg_gradient *, size_t length, dlg_error *);

/**
 * The same where the position embedding was frozen: the last position at which the token that ends sentences lies in
 * layer 0's row space, as in DAGER (Petrov et al. 2024, arXiv:2405.15586); 0 where no gap sets it apart there. Where
 * dropout was on, at which its input is found (analytic/tokens/dropped_inputs.h). Errors: DLG_ENOMEM, DLG_ENONFINITE,
 * DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_infer_length_without_rows(size_t *length, dlg_analysis *, dlg_error *);

/** How many sentences there are, and how long they are. */
typedef struct {
    size_t n_sentences;      /**< 1 where nothing shows it */
    size_t *lengths;         /**< (n_sentences) the longest first, to be freed with dlg_free; NULL: no length is seen */
    bool sentences_are_seen; /**< there is one; of several, nearly the same ones may be hidden behind others */
    bool lengths_are_seen;   /**< no other lengths fit; else these are as good as others */
    size_t n_rows;           /**< rows behind layer 0's attention; 0: not clear, or not looked at */
    /** different tokens at their positions, as far as layer 0 tells them apart; 0: not clear, or not looked at */
    size_t n_inputs;
} dlg_batch_layout;

/**
 * Behind layer 0's attention every token of the batch has a row of its own in the gradient's rank, so that their number
 * is seen, but for sentences that are nearly the same; where sentences end the span check sees the token that ends
 * them. The fewest sentences whose lengths make the number are taken, and the longest for all of them where it is not
 * clear: next to a defence, or where tokens fill the model's width. Padding that takes part makes all as long as it.
 * @param n_sentences 0: not known; of one nothing but its length is looked at Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_infer_layout(dlg_batch_layout *out, dlg_analysis *, size_t n_sentences, dlg_error *);

#endif
