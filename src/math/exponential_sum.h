/**
 * Sums of exponentials in several variables, known by their values and slopes at many points: what a softmax's
 * gradient is in the rows of classes that are nobody's label.
 *
 *   value(x) = sum_k q_k(x),   slope(x) = sum_k q_k(x) r_k,   q_k(x) = exp(b + r_k x - z_k)
 *
 * with an offset b of each point's own. Of K terms in K variables the rates r_k are the corners of what slope / value
 * can be, and where one term is nearly all of the sum it is nearly its rate: from such points a fit begins. It goes on
 * by Levenberg and Marquardt's steps; points that are no such sum, if they are few, drop out.
 */
#ifndef DLG_MATH_EXPONENTIAL_SUM_H
#define DLG_MATH_EXPONENTIAL_SUM_H

#include "base/status.h"

#include <stddef.h>

/** More terms are not fitted: the steps' normal equations have K (K + 1) unknowns. */
enum { DLG_EXPONENTIAL_TERMS_MOST = 40 };

/** Points of a space of K dimensions. Borrowed. */
typedef struct {
    size_t n, K;
    const double *x;      /**< (n, K) */
    const double *offset; /**< (n) b */
    const double *slope;  /**< (n, K) */
    const double *value;  /**< (n) */
} dlg_exponential_points;

/** Zero-initialise; release with dlg_exponential_sum_release. */
typedef struct {
    size_t K;
    double *rates;  /**< (K, K) a row each */
    double *levels; /**< (K) z */
    double *off;    /**< (K) norm of what a rate is off by, as what is left of the points says; infinite: anything */
    double misfit;  /**< what is left of a point, as a part of its slope: of the middle one */
} dlg_exponential_sum;

/**
 * Fit K sums in K variables, 1 to DLG_EXPONENTIAL_TERMS_MOST. How well that went is for `misfit` to say, infinite where
 * nothing could be fitted. Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_exponential_sum_fit(dlg_exponential_sum *out, const dlg_exponential_points *, dlg_error *);

/** The terms q (K) at one point. */
void dlg_exponential_sum_at(const dlg_exponential_sum *, const double *x, double offset, double *q);

/** Accepts a zeroed one. */
void dlg_exponential_sum_release(dlg_exponential_sum *);

#endif
