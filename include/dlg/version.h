/** Which version these headers are of, and which one the library is of that a program runs with. */
#ifndef DLG_VERSION_H
#define DLG_VERSION_H

#include "dlg/status.h"

#define DLG_VERSION_MAJOR 0
#define DLG_VERSION_MINOR 2
#define DLG_VERSION_PATCH 0

/** The same as text, "MAJOR.MINOR.PATCH". */
#define DLG_VERSION "0.2.0"

#ifdef __cplusplus
extern "C" {
#endif

/** DLG_VERSION of the library itself. Static. Errors: none. */
DLG_PUBLIC const char *dlg_version(void);

#ifdef __cplusplus
}
#endif

#endif
