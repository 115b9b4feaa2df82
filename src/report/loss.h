/** What loss an explained gradient is of, where that is not the plain mean cross-entropy. */
#ifndef DLG_REPORT_LOSS_H
#define DLG_REPORT_LOSS_H

#include "report/json_object.h"
#include "report/screen.h"

/** A line or two; nothing for a plain loss, or of a text that explains nothing. */
void dlg_loss_print(const dlg_screen *, const dlg_attack_result *);

/** "loss": its kind, factor, what else that may be, and smoothing; null where no loss is known. */
void dlg_loss_add(dlg_object *, const dlg_attack_result *);

#endif
