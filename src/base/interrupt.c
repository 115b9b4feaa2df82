#include "base/interrupt.h"

#include <stdatomic.h>

static atomic_bool is_wished;
static _Thread_local dlg_interrupter interrupter;

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may set the flag");

void dlg_interrupt(void)
{
    atomic_store(&is_wished, true);
}

bool dlg_is_interrupted(void)
{
    return atomic_load_explicit(&is_wished, memory_order_relaxed) ||
           (interrupter.asked && interrupter.asked(interrupter.payload));
}

dlg_interrupter dlg_interrupter_of_thread(void)
{
    return interrupter;
}

void dlg_interrupter_set(dlg_interrupter next)
{
    interrupter = next;
}

void dlg_interrupt_when(bool (*asked)(void *payload), void *payload)
{
    dlg_interrupter_set((dlg_interrupter){asked, payload});
}

dlg_status dlg_check_interrupt(dlg_error *err)
{
    return dlg_is_interrupted() ? dlg_fail(err, DLG_ECANCELLED, "interrupted") : DLG_OK;
}
