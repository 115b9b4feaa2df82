/** Parameters that were frozen: the gradient lacks theirs, and with it what is read off them. */
#ifndef DLG_ANALYTIC_FROZEN_H
#define DLG_ANALYTIC_FROZEN_H

#include "gradient/gradient.h"

enum { DLG_LOST_MOST = 5 };

/** A reading that is not to be had. */
typedef struct {
    const char *reading; /**< "the labels" */
    const char *from;    /**< what it is read off: "the decoder's bias" */
} dlg_lost_reading;

typedef struct {
    size_t n, n_parameters; /**< frozen, of how many */
    size_t n_lost;
    dlg_lost_reading lost[DLG_LOST_MOST];
} dlg_frozen;

dlg_frozen dlg_frozen_of(const dlg_gradient *);

#endif
