/**
 * What the library takes of the machine, and how it is stopped. All of it is the process's: processor's kernels,
 * threads, limit of memory, and the wish that all work ends.
 */
#ifndef DLG_MACHINE_H
#define DLG_MACHINE_H

#include "dlg/status.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Choose the kernels of the matrix products by the processor (older OpenBLAS take slow ones on newer processors), the
 * number of threads, and the limit of memory. Call it first, once, before other threads exist: it sets an environment
 * variable for a moment. A program that does not call it has OpenBLAS's own choice, one limit less, and right results.
 * @param memory bytes that all objects of the library may hold together; what needs more is refused with DLG_ENOMEM; 0:
 *   what the system can still give
 * @param n_threads of the products; 0: as many as there are processors
 * Errors: DLG_ENOMEM where too little is free for the BLAS itself.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_machine_start(size_t memory, int n_threads, dlg_error *);

/** What computes, such as "OpenBLAS SkylakeX + oneDNN 2.6.3 (AVX-512)"; "" before dlg_machine_start. Static. */
DLG_PUBLIC const char *dlg_machine_products(void);

/** How many threads the products use. */
DLG_PUBLIC int dlg_machine_threads(void);

/**
 * From now on, for good, everything that any thread does in the library ends soon: an attack with the best so far, all
 * else with DLG_ECANCELLED. Safe in a signal handler and in every thread. For one thread's work alone there is
 * dlg_interrupt_when.
 */
DLG_PUBLIC void dlg_interrupt(void);

/** Whether dlg_interrupt was called, or what this thread gave to dlg_interrupt_when has answered true. */
DLG_PUBLIC bool dlg_is_interrupted(void);

/**
 * What this thread does in the library from now on ends as after dlg_interrupt once `asked` answers true, which it must
 * go on to do. It is asked often, and in this thread only. NULL ends that. An observer's callback takes the place
 * of this one while dlg_attack_run runs.
 * @param payload handed to `asked`
 */
DLG_PUBLIC void dlg_interrupt_when(bool (*asked)(void *payload), void *payload);

/**
 * The path of the file that the library has mapped at an address, or NULL. Models, gradients and texts are mapped, not
 * copied: where somebody cuts such a file short while it is open, reading it raises SIGBUS, as with every mapping. A
 * program that wants to end with a message instead of that looks its si_addr up here. Safe in a signal handler; static
 * until the file is closed.
 */
DLG_PUBLIC const char *dlg_file_mapped_at(const void *address);

#ifdef __cplusplus
}
#endif

#endif
