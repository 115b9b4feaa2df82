/**
 * One sentence of a classifier's batch as label_restoration.h has it: which k makes a delta that lies in the column
 * space, for a label that is assumed. The residual, its derivative, and Levenberg-Marquardt. Private to
 * label_restoration.c.
 */
#ifndef DLG_ANALYTIC_LABELS_POOLER_DESCENT_H
#define DLG_ANALYTIC_LABELS_POOLER_DESCENT_H

#include "analytic/labels/label_restoration.h"

typedef struct {
    size_t B, H, C;
    bool is_relu; /* the pooler's activation; else tanh */
    const dlg_real *classifier_bias, *pooler_bias;
    double *classifier;                               /* (C, H) */
    double *image;                                    /* (B, H) W q_i */
    double *column;                                   /* (B, H) orthonormal: the column space of G */
    double mean[DLG_LABEL_RESTORATION_MOST], mean_is; /* mean . k = mean_is: the layer norm's mean */
    /* k^T norm k - 2 norm_linear . k + norm_constant = H: its norm */
    double norm[DLG_LABEL_RESTORATION_MOST * DLG_LABEL_RESTORATION_MOST], norm_linear[DLG_LABEL_RESTORATION_MOST],
        norm_constant;
    /* at one k */
    double *s, *slope, *bend, *t, *u; /* (H) activation, its first and second derivative, ... */
    double *p, *dp, *du;              /* (C) (C) (B, H) */
    size_t label;
} dlg_pooler_problem;

/** A point, what it leaves, and the normal equations there. */
typedef struct {
    double k[DLG_LABEL_RESTORATION_MOST], misfit, gradient[DLG_LABEL_RESTORATION_MOST],
        hessian[DLG_LABEL_RESTORATION_MOST * DLG_LABEL_RESTORATION_MOST];
} dlg_pooler_point;

/** Activation, slope and bend, and the prediction p at k (B). */
void dlg_pooler_predict(dlg_pooler_problem *, const double *k);

/** What k and the problem's label leave. */
dlg_pooler_point dlg_pooler_evaluate(dlg_pooler_problem *, const double *k);

/** @param[in,out] at where it begins and ends @return steps taken */
size_t dlg_pooler_descend(dlg_pooler_problem *, dlg_pooler_point *at);

/** A sentence is found when so little (squared) of its unit delta lies outside of the column space; other minima leave
 * a tenth and more. */
static const double dlg_pooler_found_below = 1e-6;

/** y += factor x */
static inline void dlg_pooler_add(size_t n, double factor, const double *x, double *y)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] += factor * x[i];
}

#endif
