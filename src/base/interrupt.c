#include "base/interrupt.h"

#include <stdatomic.h>

static atomic_bool is_wished;

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may set the flag");

void dlg_interrupt(void)
{
    atomic_store(&is_wished, true);
}

bool dlg_is_interrupted(void)
{
    return atomic_load_explicit(&is_wished, memory_order_relaxed);
}

dlg_status dlg_check_interrupt(dlg_error *err)
{
    return dlg_is_interrupted() ? dlg_fail(err, DLG_ECANCELLED, "interrupted") : DLG_OK;
}
