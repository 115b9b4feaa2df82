/**
 * What a gradient shows before any search: one object, made from it and asked by all. Each piece is found when it is
 * first asked for, and once. What is borrowed from it stays until it is freed; one thread at a time may ask.
 */
#ifndef DLG_ANALYTIC_ANALYSIS_H
#define DLG_ANALYTIC_ANALYSIS_H

#include "analytic/labels/label_restoration.h"
#include "analytic/noise/defence_traces.h"
#include "analytic/tokens/dropped_inputs.h"
#include "analytic/tokens/candidates.h"
#include "analytic/tokens/position_check.h"
#include "analytic/tokens/span_check.h"
#include "analytic/tokens/update_tokens.h"
#include "models/forward.h"
#include "vocab/special_tokens.h"

typedef struct dlg_analysis dlg_analysis;

/** Gradient and its model must outlive it. Errors: DLG_ENOMEM; *out is then NULL. */
DLG_MUST_USE dlg_status dlg_analysis_create(dlg_analysis **out, const dlg_gradient *, dlg_special_tokens, dlg_error *);

/** Accepts NULL. */
void dlg_analysis_free(dlg_analysis *);

const dlg_gradient *dlg_analysis_gradient(const dlg_analysis *);

dlg_special_tokens dlg_analysis_special(const dlg_analysis *);

/*
 * All of the following may fail with DLG_ENOMEM, or DLG_ENONFINITE where a decomposition does not converge. Where
 * parameters were frozen, so that the gradient lacks what a piece is read off, it is empty, and shows nothing.
 */

/** Tokens of the longest sentence, 0 where none is seen (analytic/infer.h). */
DLG_MUST_USE dlg_status dlg_analysis_length(size_t *length, dlg_analysis *, dlg_error *);

/** How many token types the batch used (analytic/tokens/segments.h). */
size_t dlg_analysis_count_types(dlg_analysis *);

/**
 * The token types of a batch of one sentence of that length; *out (length) is NULL where all are of the first, or where
 * no two parts of the sentence make the types' rows.
 */
DLG_MUST_USE dlg_status dlg_analysis_types(const size_t **out, dlg_analysis *, size_t length, dlg_error *);

/**
 * The special tokens with how the batch's texts are framed: pairs by their types; padding and cuts by what layer 0, or
 * of a single sentence where that is blind the position check, admits at both ends. @param length of the longest
 */
DLG_MUST_USE dlg_status dlg_analysis_framing(dlg_special_tokens *out, dlg_analysis *, size_t length, dlg_error *);

/** What a defence leaves in the numbers. */
DLG_MUST_USE dlg_status dlg_analysis_traces(const dlg_defence_traces **out, dlg_analysis *, dlg_error *);

/**
 * The row space of the first block's query, key and value: what goes into layer 0, at least n_wanted directions where
 * there are as many. Borrowed until more are asked for.
 */
DLG_MUST_USE dlg_status dlg_analysis_inputs(const dlg_spectrum **out, dlg_analysis *, size_t n_wanted, dlg_error *);

/** How many different inputs there are: the rank of that space; 0 where it is not clear. */
DLG_MUST_USE dlg_status dlg_analysis_count_inputs(size_t *n, dlg_analysis *, dlg_error *);

/**
 * Rows behind layer 0's attention, one for each token of the batch; 0 where the rank is not clear, or in a model of one
 * layer, of whose rows only those have a gradient that the head looks at.
 */
DLG_MUST_USE dlg_status dlg_analysis_count_attended(size_t *n, dlg_analysis *, dlg_error *);

/** Whether numbers of layer 0's inputs were dropped: the token that begins went in with some missing. */
DLG_MUST_USE dlg_status dlg_analysis_dropout(bool *was_on, dlg_analysis *, dlg_error *);

/** The inputs of so many positions, where dropout was on; none where it was not. */
DLG_MUST_USE dlg_status dlg_analysis_dropped_inputs(const dlg_dropped_inputs **out, dlg_analysis *, size_t n_positions,
                                                    dlg_error *);

/** Whether a token's input lies in that row space, of a batch of so many tokens; *out is the caller's to free. */
DLG_MUST_USE dlg_status dlg_analysis_span_check(dlg_span_check **out, dlg_analysis *, size_t n_tokens, dlg_error *);

/** Tokens that lie there at these positions, narrowed by the word embedding's gradient. */
DLG_MUST_USE dlg_status dlg_analysis_candidates(const dlg_candidates **out, dlg_analysis *, size_t n_positions,
                                                dlg_error *);

/** Which tokens a single sentence of that length can hold at each position; *out is NULL where it cannot be read. */
DLG_MUST_USE dlg_status dlg_analysis_position_check(const dlg_position_check **out, dlg_analysis *, size_t length,
                                                    dlg_error *);

/** Which tokens and positions a training saw, where what was shared is no gradient. */
DLG_MUST_USE dlg_status dlg_analysis_update_tokens(const dlg_update_tokens **out, dlg_analysis *, dlg_error *);

/** The column space of the gradient of the head's first layer, at least n_wanted directions where there are as many. */
DLG_MUST_USE dlg_status dlg_analysis_head(const dlg_spectrum **out, dlg_analysis *, size_t n_wanted, dlg_error *);

/** How many rows went through the head; 0 where the rank is not clear. */
DLG_MUST_USE dlg_status dlg_analysis_count_head_rows(size_t *n, dlg_analysis *, dlg_error *);

/** The sentences of a classifier's batch, off its pooler. */
DLG_MUST_USE dlg_status dlg_analysis_restoration(const dlg_label_restoration **out, dlg_analysis *, dlg_error *);

/** What texts are sent through the model with: the network of the last one is kept. */
dlg_forward *dlg_analysis_forward(dlg_analysis *);

#endif
