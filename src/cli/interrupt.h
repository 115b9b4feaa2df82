/** SIGINT and SIGTERM: the first asks for an end, the second does not wait for it. */
#ifndef DLG_CLI_INTERRUPT_H
#define DLG_CLI_INTERRUPT_H

#include <stdbool.h>

/** From now on the first is only remembered, and the second ends the program with exit 130. */
void dlg_interrupts_catch(void);

/** Whether there was one. */
bool dlg_was_interrupted(void);

#endif
