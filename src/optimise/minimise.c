#include "optimise/minimise.h"

#include "base/text.h"

#include <string.h>

const dlg_minimiser *const dlg_minimisers[] = {&dlg_lbfgs, &dlg_plain_lbfgs, &dlg_adam, NULL};

dlg_status dlg_minimiser_find(const dlg_minimiser **out, const char *name, dlg_error *err)
{
    char names[128] = "";
    *out = NULL;
    for (size_t i = 0; dlg_minimisers[i]; i++) {
        if (!strcmp(dlg_minimisers[i]->name, name)) *out = dlg_minimisers[i];
        dlg_text_list(names, sizeof names, dlg_minimisers[i]->name, !dlg_minimisers[i + 1]);
    }
    return *out ? DLG_OK : dlg_fail(err, DLG_EARG, "minimizer: want %s, found %s", names, name);
}
