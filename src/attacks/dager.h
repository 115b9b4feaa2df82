/** The attack that reads sentences off layers 0 and 1, for attacks that begin with it. */
#ifndef DLG_ATTACKS_DAGER_H
#define DLG_ATTACKS_DAGER_H

#include "attacks/session/attack.h"

/**
 * As dlg_attack_class's run: end is DLG_EXPLAINED, DLG_SETTLED, DLG_PARTLY, DLG_INTERRUPTED, or DLG_EXHAUSTED where no
 * sentences were found that were there for certain, or one that leaves nothing but its labels to be found.
 */
DLG_MUST_USE dlg_status dlg_dager_run(dlg_attack_result *, dlg_analysis *, const dlg_knowledge *,
                                      const dlg_attack_options *, const dlg_attack_observer *, dlg_error *);

#endif
