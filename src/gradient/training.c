#include "gradient/training.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const shared_names[] = {"gradient", "difference", "weights"};

const char *dlg_shared_name(dlg_shared shared)
{
    return shared_names[shared];
}

static const char *const trainer_names[] = {"unknown", "sgd", "adamw"};

const char *dlg_trainer_name(dlg_trainer trainer)
{
    return trainer_names[trainer];
}

/* A number that a trainer takes. */
typedef struct {
    const char *name;
    double lowest, highest; /* highest: excluded of beta, where nothing would be left of the gradient */
    bool is_adamws;
    size_t offset;
} setting;

static const setting settings[] = {{"weight_decay", 0, 1, false, offsetof(dlg_training, weight_decay)},
                                   {"eps", 1e-30, 1, true, offsetof(dlg_training, eps)},
                                   {"beta1", 0, 0.999999, true, offsetof(dlg_training, beta1)},
                                   {"beta2", 0, 0.999999, true, offsetof(dlg_training, beta2)}};

enum { N_SETTINGS = sizeof settings / sizeof *settings };

static dlg_status unknown(const dlg_training *t, const char *spec, dlg_error *err)
{
    char names[128] = "";
    size_t last = 0;
    for (size_t i = 0; i < N_SETTINGS; i++)
        if (!settings[i].is_adamws || t->trainer == DLG_TRAINER_ADAMW) last = i;
    for (size_t i = 0; i <= last; i++) dlg_text_list(names, sizeof names, settings[i].name, i == last);
    return dlg_fail(err, DLG_EARG, "optimizer %s: want NAME=NUMBER with NAME %s, found \"%.60s\"",
                    dlg_trainer_name(t->trainer), names, spec);
}

/* One "name=number" of n bytes. */
static dlg_status set(dlg_training *t, const char *spec, size_t n, dlg_error *err)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", (int)(n < sizeof copy ? n : sizeof copy - 1), spec);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const setting *s = &settings[i];
        const size_t n_name = strlen(s->name);
        if (strncmp(copy, s->name, n_name) != 0 || copy[n_name] != '=') continue;
        if (s->is_adamws && t->trainer != DLG_TRAINER_ADAMW) continue;
        const char *number = copy + n_name + 1;
        char *end = NULL;
        const double value = *number && !number[strspn(number, "+-.0123456789eE")] ? strtod(number, &end) : NAN;
        if (!end || *end || !(value >= s->lowest && value <= s->highest))
            return dlg_fail(err, DLG_EARG, "optimizer %s: %s: want a number from %g to %g, found \"%.40s\"",
                            dlg_trainer_name(t->trainer), s->name, s->lowest, s->highest, number);
        memcpy((char *)t + s->offset, &value, sizeof value);
        return DLG_OK;
    }
    return unknown(t, copy, err);
}

dlg_status dlg_training_parse(dlg_training *out, const char *optimizer, dlg_error *err)
{
    const size_t n_name = strcspn(optimizer, ":");
    dlg_trainer trainer = DLG_TRAINER_UNKNOWN;
    for (int i = DLG_TRAINER_SGD; i <= DLG_TRAINER_ADAMW; i++)
        if (strlen(trainer_names[i]) == n_name && !memcmp(trainer_names[i], optimizer, n_name))
            trainer = (dlg_trainer)i;
    if (!trainer) return dlg_fail(err, DLG_EARG, "optimizer: want sgd or adamw, found \"%.60s\"", optimizer);
    out->trainer = trainer;
    const bool is_adamw = trainer == DLG_TRAINER_ADAMW;
    out->weight_decay = is_adamw ? 0.01 : 0; /* PyTorch's, all of them */
    out->eps = is_adamw ? 1e-8 : 0;
    out->beta1 = is_adamw ? 0.9 : 0;
    out->beta2 = is_adamw ? 0.999 : 0;
    const char *at = optimizer + n_name;
    while (*at) {
        at++; /* : or , */
        const size_t n = strcspn(at, ",");
        const dlg_status status = set(out, at, n, err);
        if (status) return status;
        at += n;
    }
    return DLG_OK;
}

const char *dlg_training_spell(const dlg_training *t, char out[DLG_TRAINING_TEXT])
{
    if (t->trainer == DLG_TRAINER_ADAMW)
        snprintf(out, DLG_TRAINING_TEXT, "adamw:weight_decay=%.9g,eps=%.9g,beta1=%.9g,beta2=%.9g", t->weight_decay,
                 t->eps, t->beta1, t->beta2);
    else if (t->weight_decay > 0) snprintf(out, DLG_TRAINING_TEXT, "sgd:weight_decay=%.9g", t->weight_decay);
    else snprintf(out, DLG_TRAINING_TEXT, "%s", dlg_trainer_name(t->trainer));
    return out;
}

dlg_status dlg_training_choose(dlg_training *t, const dlg_training_choice *choice, dlg_error *err)
{
    size_t shared = 0;
    const size_t n = sizeof shared_names / sizeof *shared_names;
    if (choice->shared) {
        while (shared < n && strcmp(choice->shared, shared_names[shared]) != 0) shared++;
        if (shared == n)
            return dlg_fail(err, DLG_EARG, "update: want gradient, difference or weights, found \"%.60s\"",
                            choice->shared);
        t->shared = (dlg_shared)shared;
    }
    if (!(choice->lr >= 0 && choice->lr <= 1e6))
        return dlg_fail(err, DLG_EARG, "lr: want a number from 0 to 1e+06, found %g", choice->lr);
    if (choice->lr > 0) t->lr = choice->lr;
    if (choice->n_steps) t->n_steps = choice->n_steps;
    return choice->optimizer ? dlg_training_parse(t, choice->optimizer, err) : DLG_OK;
}

bool dlg_training_hides_sizes(const dlg_training *t)
{
    return t->shared && t->trainer == DLG_TRAINER_ADAMW;
}
