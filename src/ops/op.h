/**
 * What every operator is: six sweeps over values that hold a number and its three derivatives.
 *
 * With L the loss and R the derivative along a direction c in the parameters (Pearlmutter 1994), a value x carries x,
 * dx = dL/dx, rx = R x and rdx = R dx. The sweeps run over a list of operators: forward in order, backward in reverse,
 * gradient in any order (the parameters' dL/dW), R-start in any order (what of Ry and Rdx comes from c alone),
 * R-forward in order, R-backward in reverse. After R-backward the rdx of the input is d/de dL/dx (W + e c) at e = 0.
 *
 * Sweeps in any order run several operators at a time, one thread each; the others go operator by operator, and each
 * uses all threads.
 */
#ifndef DLG_OPS_OP_H
#define DLG_OPS_OP_H

#include "base/memory.h"
#include "math/real.h"

#include <stdbool.h>
#include <stddef.h>

/** A matrix between two operators, (n_rows, n_cols) row-major. The arrays are the tape's. */
typedef struct {
    size_t n_rows, n_cols;
    dlg_real *x, *dx, *rx, *rdx;
    bool dx_begun, rdx_begun; /**< in this sweep somebody has written dx (rdx): the next adds to it */
} dlg_value;

/**
 * For a product that writes v->dx (v->rdx): 0, overwrite, for the first consumer that a sweep meets, 1, add, for the
 * others.
 */
static inline dlg_real dlg_value_begin_dx(dlg_value *v)
{
    const dlg_real beta = v->dx_begun;
    v->dx_begun = true;
    return beta;
}

static inline dlg_real dlg_value_begin_rdx(dlg_value *v)
{
    const dlg_real beta = v->rdx_begun;
    v->rdx_begun = true;
    return beta;
}

/**
 * A small parameter (bias, scale, position rows) as one operator sees it. The gradient sweep OVERWRITES gradient; the R
 * sweeps read direction, which is zero where they shall not move in this parameter.
 */
typedef struct {
    const dlg_real *value;
    dlg_real *gradient, *direction;
} dlg_small_parameter;

typedef struct dlg_op dlg_op;

typedef struct {
    const char *name;
    /** Carve what the sweeps hand on to each other; called twice, first to count (see dlg_arena). May be NULL. */
    void (*plan)(dlg_op *, dlg_arena *);
    void (*forward)(dlg_op *);
    void (*backward)(dlg_op *);
    void (*gradient)(dlg_op *); /**< NULL for an operator without parameters */
    /**
     * Begin y's rx (overwriting) and x's rdx; NULL for an operator whose R-forward and R-backward do all. No two of a
     * list share an x.
     */
    void (*rstart)(dlg_op *);
    void (*rforward)(dlg_op *);
    void (*rbackward)(dlg_op *);
} dlg_op_class;

/** The first member of every operator. */
struct dlg_op {
    const dlg_op_class *class;
};

#endif
