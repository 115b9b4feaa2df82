#define _POSIX_C_SOURCE 200809L
#include "leak/attack.h"

#include "base/memory.h"
#include "leak/classes.h"
#include "leak/oracle.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const dlg_attack_class *const dlg_attacks[] = {
    &dlg_attack_dlg,
    &dlg_attack_idlg,
    &dlg_attack_tag,
    &dlg_attack_lamp,
    &dlg_attack_narrow,
    &dlg_attack_span,
    &dlg_attack_auto,
    NULL,
};

dlg_status dlg_attack_find(const dlg_attack_class **out, const char *name, dlg_error *err)
{
    char names[256] = "";
    *out = NULL;
    for (size_t i = 0; dlg_attacks[i]; i++) {
        const size_t used = strlen(names);
        if (!strcmp(dlg_attacks[i]->name, name)) {
            *out = dlg_attacks[i];
            return DLG_OK;
        }
        snprintf(names + used, sizeof names - used, "%s%s", !i ? "" : dlg_attacks[i + 1] ? ", " : " or ", dlg_attacks[i]->name);
    }
    return dlg_fail(err, DLG_EARG, "attack: want %s, found %s", names, name);
}

double dlg_attack_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

dlg_status dlg_attack(const dlg_attack_class *class, dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    *out = (dlg_attack_result){.end = DLG_EXHAUSTED, .begun_s = dlg_attack_now()};
    const size_t left = dlg_oracle_left(options->journal);
    dlg_status status = class->run(out, gradient, knowledge, options, observer, err);
    if (!status) status = dlg_journal_check(options->journal, err);
    out->recalled = left - dlg_oracle_left(options->journal);
    out->state.iterations = out->iterations;
    out->state.evaluations = out->evaluations;
    out->state.seconds = dlg_attack_now() - out->begun_s;
    if (status) dlg_attack_result_release(out);
    return status;
}

void dlg_attack_result_release(dlg_attack_result *result)
{
    dlg_free(result->first);
    dlg_free(result->memory);
    if (result->knowledge) dlg_knowledge_release(result->knowledge);
    dlg_free(result->knowledge);
    *result = (dlg_attack_result){0};
}

const char *dlg_attack_end_name(dlg_attack_end end)
{
    static const char *const names[] = {"explained", "settled", "exhausted", "interrupted"};
    return names[end];
}
