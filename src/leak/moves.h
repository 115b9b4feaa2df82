/** Discrete moves on a text: one token replaced, two swapped between sentences, while the distance of the tokens falls. */
#ifndef DLG_LEAK_MOVES_H
#define DLG_LEAK_MOVES_H

#include "leak/choices.h"
#include "leak/recovery.h"

/**
 * Improve r->fed, whose labels have places. The derivative at the tokens says, to first order, what every replacement and swap would
 * change; the most promising are evaluated, and the best of them is taken, until none lowers D.
 * @param n_tried how many are evaluated before it gives up
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_moves_improve(dlg_recovery *, const dlg_choices *, size_t n_tried, dlg_error *);

#endif
