#define _POSIX_C_SOURCE 200809L
#include "cli/interrupt.h"

#include "cli/option.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t was_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    if (was_interrupted) _exit(DLG_EXIT_INTERRUPTED);
    was_interrupted = 1;
}

void dlg_interrupts_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool dlg_was_interrupted(void)
{
    return was_interrupted;
}
