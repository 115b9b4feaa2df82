/**
 * A weight matrix's gradient g = dy^T x and the direction c of the R sweeps, as a linear operator meets them. An attack
 * never forms g: what it needs of g and c are the two products x c^T and dy c, and those can be had from factors
 * (design: Gram matrices and low-rank targets).
 */
#ifndef DLG_OPS_WEIGHT_DIRECTION_H
#define DLG_OPS_WEIGHT_DIRECTION_H

#include "math/real.h"

#include <stddef.h>

typedef struct dlg_weight_direction dlg_weight_direction;

/**
 * The linear operator calls each in its sweep of that name. W is (n_out, n_in); n is the number of rows of x (n,n_in)
 * and dy (n,n_out), which stay unchanged from the backward sweep on. None may allocate. gradient and rstart run beside
 * those of other operators and must keep to their own thread; backward and rbackward have all threads to themselves.
 * The latter two may be NULL.
 */
struct dlg_weight_direction {
    void (*backward)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy);
    /** The gradient is dy^T x. */
    void (*gradient)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy);
    /** ry (n,n_out) += x c^T,  rdx (n,n_in) = dy c + beta rdx; beta is 0 or 1 */
    void (*rstart)(dlg_weight_direction *, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry, dlg_real beta,
                   dlg_real *rdx);
    /** rdx += whatever of dy c rstart has left out */
    void (*rbackward)(dlg_weight_direction *, size_t n, const dlg_real *dy, dlg_real *rdx);
};

#endif
