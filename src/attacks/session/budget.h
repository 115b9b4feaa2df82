/**
 * A budget of time: an interrupt that comes by itself. While it runs every loop that asks for an interrupt hears of it,
 * and so does whoever asks the observer; nothing else looks at the clock, so that a run that is out of time is one that
 * was interrupted there: it ends with the best so far, its journal has nothing of what it did afterwards, and goes on.
 */
#ifndef DLG_ATTACKS_SESSION_BUDGET_H
#define DLG_ATTACKS_SESSION_BUDGET_H

#include "base/interrupt.h"

typedef struct {
    double until;           /**< dlg_clock_now at which it is spent; not finite: never */
    dlg_interrupter before; /**< what the thread asks besides */
} dlg_budget;

/**
 * From now on, in this thread, until dlg_budget_end; it must stay where it is. @param seconds 0: as long as it takes
 */
void dlg_budget_begin(dlg_budget *, double seconds);

/** No more than so many seconds from now. */
void dlg_budget_shorten(dlg_budget *, double seconds);

/** Seconds that are left, not below 0; not finite where it has no end. */
double dlg_budget_left(const dlg_budget *);

/** The thread asks again what it asked before. @return whether the time was up */
bool dlg_budget_end(dlg_budget *);

#endif
