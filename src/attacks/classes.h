/** The attacks, one file each. For attack.c's table. */
#ifndef DLG_ATTACKS_CLASSES_H
#define DLG_ATTACKS_CLASSES_H

#include "attacks/session/attack.h"

extern const dlg_attack_class dlg_attack_dlg;
extern const dlg_attack_class dlg_attack_idlg;
extern const dlg_attack_class dlg_attack_tag;
extern const dlg_attack_class dlg_attack_lamp;
extern const dlg_attack_class dlg_attack_restricted;
extern const dlg_attack_class dlg_attack_dager;
extern const dlg_attack_class dlg_attack_auto;

#endif
