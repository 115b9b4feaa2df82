/** The attacks by name. Another one is a file of its own and one line of table.c. */
#ifndef DLG_ATTACKS_TABLE_H
#define DLG_ATTACKS_TABLE_H

#include "attacks/session/attack.h"

/** All attacks; NULL ends the list. The first is the one that is taken when none is named. */
extern const dlg_attack_class *const dlg_attacks[];

/** By name. Errors: DLG_EARG lists the names. */
DLG_MUST_USE dlg_status dlg_attack_find(const dlg_attack_class **out, const char *name, dlg_error *);

#endif
