/** What --help says of names that have a list: taken from there. */
#ifndef DLG_CLI_HELP_H
#define DLG_CLI_HELP_H

#include "dlg/catalogue.h"

/** A list, and how it is headed: "Attacks (--attack=NAME):". */
typedef struct {
    dlg_catalogue of;
    const char *title, *option;
} dlg_help_table;

/**
 * Tables, and behind them the text that ends a program's help, for argp to free; NULL when memory ran out. A row is a
 * name and what it is: completions/dlg-text.bash takes the name from the line.
 */
char *dlg_help_with(size_t n_tables, const dlg_help_table tables[], const char *text);

#endif
