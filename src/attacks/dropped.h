/** Texts that went in with dropout on: no text explains such a gradient, yet layer 0 shows them. */
#ifndef DLG_ATTACKS_DROPPED_H
#define DLG_ATTACKS_DROPPED_H

#include "attacks/session/attack.h"

/**
 * As dlg_attack_class's run, of an undefended gradient in which dropout is seen; of another nothing is done. end is
 * DLG_SETTLED where a text was read, and DLG_PARTLY where some sentences were; else it is as it was.
 */
DLG_MUST_USE dlg_status dlg_dropped_run(dlg_attack_result *, dlg_analysis *, const dlg_knowledge *,
                                        const dlg_attack_observer *, dlg_error *);

#endif
