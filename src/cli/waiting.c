#define _POSIX_C_SOURCE 200809L
#include "cli/waiting.h"

#include <stdlib.h>
#include <unistd.h>

void dlg_wait_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    /* About 20 microseconds: as long as a product takes, and a few per cent slower than the default on an idle
     * machine. */
    if (!setenv("GOMP_SPINCOUNT", "1000", 1)) execv("/proc/self/exe", argv);
}
