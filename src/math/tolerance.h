/**
 * How far from exact a number of finite precision may be: the bounds on rounding that numbers are held against, each a
 * function of what it depends on.
 *
 * A bound is what was measured, or derived, in single precision, times the ratio of the roundoffs. bench_tolerances
 * prints the table behind them: the most that the truth leaves and the least that the nearest wrong hypothesis does,
 * over models of 128 x 2, 256 x 4 and 768 x 12; tests/unit/tolerance.c holds small models against them, in float and in
 * double. What tells hypotheses apart whatever the precision, and what is a choice of method, stands where it is used.
 *
 * `roundoff` is the unit roundoff of what is compared: the coarser of the arithmetic's and of the shared numbers'
 * (gradient/gradient.h). No bound is below what sums and decompositions in double leave themselves.
 */
#ifndef DLG_MATH_TOLERANCE_H
#define DLG_MATH_TOLERANCE_H

#include <stddef.h>

#define DLG_SINGLE_ROUNDOFF 0x1p-24

/** Unit roundoff of dlg_real. */
extern const double dlg_roundoff;

/* ---- singular values, as parts of the largest ---- */

/** A direction below it is rounding. */
double dlg_tolerance_direction(double roundoff);

/** What follows a step down is rounding where it is no more than this (math/rank.h). */
double dlg_tolerance_floor(double roundoff);

/** No value is told from zero below it. */
double dlg_tolerance_zero(double roundoff);

/** Where values no longer fall they mean something only above it. */
double dlg_tolerance_visible(double roundoff);

/** From here on the others need not be looked for. */
double dlg_tolerance_spectrum_end(double roundoff);

/**
 * What singular values that are roots of a Gram matrix' eigenvalues are held against, whatever the numbers' precision:
 * squares in double hold half of its digits, which is about what single precision has.
 */
#define DLG_GRAM_ROUNDOFF DLG_SINGLE_ROUNDOFF

/** The mean of a direction's numbers below it is none. */
double dlg_tolerance_mean(double roundoff);

/* ---- rows, as parts of their norm ---- */

/** Of a row of n numbers that came through a layer: as expected, not at most (math/row_rounding.h). */
double dlg_tolerance_row(double roundoff, size_t n);

/** Of a row of the position embedding's gradient, along its input: as expected. */
double dlg_tolerance_position_row(double roundoff);

/** The same where the layer norm adds epsilon to a variance, whatever the precision. */
double dlg_tolerance_position_row_epsilon(double epsilon, double variance);

/** A direction of the embeddings' rows below this part of the largest is rounding. */
double dlg_tolerance_embedding_direction(double roundoff);

/** Of an embedding's row that is a sum of a few others: as expected. */
double dlg_tolerance_summed_row(double roundoff);

/** Of a row of a tied word embedding's gradient outside of the decoder's span. */
double dlg_tolerance_word_row(double roundoff);

/** Of the middle row of a tied word embedding's gradient beside the sum of exponentials that it is. */
double dlg_tolerance_tied_row(double roundoff);

/** A token's row of the word embedding's gradient is no look-up below this part of a position's row. */
double dlg_tolerance_looked_up(double roundoff);

/*
 * An input of layer 0 outside of the row space of its gradient. Rounding leaves of it, to first order, roundoff by the
 * singular value of the weakest direction that it lies along; and the weakest that is kept is a multiple of the
 * roundoff. So these do not depend on the precision.
 */

/** Of any input of a gradient that is exact to its precision, where no weak direction is kept. */
double dlg_tolerance_input_exact(void);

/** Of the inputs that all positions need, where sums of others' fill all gaps. */
double dlg_tolerance_input(void);

/** Of the nearest token's where none is asked for by name: another step's weights leave it further out. */
double dlg_tolerance_input_any(void);

/** Of an input along weak directions: begin and end, which every text has. */
double dlg_tolerance_input_weak(void);

/** What depends on others, of the model's own numbers, lies below this singular value, as a part of the largest. */
double dlg_tolerance_dependent(void);

/** The same of inputs of layer 0, whose products' eigenvalues are its squares. */
double dlg_tolerance_dependent_input(void);

/** The least part in the gradient of query and key of what inputs are made of, beside the largest's. */
double dlg_tolerance_attention_part(double roundoff);

/** Likewise of a row of the encoder, outside of the row space of the head's gradient. */
double dlg_tolerance_encoded_row(void);

/** Of a label's or a loss' part of the head's gradient, outside of its column space; smoothing below it is none. */
double dlg_tolerance_label(void);

/** How many times as much as is expected (math/row_rounding.h) may be left of a row. */
double dlg_tolerance_times_expected(void);

/** Of a row inside the feed-forward part that the found ones span. */
double dlg_tolerance_hidden_row(void);

/* ---- a gradient, as parts of its norm ---- */

/**
 * What a target may hold outside of its row space and drop, of each tensor: directions that a Gram matrix hides, of as
 * many as there are rows.
 */
double dlg_tolerance_remainder(size_t n_rows);

/** What the true text leaves of a gradient, all tensors together. @param depth layers */
double dlg_tolerance_explained(double roundoff, size_t hidden, size_t depth);

/** The same of one tensor: some are differences of larger numbers (keys and values of the last layer). */
double dlg_tolerance_explained_tensor(double roundoff, size_t hidden, size_t depth);

/** Where the parts of a gradient cancel, so many times as much is rounding, and no more. */
double dlg_tolerance_most_cancelled(void);

/** A tensor so small beside the whole is rounding of it. */
double dlg_tolerance_beside(double roundoff);

/** What prediction and labels of the true text leave of the decoder's bias. */
double dlg_tolerance_bias(double roundoff);

#endif
