/** What a training's update shows, for the attack that begins with it. */
#ifndef DLG_ATTACKS_UPDATE_H
#define DLG_ATTACKS_UPDATE_H

#include "attacks/session/attack.h"

/** Whether nothing else can read what was shared: AdamW left no gradient, or many steps none that is one text's. */
bool dlg_update_is_all(const dlg_gradient *);

/**
 * As dlg_attack_class's run, of what is no gradient; the knowledge may be empty. end is DLG_EXPLAINED or DLG_SETTLED
 * with the text of one sentence, the same at each step, else DLG_EXHAUSTED.
 */
DLG_MUST_USE dlg_status dlg_update_run(dlg_attack_result *, dlg_analysis *, const dlg_knowledge *,
                                       const dlg_attack_options *, const dlg_attack_observer *, dlg_error *);

#endif
