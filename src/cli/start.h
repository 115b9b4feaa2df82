/** What every program of the project does first. */
#ifndef DLG_CLI_START_H
#define DLG_CLI_START_H

#include "base/status.h"
#include "cli/interrupt.h"

#include <stddef.h>

/**
 * Standard descriptors that are there, threads that do not wait in loops (cli/waiting.h), signals that end in one
 * line.
 */
void dlg_program_start(char **argv, dlg_waiting_calls);

/**
 * What follows the reading of the options: the limit of memory (bytes; 0: what is free), and the BLAS with as many
 * threads (0: its own choice). @param[out] blas a line that names it, valid for ever. Errors: DLG_ENOMEM, where too
 * little is free for the BLAS, which would wait for more without an end.
 */
DLG_MUST_USE dlg_status dlg_program_begin(const char **blas, size_t memory, int n_threads, dlg_error *);

#endif
