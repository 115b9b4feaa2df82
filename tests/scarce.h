/** What tests of running out of memory share. */
#ifndef DLG_TESTS_SCARCE_H
#define DLG_TESTS_SCARCE_H

#include "base/status.h"

#include <stddef.h>

/**
 * Run `attempt` with the first, the second ... allocation failing, until it succeeds: it must fail with DLG_ENOMEM and
 * say so before.
 * @return how many allocations it makes
 */
size_t fail_every_allocation(dlg_status (*attempt)(void *argument, dlg_error *), void *argument);

#endif
