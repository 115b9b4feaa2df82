/** Adam's steps (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), for who chooses their length. */
#ifndef DLG_OPTIMISE_ADAM_H
#define DLG_OPTIMISE_ADAM_H

#include "base/memory.h"

/** Zero-initialise, set n, carve. */
typedef struct {
    size_t n, n_steps;
    double *mean, *square; /**< (n) of the derivatives so far, decaying */
} dlg_adam_moments;

/** Carve the arrays; called twice (see dlg_arena). */
void dlg_adam_carve(dlg_adam_moments *, dlg_arena *);

/** Forget all steps so far. */
void dlg_adam_begin(dlg_adam_moments *);

/** One step from x (n), of length `rate` in every number where derivatives keep their sign. @param[in] dx (n) */
void dlg_adam_step(dlg_adam_moments *, double rate, const double *dx, double *x);

#endif
