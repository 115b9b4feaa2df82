#include "math/tolerance.h"

#include "math/real.h"

#include <math.h>

const double dlg_roundoff = sizeof(dlg_real) == sizeof(float) ? 0x1p-24 : 0x1p-53;

/* What sums of up to 4096 products in double, and LAPACK on matrices of that size, leave: n times 2^-52. */
static const double of_double = 1e-12;

static double scale(double in_single, double roundoff)
{
    return fmax(in_single * (roundoff / DLG_SINGLE_ROUNDOFF), of_double);
}

/*
 * Errors of sums grow like the square root of their terms, and those of layers that follow each other add up likewise.
 * Up to the largest model that was measured rounding did not grow with its size, for what cancels in a tensor counts
 * more; beyond it is taken to.
 */
static double growth(size_t hidden, size_t depth)
{
    return sqrt(fmax(1, (double)hidden * (double)depth / (768 * 12)));
}

/*
 * Numbers rounded to nearest are off by up to u of themselves, independently: a matrix (m, n) of such errors has
 * singular values up to about u / 2 (1 / sqrt(m) + 1 / sqrt(n)) of the norm of what was rounded, 0.1 u for 128 x 128,
 * and the largest singular value is a part of that norm. With what the participant's sums add it is 0.8 u at most,
 * measured.
 */
double dlg_tolerance_direction(double roundoff)
{
    return scale(1e-7, roundoff);
}

double dlg_tolerance_floor(double roundoff)
{
    return scale(5e-7, roundoff);
}

double dlg_tolerance_zero(double roundoff)
{
    return scale(1e-8, roundoff);
}

double dlg_tolerance_visible(double roundoff)
{
    return scale(4e-8, roundoff);
}

double dlg_tolerance_spectrum_end(double roundoff)
{
    return scale(1e-6, roundoff);
}

double dlg_tolerance_mean(double roundoff)
{
    return scale(1e-6, roundoff);
}

/* Errors of sums of n products grow like sqrt(n). Measured by that: 0.2 u where n is 128, 0.17 u where it is 768. */
double dlg_tolerance_row(double roundoff, size_t n)
{
    return fmax(0.25 * roundoff * sqrt((double)n), of_double);
}

/* Measured 5e-7 at most where the check allows 4.5 times the bound, a wrong token 2e-3. */
double dlg_tolerance_position_row(double roundoff)
{
    return scale(3e-6, roundoff);
}

/*
 * A layer norm hands back what its input x, without its mean, is orthogonal to but for epsilon: <dx, x> = n m epsilon /
 * sigma, with m the mean of what comes from above times x / sigma. Were that random, it would leave epsilon / variance
 * of what is expected of random vectors; measured 5.6 times that at most, where the check allows 4.5 times the bound.
 */
double dlg_tolerance_position_row_epsilon(double epsilon, double variance)
{
    return 2 * epsilon / fmax(variance, 1e-300);
}

/*
 * The row of the types is the sum of the positions', and adds 2e-7 of a direction, 6e-7 where a batch's classes all but
 * cancel; the least of their own is 4e-5.
 */
double dlg_tolerance_embedding_direction(double roundoff)
{
    return scale(2e-6, roundoff);
}

/*
 * Each addition rounds by up to u of the sum so far, 0.58 u as expected, and of n rows that have nothing in common
 * the sum so far is half of all, squared, on average: 0.58 u sqrt(n / 2), 1.6 u where n is 16.
 */
double dlg_tolerance_summed_row(double roundoff)
{
    return scale(1e-7, roundoff);
}

/* Measured 5e-8; a token that was fed leaves more than half of its row. */
double dlg_tolerance_word_row(double roundoff)
{
    return scale(1e-5, roundoff);
}

/* Measured 2e-7; of one predicted row too few, or of a fit that came to nothing, 1e-5 and more. */
double dlg_tolerance_tied_row(double roundoff)
{
    return scale(1e-6, roundoff);
}

/* Measured 5e-8; of a token that was fed 0.03 and more. */
double dlg_tolerance_looked_up(double roundoff)
{
    return scale(1e-4, roundoff);
}

double dlg_tolerance_input_exact(void)
{
    return 1e-5;
}

double dlg_tolerance_input(void)
{
    return 1e-4;
}

double dlg_tolerance_input_any(void)
{
    return 3e-5;
}

/* Measured 2.4e-4 in batches of four on 128 x 2, 1e-5 and less in larger models; the nearest wrong token 0.2. */
double dlg_tolerance_input_weak(void)
{
    return 1e-3;
}

/* Measured 2e-16; of tokens and positions that do not depend on each other 0.03 and more. */
double dlg_tolerance_dependent(void)
{
    return 1e-9;
}

/* In products of a hundred inputs double leaves 1e-14 of the largest eigenvalue; tokens alike but for 1e-6 are one. */
double dlg_tolerance_dependent_input(void)
{
    return 1e-6;
}

/* Measured 1.3e-7 where it was not there; where it was 5e-3 and more. */
double dlg_tolerance_attention_part(double roundoff)
{
    return scale(1e-4, roundoff);
}

/* Measured 7e-6; other rows 0.7 and more. */
double dlg_tolerance_encoded_row(void)
{
    return 1e-2;
}

double dlg_tolerance_label(void)
{
    return 1e-3;
}

/*
 * Of 888 sentences of CoLA on trained models of 128 x 2 and 256 x 4, alone and in batches of up to eight, the furthest
 * row lay 1.1 times as far (median), at most 1.9 times; of 48,000 that differ from these in a token or two, or are made
 * of several, one lay 4 times as far, six 26 to 49 times, all others 150 and more.
 */
double dlg_tolerance_times_expected(void)
{
    return 3;
}

double dlg_tolerance_hidden_row(void)
{
    return 1e-4;
}

/*
 * A direction that is dropped holds dlg_tolerance_direction of the largest at most, and of rows that are nearly alike
 * most are dropped: the bound grows with the root of their number. Measured, of the stack's three matrices of 256 to
 * 1536 columns: 1e-6 of 20 rows, 2.1e-6 of 80, 2.8e-6 of 160, 3.2e-6 of 320. What the products round is less.
 */
double dlg_tolerance_remainder(size_t n_rows)
{
    return fmax(2e-6, 3 * dlg_tolerance_direction(DLG_GRAM_ROUNDOFF) * sqrt((double)n_rows));
}

/*
 * Measured 4e-6; with one token replaced by its nearest 1.5e-3. Where the classes of a batch all but cancel both are
 * larger, for rounding and what is wrong are of the parts, and the whole is what is left of their sum.
 * In double the directions that targets drop are left, 2e-9 measured.
 */
double dlg_tolerance_explained(double roundoff, size_t hidden, size_t depth)
{
    return fmax(scale(3e-5, roundoff), 2 * dlg_tolerance_remainder(1)) * growth(hidden, depth);
}

/* Measured 1.5e-4, of keys and values of the last layer, of whose rows the head looks at few; the wrong token 0.08. */
double dlg_tolerance_explained_tensor(double roundoff, size_t hidden, size_t depth)
{
    return fmax(scale(1e-3, roundoff), 2 * dlg_tolerance_remainder(1)) * growth(hidden, depth);
}

/* Measured 15 for three sentences of three classes on random 128 x 2: the truth leaves 2.5e-5, a wrong token 0.026. */
double dlg_tolerance_most_cancelled(void)
{
    return 20;
}

double dlg_tolerance_beside(double roundoff)
{
    return scale(1e-6, roundoff);
}

/* Measured 2e-8; a wrong label leaves more than the bias has. */
double dlg_tolerance_bias(double roundoff)
{
    return scale(1e-5, roundoff);
}
