#define _POSIX_C_SOURCE 200809L
#include "dlg/machine.h"

#include "base/memory.h"
#include "dlg/version.h"
#include "math/blas.h"

#include <unistd.h>

static const char *products = "";

/* What OpenBLAS maps for each thread (32 MiB) with the thread's own stack, and what all other libraries take. */
enum { OF_A_THREAD = 48 << 20, OF_LIBRARIES = 32 << 20 };

dlg_status dlg_machine_start(size_t memory, int n_threads, dlg_error *err)
{
    const size_t threads = n_threads > 0 ? (size_t)n_threads : (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    const size_t reserved = threads * OF_A_THREAD + OF_LIBRARIES, available = dlg_memory_available(reserved);
    /* The BLAS would wait for more without an end. */
    if (!available)
        return dlg_fail(err, DLG_ENOMEM, "memory: want more than %zu MB of address space for %zu thread%s, found less",
                        reserved >> 20, threads, threads == 1 ? "" : "s");
    products = dlg_blas_start(n_threads);
    dlg_memory_set_limit(memory ? memory : available);
    return DLG_OK;
}

const char *dlg_machine_products(void)
{
    return products;
}

int dlg_machine_threads(void)
{
    return dlg_blas_threads();
}

const char *dlg_version(void)
{
    return DLG_VERSION;
}
