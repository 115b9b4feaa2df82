#define _GNU_SOURCE /* program_invocation_short_name */
#include "cli/interrupt.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "cli/option.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static void interrupt(int signal_number)
{
    (void)signal_number;
    if (dlg_is_interrupted()) _exit(DLG_EXIT_INTERRUPTED);
    dlg_interrupt();
}

void dlg_interrupts_catch(dlg_waiting_calls calls)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = calls == DLG_CALLS_GO_ON ? SA_RESTART : 0};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        const bool is_nohup = signals[i] == SIGHUP && !sigaction(SIGHUP, NULL, &before) && before.sa_handler == SIG_IGN;
        if (!is_nohup) sigaction(signals[i], &action, NULL);
    }
}

static void say(const char *text)
{
    const ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n; /* there is nobody left to tell */
}

/* Only what a signal handler may call. */
static void end_by_fault(int signal_number, siginfo_t *info, void *context)
{
    const char *path = dlg_file_mapped_at(info->si_addr);
    (void)context;
    if (!path) { /* no file's fault */
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    say(program_invocation_short_name);
    say(": ");
    say(path);
    say(": want the file as it was when it was opened, found it cut short\n");
    _exit(DLG_EXIT_FAILED);
}

void dlg_file_faults_catch(void)
{
    struct sigaction action = {.sa_sigaction = end_by_fault, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
}
