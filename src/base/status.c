#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

dlg_status dlg_fail(dlg_error *err, dlg_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        err->status = status;
        /* Names come from strangers' files: no line breaks or terminal controls in what we print. */
        for (char *c = err->message; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    return status;
}
