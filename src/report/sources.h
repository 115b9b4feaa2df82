/** How the tokens of a result were got, and which of them are in doubt, in plain words. */
#ifndef DLG_REPORT_SOURCES_H
#define DLG_REPORT_SOURCES_H

#include "report/screen.h"
#include "report/subject.h"

/**
 * A line such as "tokens: 20 read off, 3 put back from the labels; all certain" or "tokens: 20 by descent; 19 likely,
 * in doubt: sea at 7 (cosine 0.62, next 0.57)".
 * The result must have a text.
 */
void dlg_sources_print(const dlg_screen *, const dlg_subject *, const dlg_attack_result *);

#endif
