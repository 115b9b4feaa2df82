/** What a stream is printed to as. */
#ifndef DLG_LIBRARY_FORMAT_H
#define DLG_LIBRARY_FORMAT_H

#include "dlg/print.h"
#include "report/screen.h"

/** The stream, for words of that format. */
static inline dlg_screen dlg_format_screen(FILE *stream, dlg_format format)
{
    static const dlg_color colors[] = {[DLG_WORDS] = DLG_COLOR_AUTO,
                                       [DLG_WORDS_MARKED] = DLG_COLOR_ALWAYS,
                                       [DLG_WORDS_UNMARKED] = DLG_COLOR_NEVER,
                                       [DLG_JSON] = DLG_COLOR_NEVER};
    return dlg_screen_of(stream, colors[format]);
}

#endif
