/**
 * What the attack knows of the participant's step besides model and gradient, and where each piece comes from.
 * Everything that was not told is inferred here, analytically, before any optimisation.
 */
#ifndef DLG_ANALYTIC_KNOWLEDGE_H
#define DLG_ANALYTIC_KNOWLEDGE_H

#include "analytic/analysis.h"

/** Where a piece of knowledge comes from. */
typedef enum {
    DLG_ASSUMED,  /**< nobody said so and nothing shows it */
    DLG_INFERRED, /**< read off the gradient */
    DLG_METADATA, /**< the gradient's file says so */
    DLG_TOLD      /**< the user gave it away */
} dlg_origin;

/** "assumed", "inferred", "metadata", "told". */
const char *dlg_origin_name(dlg_origin);

/** Zero-initialise, set what is told (with its origin and memory of its own), let dlg_knowledge_infer fill the rest. */
typedef struct {
    size_t n_sentences;
    size_t *lengths; /**< (n_sentences) tokens, begin and end included; NULL: not told */
    size_t *types;   /**< (tokens) of what type each is, sentence by sentence; NULL: all of the first */
    size_t n_labels;
    /** (n_labels) masked-LM: the tokens behind the masks; classifier: each sentence's class; NULL: not told */
    size_t *labels;
    size_t n_rows;
    /** (n_rows >= n_labels) rows of the batch that may have been predicted, ascending; NULL: not told */
    size_t *rows;
    bool placed; /**< labels[i] is known to stand in rows[i] */
    dlg_origin sentences_from, lengths_from, labels_from, rows_from;
    /** inferred, and others fit as well: the longest sentence's end may be hidden; another loss has other labels */
    bool lengths_are_unsure, labels_are_unsure;
    double factor;              /**< by what the gradient seems to be multiplied; 0: nothing speaks against 1 */
    dlg_special_tokens special; /**< set by dlg_knowledge_infer */
    /**
     * The mask token stands in every predicted row, as was read; else, where not told, the rows are what the position
     * check admits, or all
     */
    bool masks_are_seen;
} dlg_knowledge;

/**
 * Infer what is not there. n_sentences 0 is inferred with the lengths; with lengths it is 1.
 *   batch, lengths: rows of the position embedding's gradient above the noise behind them say how long the longest
 *           sentence is, the rank behind layer 0's attention how many tokens there are (dlg_infer_layout)
 *   types:  of a single sentence, off the gradient of their embedding (analytic/tokens/segments.h)
 *   labels: masked-LM: rounded off the decoder's bias, with the model's own prediction for masks subtracted;
 *           classifier: negative entries of the classifier's bias (iDLG, Zhao et al. 2020, arXiv:2001.02610)
 *           Where the same label stands twice the bias may look as if it stood once: then as many are taken as
 *           positions hold the mask token
 *   rows:   the span check (DAGER, Petrov et al. 2024, arXiv:2405.15586): where the mask token lies in the row space of
 *           layer 0's query, key and value gradients. Where that is blind, for a single sentence, where the mask
 *           token's row of the word embedding's gradient holds the position's (analytic/tokens/word_position_match.h),
 *           if these are as many as the labels; else what the position check (analytic/tokens/position_check.h) admits,
 *           which over noise leaves a choice
 * Errors: DLG_EFORMAT when the gradient shows no length or no label, or more labels than there are places for them;
 * DLG_ESHAPE when what was told does not fit; DLG_ENOMEM. The knowledge then holds what was told, and what was inferred
 * before.
 */
DLG_MUST_USE dlg_status dlg_knowledge_infer(dlg_knowledge *, dlg_analysis *, dlg_error *);

/** The batch that is known: its sentences, types, and rows that may have been predicted. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_knowledge_lay_out(dlg_batch *out, dlg_task, const dlg_knowledge *, dlg_error *);

/** A copy with memory of its own. Errors: DLG_ENOMEM; *out is then empty. */
DLG_MUST_USE dlg_status dlg_knowledge_copy(dlg_knowledge *out, const dlg_knowledge *, dlg_error *);

/** Accepts a zeroed one. */
void dlg_knowledge_release(dlg_knowledge *);

#endif
