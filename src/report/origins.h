/** What the attack knows, in plain words: one line for each place that knowledge comes from. */
#ifndef DLG_REPORT_ORIGINS_H
#define DLG_REPORT_ORIGINS_H

#include "report/screen.h"
#include "report/subject.h"

/**
 * Lines such as "inferred: 24 tokens; 3 labels: core, topics (2); masked at 7, 9 and 20". "told: nothing" is always
 * said. Knowledge may be incomplete: of what the gradient does not show nothing is said.
 * @param result a result's, or NULL; of one that is a part of the batch what was told is kept apart from what is known
 * of the part
 */
void dlg_origins_print(const dlg_screen *, const dlg_subject *, const dlg_attack_result *result);

/**
 * What the gradient lacks because parameters were frozen, and what cannot be read off it therefore: "frozen: 5 of 42
 * parameters; not seen: the labels (read off the decoder's bias)". Nothing where none was.
 */
void dlg_frozen_print(const dlg_screen *, const dlg_frozen *);

#endif
