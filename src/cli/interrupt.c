#define _GNU_SOURCE /* program_invocation_short_name */
#include "cli/interrupt.h"

#include "cli/option.h"
#include "dlg/machine.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};

enum { N_INTERRUPTS = sizeof interrupts / sizeof *interrupts };

static void interrupt(int signal_number)
{
    static volatile sig_atomic_t is_second;
    (void)signal_number;
    if (is_second) _exit(DLG_EXIT_INTERRUPTED);
    is_second = true;
    dlg_interrupt();
}

void dlg_interrupts_catch(dlg_waiting_calls calls)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = calls == DLG_CALLS_GO_ON ? SA_RESTART : 0};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < N_INTERRUPTS; i++) {
        struct sigaction before;
        const bool is_nohup =
            interrupts[i] == SIGHUP && !sigaction(SIGHUP, NULL, &before) && before.sa_handler == SIG_IGN;
        if (!is_nohup) sigaction(interrupts[i], &action, NULL);
    }
}

sigset_t dlg_interrupts_hold(void)
{
    sigset_t held, before;
    sigemptyset(&held);
    for (size_t i = 0; i < N_INTERRUPTS; i++) sigaddset(&held, interrupts[i]);
    sigprocmask(SIG_BLOCK, &held, &before);
    return before;
}

void dlg_interrupts_release(sigset_t before)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
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
