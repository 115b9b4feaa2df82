#include "dlg/catalogue.h"

#include "attacks/table.h"
#include "defend/defence.h"
#include "matching/distance.h"
#include "models/config.h"
#include "optimise/minimise.h"

#include <stdio.h>

static void set(dlg_entry *out, const char *name, const char *help)
{
    *out = (dlg_entry){.asks_prior = false};
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->help, sizeof out->help, "%s", help);
}

/* Each sets the i-th entry, which there is, or says that the list ends there. */

static bool set_attack(size_t i, dlg_entry *out)
{
    if (!dlg_attacks[i]) return false;
    set(out, dlg_attacks[i]->name, dlg_attacks[i]->help);
    out->asks_prior = dlg_attacks[i]->asks_prior;
    return true;
}

static bool set_distance(size_t i, dlg_entry *out)
{
    if (!dlg_distances[i]) return false;
    set(out, dlg_distances[i]->name, dlg_distances[i]->help);
    return true;
}

static bool set_optimizer(size_t i, dlg_entry *out)
{
    if (!dlg_minimisers[i]) return false;
    set(out, dlg_minimisers[i]->name, dlg_minimisers[i]->help);
    return true;
}

static bool set_defence(size_t i, dlg_entry *out)
{
    char usage[DLG_DEFENCE_USAGE];
    if (!dlg_defence_classes[i]) return false;
    set(out, dlg_defence_usage(dlg_defence_classes[i], usage), dlg_defence_classes[i]->help);
    return true;
}

static bool set_preset(size_t i, dlg_entry *out)
{
    char size[64];
    if (!dlg_presets[i].name) return false;
    snprintf(size, sizeof size, "a BERT with %zu layers of %zu", dlg_presets[i].n_layers, dlg_presets[i].hidden_size);
    set(out, dlg_presets[i].name, size);
    return true;
}

bool dlg_catalogue_at(dlg_catalogue of, size_t i, dlg_entry *out)
{
    static bool (*const setters[])(size_t, dlg_entry *) = {[DLG_ATTACKS] = set_attack,
                                                           [DLG_DISTANCES] = set_distance,
                                                           [DLG_OPTIMIZERS] = set_optimizer,
                                                           [DLG_DEFENCES] = set_defence,
                                                           [DLG_PRESETS] = set_preset};
    dlg_entry entry;
    for (size_t k = 0; k <= i; k++) /* one behind the end of a list is beyond it */
        if (!setters[of](k, &entry)) return false;
    *out = entry;
    return true;
}
