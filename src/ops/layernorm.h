/**
 * Layer normalisation of a sum: y = LN(a + b), b optional; where it comes before what it normalises for, also a + b
 * itself.
 */
#ifndef DLG_OPS_LAYERNORM_H
#define DLG_OPS_LAYERNORM_H

#include "ops/op.h"

/** a, residual (n, C) -> y, sum (n, C). a has no other consumer; residual, which may be NULL, may have others. */
typedef struct {
    dlg_op op;
    dlg_value *a, *residual, *y;
    dlg_value *sum;                  /**< a + residual, for other consumers; NULL: nobody wants it */
    dlg_small_parameter gamma, beta; /**< (C) */
    dlg_real eps;                    /**< added to the variance */
    dlg_real *xhat;                  /**< (n, C) forward: the normalised rows */
    dlg_real *rxhat;                 /**< (n, C) R-forward: their derivative */
    dlg_real *rstd;                  /**< (n) forward: 1 / standard deviation */
    dlg_real *s;                     /**< (n) R-forward: mean(xhat Rx) */
} dlg_layernorm;

extern const dlg_op_class dlg_layernorm_class;

#endif
