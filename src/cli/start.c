#define _POSIX_C_SOURCE 200809L
#include "cli/start.h"

#include "cli/waiting.h"

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
