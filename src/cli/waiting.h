/** How the threads of the products wait for each other. */
#ifndef DLG_CLI_WAITING_H
#define DLG_CLI_WAITING_H

/**
 * Let them give the processor up soon. GCC's OpenMP, on which oneDNN runs, lets a thread wait for the others in a loop
 * of milliseconds; on a machine that has other work to do, or fewer processors than it shows, an evaluation then takes
 * fifty times as long. It reads its variables when it is loaded, so the program is started again, once, with
 * GOMP_SPINCOUNT set. To be called first in main. Does nothing where the user has chosen how threads wait, or where the
 * program cannot be started again.
 */
void dlg_wait_briefly(char **argv);

#endif
