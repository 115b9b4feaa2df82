/**
 * What an operator's five sweeps must have in common, whatever it computes. Each check returns how far off they are, as
 * a part of the largest number compared; NaN counts as infinitely far.
 */
#ifndef DLG_TESTS_SWEEPS_H
#define DLG_TESTS_SWEEPS_H

#include "rig.h"

typedef struct {
    const char *name;
    double (*off_by)(rig *);
    double tolerance; /**< in this build */
} sweep_check;

enum { SWEEP_GRADIENT = 2, SWEEP_CHECKS = 6 };

/**
 * adjoint       <dy, J v> = <J^T dy, v>: R-forward along the inputs against backward
 * backward      J^T dy against differences of <dy, forward>, entry by entry
 * gradient      the same for every parameter
 * R-forward     against differences of forward, along inputs and parameters together
 * R-backward    against differences of backward, along inputs, parameters and dy together
 * accumulation  where an input has other consumers, dx and rdx are added to what those have written
 */
extern const sweep_check sweep_checks[SWEEP_CHECKS];

#endif
