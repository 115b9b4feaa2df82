/** What signals do to a program of the project. */
#ifndef DLG_CLI_INTERRUPT_H
#define DLG_CLI_INTERRUPT_H

#include <signal.h>

/**
 * What becomes of a call to the system that waits (for a reader of a pipe, for input) when the first interrupt
 * comes.
 */
typedef enum {
    DLG_CALLS_GO_ON, /**< it goes on: for a program whose result is still to be printed */
    DLG_CALLS_END    /**< it ends with EINTR */
} dlg_waiting_calls;

/**
 * From now on the first SIGINT, SIGTERM or SIGHUP calls dlg_interrupt, and the second ends the program with exit
 * 130.
 */
void dlg_interrupts_catch(dlg_waiting_calls);

/**
 * Let these signals wait from now on until dlg_interrupts_release. @return what held before, to be given to that
 */
sigset_t dlg_interrupts_hold(void);
void dlg_interrupts_release(sigset_t before);

/**
 * Let what goes wrong with a file end in one line and exit 1 instead of a signal's death: a mapped file that was cut
 * short (SIGBUS), and one that grows beyond the limit of its size (SIGXFSZ becomes an error of the write).
 */
void dlg_file_faults_catch(void);

#endif
