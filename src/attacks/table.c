#include "attacks/table.h"

#include "attacks/classes.h"
#include "base/text.h"

#include <string.h>

const dlg_attack_class *const dlg_attacks[] = {
    &dlg_attack_auto, &dlg_attack_dlg,        &dlg_attack_idlg,  &dlg_attack_tag,
    &dlg_attack_lamp, &dlg_attack_restricted, &dlg_attack_dager, NULL,
};

dlg_status dlg_attack_find(const dlg_attack_class **out, const char *name, dlg_error *err)
{
    char names[256] = "";
    *out = NULL;
    for (size_t i = 0; dlg_attacks[i]; i++) {
        if (!strcmp(dlg_attacks[i]->name, name)) {
            *out = dlg_attacks[i];
            return DLG_OK;
        }
        dlg_text_list(names, sizeof names, dlg_attacks[i]->name, !dlg_attacks[i + 1]);
    }
    return dlg_fail(err, DLG_EARG, "attack: want %s, found %s", names, name);
}
