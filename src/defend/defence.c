#include "defend/defence.h"

#include "base/text.h"
#include "defend/classes.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const dlg_defence_class *const dlg_defence_classes[] = {
    &dlg_defence_gaussian,
    &dlg_defence_laplace,
    &dlg_defence_fp16,
    &dlg_defence_bf16,
    &dlg_defence_int8,
    &dlg_defence_prune,
    NULL,
};

const char *dlg_defence_usage(const dlg_defence_class *kind, char out[DLG_DEFENCE_USAGE])
{
    snprintf(out, DLG_DEFENCE_USAGE, "%s%s%s", kind->name, kind->number ? ":" : "", kind->number ? kind->number : "");
    return out;
}

static dlg_status unknown_name(const char *spec, dlg_error *err)
{
    char names[256] = "", usage[DLG_DEFENCE_USAGE];
    for (size_t i = 0; dlg_defence_classes[i]; i++)
        dlg_text_list(names, sizeof names, dlg_defence_usage(dlg_defence_classes[i], usage),
                      !dlg_defence_classes[i + 1]);
    return dlg_fail(err, DLG_EARG, "defence: want %s, found \"%.100s\"", names, spec);
}

dlg_status dlg_defence_parse(dlg_defence *out, const char *spec, dlg_error *err)
{
    *out = (dlg_defence){0};
    const size_t name_length = strcspn(spec, ":");
    const dlg_defence_class *kind = NULL;
    for (size_t i = 0; dlg_defence_classes[i] && !kind; i++) {
        const char *name = dlg_defence_classes[i]->name;
        if (strlen(name) == name_length && !memcmp(name, spec, name_length)) kind = dlg_defence_classes[i];
    }
    if (!kind) return unknown_name(spec, err);

    const char *number = spec[name_length] ? spec + name_length + 1 : NULL;
    if (!kind->number) {
        if (number) return dlg_fail(err, DLG_EARG, "defence %s: want no number, found \"%.100s\"", kind->name, spec);
        *out = (dlg_defence){.kind = kind};
        return DLG_OK;
    }
    /* strtod would also take blanks in front, "nan", and nothing at all. */
    char *end = NULL;
    const double strength = number && strspn(number, "+-.0123456789") ? strtod(number, &end) : NAN;
    if (!end || *end || !(strength >= kind->lowest && strength <= kind->highest))
        return dlg_fail(err, DLG_EARG, "defence %s:%s: want a number from %g to %g, found \"%.100s\"", kind->name,
                        kind->number, kind->lowest, kind->highest, spec);
    *out = (dlg_defence){.kind = kind, .strength = strength};
    return DLG_OK;
}

dlg_status dlg_defence_apply(const dlg_defence *defences, size_t n_defences, const char *tensor_name, dlg_real *values,
                             size_t n_items, uint64_t seed, dlg_error *err)
{
    /* A model's weights may have been drawn from the same seed and name: noise must not be those numbers again. So
     * every place in the chain gets a seed of its own. */
    dlg_random seeds = dlg_random_at(seed, dlg_random_stream("defence"));
    const uint32_t stream = dlg_random_stream(tensor_name);
    for (size_t d = 0; d < n_defences; d++) {
        const dlg_defence_class *kind = defences[d].kind;
        kind->apply(values, n_items, defences[d].strength, dlg_random_u64(&seeds), stream);
        for (size_t i = 0; i < n_items; i++)
            if (!isfinite(values[i]))
                return dlg_fail(err, DLG_ENONFINITE, "%s: want finite numbers after defence %s, found %g at entry %zu",
                                tensor_name, kind->name, (double)values[i], i);
    }
    return DLG_OK;
}
