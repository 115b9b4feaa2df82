/** A line of text that grows; what does not fit is cut. */
#ifndef DLG_REPORT_LINE_H
#define DLG_REPORT_LINE_H

#include "base/status.h"

#include <stddef.h>

/** Zero-initialise. */
typedef struct {
    char text[8192];
    size_t used;
} dlg_line;

/** As printf, behind what is there. */
void DLG_PRINTF(2, 3) dlg_line_append(dlg_line *, const char *format, ...);

#endif
