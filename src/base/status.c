#include "base/status.h"

#include "base/text.h"

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
        dlg_text_make_shown(err->message); /* names come from strangers' files */
    }
    return status;
}
