#define _POSIX_C_SOURCE 200809L
#include "cli/help.h"

#include "models/config.h"

#include <stdio.h>
#include <string.h>

/* argp's own last column; it wraps such lines too, but does not indent them. */
enum { NAME_COLUMNS = 17, LAST_COLUMN = 78 };

void dlg_help_heading(dlg_line *tables, const char *what, const char *option)
{
    dlg_line_append(tables, "%s%s (%s):\n", tables->used ? "\n" : "", what, option);
}

void dlg_help_row(dlg_line *tables, const char *name, const char *what)
{
    size_t column = NAME_COLUMNS;
    dlg_line_append(tables, "  %-*s", NAME_COLUMNS - 2, name);
    while (*what) {
        const size_t n = strcspn(what, " ");
        if (column + 1 + n > LAST_COLUMN) {
            dlg_line_append(tables, "\n%*s", NAME_COLUMNS, "");
            column = NAME_COLUMNS;
        }
        dlg_line_append(tables, " %.*s", (int)n, what);
        column += 1 + n;
        what += n + strspn(what + n, " ");
    }
    dlg_line_append(tables, "\n");
}

void dlg_help_presets(dlg_line *tables)
{
    char size[64];
    dlg_help_heading(tables, "Presets", "--preset=NAME");
    for (const dlg_preset *preset = dlg_presets; preset->name; preset++) {
        snprintf(size, sizeof size, "a BERT with %zu layers of %zu", preset->n_layers, preset->hidden_size);
        dlg_help_row(tables, preset->name, size);
    }
}

char *dlg_help_finish(const dlg_line *tables, const char *text)
{
    dlg_line all = *tables;
    dlg_line_append(&all, "\n%s", text);
    return strdup(all.text);
}
