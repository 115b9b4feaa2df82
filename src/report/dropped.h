/** How an attack ended on what was read behind dropout, which no text's gradient is compared with. */
#ifndef DLG_REPORT_DROPPED_H
#define DLG_REPORT_DROPPED_H

#include "attacks/session/attack.h"
#include "report/screen.h"

/** Whether the result was read so. */
bool dlg_dropped_has_text(const dlg_attack_result *);

/** One line under its text. */
void dlg_dropped_print(const dlg_screen *, const dlg_attack_result *);

#endif
