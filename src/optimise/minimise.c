#include "optimise/minimise.h"

#include <string.h>

dlg_status dlg_minimiser_find(const dlg_minimiser **out, const char *name, dlg_error *err)
{
    static const dlg_minimiser *const all[] = {&dlg_lbfgs, &dlg_plain_lbfgs, &dlg_adam};
    *out = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name)) *out = all[i];
    return *out ? DLG_OK : dlg_fail(err, DLG_EARG, "optimizer: want lbfgs, lbfgs_plain or adam, found %s", name);
}
