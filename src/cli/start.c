#define _POSIX_C_SOURCE 200809L
#include "cli/start.h"

#include "base/memory.h"
#include "cli/waiting.h"
#include "math/blas.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Where standard input, output or error is closed the next file to be opened would get its number, and what is printed
 * would go into that file. What stands there instead refuses to be read or written, as a closed descriptor does.
 */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void dlg_program_start(char **argv, dlg_waiting_calls calls)
{
    hold_standard_descriptors();
    dlg_wait_briefly(argv);
    dlg_file_faults_catch();
    dlg_interrupts_catch(calls);
}

/* What OpenBLAS maps for each thread (32 MiB) with the thread's own stack, and what all other libraries take. */
enum { OF_A_THREAD = 48 << 20, OF_LIBRARIES = 32 << 20 };

dlg_status dlg_program_begin(const char **blas, size_t memory, int n_threads, dlg_error *err)
{
    const size_t threads = n_threads > 0 ? (size_t)n_threads : (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    const size_t reserved = threads * OF_A_THREAD + OF_LIBRARIES, available = dlg_memory_available(reserved);
    if (!available)
        return dlg_fail(err, DLG_ENOMEM, "memory: want more than %zu MB of address space for %zu thread%s, found less",
                        reserved >> 20, threads, threads == 1 ? "" : "s");
    *blas = dlg_blas_start(n_threads);
    dlg_memory_set_limit(memory ? memory : available);
    return DLG_OK;
}
