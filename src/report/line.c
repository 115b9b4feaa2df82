#include "report/line.h"

#include <stdarg.h>
#include <stdio.h>

void dlg_line_append(dlg_line *line, const char *format, ...)
{
    const size_t room = sizeof line->text - line->used;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(line->text + line->used, room, format, args);
    va_end(args);
    if (n > 0) line->used += (size_t)n < room ? (size_t)n : room - 1;
}
