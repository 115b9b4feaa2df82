/** What --help says of names that have a table: taken from there. */
#ifndef DLG_CLI_HELP_H
#define DLG_CLI_HELP_H

#include "report/line.h"

/** "Attacks (--attack=NAME):", under which rows follow. */
void dlg_help_heading(dlg_line *, const char *what, const char *option);

/** A name and what it is. completions/dlg-text.bash takes the name from the line. */
void dlg_help_row(dlg_line *, const char *name, const char *what);

/** What --preset may be. */
void dlg_help_presets(dlg_line *);

/** Tables, and behind them the text that ends a program's help, for argp to free. */
char *dlg_help_finish(const dlg_line *tables, const char *text);

#endif
