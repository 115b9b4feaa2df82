/**
 * The wish that work ends soon, which every long loop asks for: one flag of the process, and of each thread what its
 * caller is asked (dlg/machine.h).
 */
#ifndef DLG_BASE_INTERRUPT_H
#define DLG_BASE_INTERRUPT_H

#include "dlg/machine.h"

/** What a thread asks, and with what. */
typedef struct {
    bool (*asked)(void *payload); /**< NULL: nothing */
    void *payload;
} dlg_interrupter;

/** What this thread asks now, and what it shall ask from now on. */
dlg_interrupter dlg_interrupter_of_thread(void);
void dlg_interrupter_set(dlg_interrupter);

/** DLG_ECANCELLED after an interrupt, else DLG_OK: for loops that may run longer than a second. */
DLG_MUST_USE dlg_status dlg_check_interrupt(dlg_error *);

#endif
