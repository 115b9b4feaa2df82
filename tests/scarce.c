#include "scarce.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

size_t fail_every_allocation(dlg_status (*attempt)(void *argument, dlg_error *), void *argument)
{
    for (size_t k = 1;; k++) {
        dlg_error err = {0};
        dlg_allocation_fail_from(k);
        const dlg_status status = attempt(argument, &err);
        dlg_allocation_fail_from(0);
        if (!status) return k - 1;
        if (status != DLG_ENOMEM || err.status != DLG_ENOMEM || !*err.message)
            fail_msg("allocation %zu: want \"no memory\", found status %d: %s", k, (int)status, err.message);
    }
}
