#include "library/attack.h"

#include "attacks/session/checkpoint.h"
#include "attacks/table.h"
#include "attacks/update.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "dlg/version.h"
#include "library/metadata.h"
#include "matching/oracle.h"

#include <math.h>

/* Sentences that a file's metadata may claim: a number from a stranger sizes the attack. */
enum { LARGEST_BATCH = 1024 };

enum { ITERATIONS = 150, STARTS = 12 }; /* where the caller names none */

/* ---- how ---- */

static dlg_status choose(const dlg_attack_class **class, dlg_attack_options *out, const dlg_attack_choice *how,
                         dlg_error *err)
{
    *class = dlg_attacks[0];
    *out = (dlg_attack_options){.max_iterations = how->max_iterations ? how->max_iterations : ITERATIONS,
                                .max_starts = how->max_starts ? how->max_starts : STARTS,
                                .max_evaluations = how->max_evaluations,
                                .max_seconds = how->max_seconds,
                                .update = how->update,
                                .seed = how->seed,
                                .prior = how->prior};
    if ((unsigned)how->update > DLG_UPDATE_SENTENCE)
        return dlg_fail(err, DLG_EARG, "update: want a dlg_update, found %d", (int)how->update);
    if (!(how->max_seconds >= 0))
        return dlg_fail(err, DLG_EARG, "time: want at least 0 seconds, found %g", how->max_seconds);
    dlg_status status = how->attack ? dlg_attack_find(class, how->attack, err) : DLG_OK;
    if (!status && how->distance) status = dlg_distance_find(&out->distance, how->distance, err);
    if (!status && how->optimizer) status = dlg_minimiser_find(&out->minimiser, how->optimizer, err);
    if (status) return status;
    if (!out->distance) out->distance = (*class)->distance;
    if (!out->minimiser) out->minimiser = (*class)->minimiser;
    return DLG_OK;
}

dlg_status dlg_attack_choice_check(const dlg_attack_choice *how, dlg_error *err)
{
    const dlg_attack_class *class;
    dlg_attack_options options;
    return choose(&class, &options, how, err);
}

/* ---- its life ---- */

static dlg_status read_batch_size(dlg_attack *attack, dlg_error *err)
{
    uint64_t n_sentences = 0;
    const dlg_safetensors *file = attack->gradient->file;
    const dlg_status status = !file ? DLG_OK
                                    : dlg_metadata_whole(&n_sentences, file, DLG_METADATA_BATCH_SIZE, 1, LARGEST_BATCH,
                                                         "a whole number from 1 to 1024", err);
    if (status || !n_sentences) return status;
    attack->told.n_sentences = (size_t)n_sentences;
    attack->told.sentences_from = DLG_METADATA;
    return DLG_OK;
}

/* Ids must be rows of both. */
static dlg_status check_prior(const dlg_attack *attack, dlg_error *err)
{
    const dlg_model *prior = attack->options.prior;
    const size_t want = attack->gradient->model->config.vocabulary_size;
    if (!prior || prior->config.vocabulary_size == want) return DLG_OK;
    return dlg_fail(err, DLG_ESHAPE, "prior %s: want the attacked model's %zu pieces, found %zu", prior->name, want,
                    prior->config.vocabulary_size);
}

/* AdamW leaves no gradient that others could match. */
static dlg_status check_class(const dlg_attack *attack, dlg_error *err)
{
    if (!dlg_update_is_all(attack->gradient) || attack->class == dlg_attacks[0]) return DLG_OK;
    return dlg_fail(err, DLG_EARG, "attack %s: want a gradient, found an update of AdamW's, which %s reads",
                    attack->class->name, dlg_attacks[0]->name);
}

dlg_status dlg_attack_create(dlg_attack **out, const dlg_gradient *gradient, const dlg_attack_choice *how,
                             dlg_error *err)
{
    static const dlg_attack_choice by_default = {.attack = NULL};
    if (!how) how = &by_default;
    *out = NULL;
    dlg_attack *attack = dlg_allocate(1, sizeof *attack);
    if (!attack) return dlg_fail(err, DLG_ENOMEM, "attack: no memory");
    attack->gradient = gradient;
    attack->checkpoint = how->checkpoint;
    attack->resume = how->resume;
    dlg_status status = choose(&attack->class, &attack->options, how, err);
    if (!status) status = check_prior(attack, err);
    if (!status) status = check_class(attack, err);
    if (!status) status = read_batch_size(attack, err);
    if (!status)
        status =
            dlg_analysis_create(&attack->analysis, gradient, dlg_tokenizer_special(gradient->model->tokenizer), err);
    if (status) dlg_attack_free(attack);
    else *out = attack;
    return status;
}

void dlg_attack_free(dlg_attack *attack)
{
    if (!attack) return;
    dlg_progress_release(&attack->progress);
    dlg_attack_result_release(&attack->result);
    dlg_knowledge_release(&attack->told);
    dlg_analysis_free(attack->analysis);
    dlg_journal_close(attack->options.journal);
    dlg_free(attack->text);
    dlg_free(attack);
}

/* ---- before it begins ---- */

/* A gradient that does not show what is needed is no error, for that is what it gives away: nothing. */
static dlg_status infer(dlg_attack *attack, dlg_error *err)
{
    dlg_error inner = {.status = DLG_OK};
    attack->told.special = dlg_analysis_special(attack->analysis);
    if (dlg_update_is_all(attack->gradient)) return DLG_OK; /* there is no gradient to infer it from */
    const dlg_status status = dlg_knowledge_infer(&attack->told, attack->analysis, &inner);
    if (status == DLG_EFORMAT) attack->unreadable = inner;
    if (!status || status == DLG_EFORMAT) return DLG_OK;
    return dlg_fail(err, status, "%s: %s", dlg_gradient_name(attack->gradient), inner.message);
}

static dlg_status open_journal(dlg_attack *attack, dlg_error *err)
{
    const dlg_build build = {DLG_VERSION, dlg_machine_products()};
    const dlg_status status =
        dlg_checkpoint_open(&attack->options.journal, attack->checkpoint, attack->resume, build, attack->class,
                            attack->gradient, &attack->told, &attack->options, err);
    if (!status) attack->n_resumed = dlg_oracle_left(attack->options.journal);
    return status;
}

/* What is too much is refused before any of it is taken. */
static dlg_status count_memory(dlg_attack *attack, dlg_error *err)
{
    const dlg_status status = attack->told.lengths
                                  ? dlg_attack_count_bytes(&attack->memory.wanted, attack->gradient, &attack->told, err)
                                  : DLG_OK;
    const size_t limit = dlg_memory_limit();
    attack->memory.held = dlg_memory_used();
    attack->memory.limit = limit == SIZE_MAX ? 0 : limit;
    const size_t left = limit - attack->memory.held;
    if (status || attack->memory.wanted <= left) return status;
    return dlg_fail(err, DLG_ENOMEM, "%s: a batch of %zu: want %zu MB of memory more, found %zu MB",
                    dlg_gradient_name(attack->gradient), attack->told.n_sentences, attack->memory.wanted >> 20,
                    left >> 20);
}

dlg_status dlg_attack_prepare(dlg_attack *attack, dlg_error *err)
{
    if (attack->is_prepared) return DLG_OK;
    const double begun_s = dlg_clock_now();
    dlg_status status = DLG_OK;
    if (attack->gradient->training.shared) status = dlg_analysis_update_tokens(&attack->update, attack->analysis, err);
    if (!status) status = infer(attack, err);
    const bool begins = !status && !attack->unreadable.status;
    if (begins && attack->checkpoint && !attack->options.journal) status = open_journal(attack, err);
    if (begins && !status) status = count_memory(attack, err);
    if (!status) status = dlg_check_interrupt(err);
    attack->is_prepared = !status;
    /* Of the time of all, which may not become 0: that would be another. */
    if (attack->options.max_seconds > 0)
        attack->options.max_seconds = fmax(1e-9, attack->options.max_seconds - (dlg_clock_now() - begun_s));
    return status;
}

/* ---- the run ---- */

/* What stands between an attack and the caller's observer. */
typedef struct {
    dlg_attack *attack;
    const dlg_observer *observer;
} relay;

static void relay_iteration(void *payload, const dlg_attack_state *state)
{
    const relay *r = payload;
    if (!r->observer->iteration) return;
    r->attack->now = state;
    r->observer->iteration(r->observer->payload, r->attack);
    r->attack->now = NULL;
}

static void relay_note(void *payload, const char *line)
{
    const relay *r = payload;
    if (r->observer->note) r->observer->note(r->observer->payload, line);
}

static void relay_doing(void *payload, const char *what)
{
    const relay *r = payload;
    if (r->observer->doing) r->observer->doing(r->observer->payload, what);
}

static dlg_status run(dlg_attack *attack, const dlg_observer *observer, dlg_error *err)
{
    relay between = {attack, observer};
    const dlg_attack_observer relayed = {
        .iteration = relay_iteration, .note = relay_note, .doing = relay_doing, .payload = &between};
    dlg_status status = dlg_attack_prepare(attack, err);
    if (!status && attack->unreadable.status) {
        attack->result = (dlg_attack_result){.end = DLG_UNREADABLE, .reason = attack->unreadable.message};
        status = dlg_attack_look(&attack->result, attack->analysis, err);
    } else if (!status) {
        status = dlg_attack_class_run(attack->class, &attack->result, attack->analysis, &attack->told, &attack->options,
                                      &relayed, err);
    }
    return status;
}

dlg_status dlg_attack_run(dlg_attack *attack, const dlg_observer *observer, dlg_error *err)
{
    static const dlg_observer nobody = {.payload = NULL};
    if (attack->has_run)
        return dlg_fail(err, DLG_EARG, "attack: want one that did not run yet, found one that did; create another");
    if (!observer) observer = &nobody;
    /* The interrupt is the thread's while it lasts, so that every loop asks for it, and not the descent alone. */
    const dlg_interrupter own = {observer->interrupted, observer->payload}, before = dlg_interrupter_of_thread();
    dlg_interrupter_set(own.asked ? own : before);
    attack->is_running = true;
    attack->result.budget.until = INFINITY; /* while it prepares itself */
    const dlg_status status = run(attack, observer, err);
    attack->is_running = false;
    dlg_interrupter_set(before);
    attack->has_run = !status;
    return status;
}
