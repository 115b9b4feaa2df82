/**
 * The user's wish that all work ends soon: one flag of the process, which a signal handler may set and every long loop
 * asks.
 */
#ifndef DLG_BASE_INTERRUPT_H
#define DLG_BASE_INTERRUPT_H

#include "base/status.h"

#include <stdbool.h>

/** From now on, for good, work is to end. Safe in a signal handler and in every thread. */
void dlg_interrupt(void);

bool dlg_is_interrupted(void);

/** DLG_ECANCELLED after an interrupt, else DLG_OK: for loops that may run longer than a second. */
DLG_MUST_USE dlg_status dlg_check_interrupt(dlg_error *);

#endif
