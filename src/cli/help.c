#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* argp's own last column; it wraps such lines too, but does not indent them. */
enum { NAME_COLUMNS = 17, LAST_COLUMN = 78 };

static void print_row(FILE *out, const dlg_entry *entry)
{
    size_t column = NAME_COLUMNS;
    fprintf(out, "  %-*s", NAME_COLUMNS - 2, entry->name);
    for (const char *what = entry->help; *what;) {
        const size_t n = strcspn(what, " ");
        if (column + 1 + n > LAST_COLUMN) {
            fprintf(out, "\n%*s", NAME_COLUMNS, "");
            column = NAME_COLUMNS;
        }
        fprintf(out, " %.*s", (int)n, what);
        column += 1 + n;
        what += n + strspn(what + n, " ");
    }
    fputs("\n", out);
}

char *dlg_help_with(size_t n_tables, const dlg_help_table tables[], const char *text)
{
    char *all = NULL;
    size_t n_bytes;
    dlg_entry entry;
    FILE *out = open_memstream(&all, &n_bytes);
    if (!out) return NULL;
    for (size_t i = 0; i < n_tables; i++) {
        fprintf(out, "%s%s (%s):\n", i ? "\n" : "", tables[i].title, tables[i].option);
        for (size_t k = 0; dlg_catalogue_at(tables[i].of, k, &entry); k++) print_row(out, &entry);
    }
    fprintf(out, "\n%s", text);
    fclose(out);
    return all;
}
