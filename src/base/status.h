/** Statuses and messages, as the library's users have them too. */
#ifndef DLG_BASE_STATUS_H
#define DLG_BASE_STATUS_H

#include "dlg/status.h"

#endif
