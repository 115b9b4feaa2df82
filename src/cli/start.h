/** What every program of the project does first. */
#ifndef DLG_CLI_START_H
#define DLG_CLI_START_H

#include "cli/interrupt.h"

/**
 * Standard descriptors that are there, threads that do not wait in loops (cli/waiting.h), signals that end in one
 * line.
 */
void dlg_program_start(char **argv, dlg_waiting_calls);

#endif
