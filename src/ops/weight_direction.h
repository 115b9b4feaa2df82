/**
 * A weight matrix's gradient g = dy^T x and the direction c of the R sweeps, as a linear operator meets them. An attack never forms g: what
 * it needs of g and c are the two products below, and those can be had from factors (design: Gram matrices and low-rank targets).
 */
#ifndef DLG_OPS_WEIGHT_DIRECTION_H
#define DLG_OPS_WEIGHT_DIRECTION_H

#include "math/real.h"

#include <stddef.h>

typedef struct dlg_weight_direction dlg_weight_direction;

/** W is (n_out, n_in); n is the number of rows of x (n,n_in) and dy (n,n_out). None of these may allocate. */
struct dlg_weight_direction {
    /** The gradient sweep: the gradient is dy^T x. x and dy stay valid and unchanged until the R sweeps are done. */
    void (*take)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy);
    /** ry (n,n_out) += x c^T */
    void (*add_rforward)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry);
    /** rdx (n,n_in) += dy c */
    void (*add_rbackward)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *rdx);
};

#endif
