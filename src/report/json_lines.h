/** An attack as JSON, one object a line: dlg/print.h has their members. */
#ifndef DLG_REPORT_JSON_LINES_H
#define DLG_REPORT_JSON_LINES_H

#include "report/scores.h"
#include "report/subject.h"

#include <stdio.h>

/* Each prints a line and flushes it. Errors: DLG_ENOMEM; DLG_EIO when the stream refuses it. */

DLG_MUST_USE dlg_status dlg_json_start(FILE *, const dlg_subject *, dlg_error *);

DLG_MUST_USE dlg_status dlg_json_iteration(FILE *, const dlg_subject *, const dlg_attack_state *, dlg_error *);

/** @param scores may be NULL */
DLG_MUST_USE dlg_status dlg_json_result(FILE *, const dlg_subject *, const dlg_attack_result *,
                                        const dlg_scores *scores, dlg_error *);

#endif
