#include "attacks/session/attack.h"

#include "analytic/tokens/twins.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "matching/oracle.h"

#include <stdarg.h>
#include <stdio.h>

const dlg_model *dlg_attack_prior(const dlg_attack_options *options, const dlg_model *attacked)
{
    const dlg_model *model = options->prior ? options->prior : attacked;
    return model->config.task == DLG_SEQUENCE_CLASSIFICATION ? NULL : model;
}

void dlg_attack_doing(const dlg_attack_observer *observer, const char *format, ...)
{
    char what[96];
    va_list args;
    if (!observer || !observer->doing) return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    observer->doing(observer->payload, what);
}

void dlg_attack_note(const dlg_attack_observer *observer, const char *line)
{
    if (observer && observer->note) observer->note(observer->payload, line);
}

bool dlg_attack_is_interrupted(const dlg_attack_observer *observer)
{
    return observer && observer->interrupted && observer->interrupted(observer->payload);
}

/* What stands between an attack and its observer. */
typedef struct {
    const dlg_attack_observer *observer; /* or NULL */
    dlg_journal *journal;                /* or NULL */
    const dlg_attack_result *result;
    size_t max_evaluations;
} relay;

static void relay_iteration(void *payload, const dlg_attack_state *state)
{
    const dlg_attack_observer *observer = ((relay *)payload)->observer;
    if (observer && observer->iteration) observer->iteration(observer->payload, state);
}

static void relay_note(void *payload, const char *line)
{
    dlg_attack_note(((relay *)payload)->observer, line);
}

static void relay_doing(void *payload, const char *what)
{
    const dlg_attack_observer *observer = ((relay *)payload)->observer;
    if (observer && observer->doing) observer->doing(observer->payload, what);
}

static bool is_spent(const relay *between)
{
    return between->max_evaluations && between->result->evaluations >= between->max_evaluations;
}

static bool is_unwanted(const relay *between)
{
    return dlg_is_interrupted() || dlg_attack_is_interrupted(between->observer);
}

/* What an interrupted attack does from then on it would not have done undisturbed: the journal shall not have it. */
static bool relay_interrupted(void *payload)
{
    const relay *between = payload;
    if (dlg_journal_check(between->journal, NULL) || is_spent(between)) return true;
    if (!is_unwanted(between)) return false;
    dlg_journal_suspend(between->journal);
    return true;
}

dlg_status dlg_attack_count_bytes(size_t *out, const dlg_gradient *gradient, const dlg_knowledge *k, dlg_error *err)
{
    dlg_batch batch;
    *out = 0;
    dlg_status status = dlg_knowledge_lay_out(&batch, gradient->model->config.task, k, err);
    if (!status) status = dlg_network_count_bytes(out, gradient->model, &batch, k->n_labels, err);
    dlg_batch_release(&batch);
    return status;
}

/*
 * Tokens with the same embedding explain a gradient equally well, but for the word embedding's rows; of sentences that
 * are a part of a batch these are not compared.
 */
static void look_for_twins(dlg_attack_result *result, const dlg_gradient *gradient)
{
    const bool has_words = dlg_gradient_at(gradient, gradient->model->roles.words) != NULL;
    dlg_evidence *evidence = result->memory; /* what state.evidence is */
    if (result->end != DLG_PARTLY && (result->end != DLG_EXPLAINED || has_words)) return;
    for (size_t i = 0; i < result->n_rows; i++)
        evidence[i].n_twins = dlg_twins_count(gradient->model, result->state.fed[i]);
}

dlg_status dlg_attack_look(dlg_attack_result *result, dlg_analysis *analysis, dlg_error *err)
{
    if (result->shown) return DLG_OK;
    dlg_inspection *shown = dlg_allocate(1, sizeof *shown);
    if (!shown) return dlg_fail(err, DLG_ENOMEM, "attack: no memory");
    const dlg_status status = dlg_inspect_facts(shown, analysis, err);
    dlg_forward_release(dlg_analysis_forward(analysis)); /* an attack has a network of its own */
    if (status) dlg_free(shown);
    else result->shown = shown;
    return status;
}

/* The result says no less than an inspection, unless there is no time for one: after an interrupt, or where its numbers
 * go nowhere. */
static dlg_status look_at_the_end(dlg_attack_result *result, dlg_analysis *analysis, dlg_error *err)
{
    if (result->end == DLG_EXPLAINED || result->end == DLG_SETTLED) return DLG_OK;
    const dlg_status status = dlg_attack_look(result, analysis, err);
    return status == DLG_ECANCELLED || status == DLG_ENONFINITE ? DLG_OK : status;
}

/* Whether a text that settled has a token, a length or labels that are guesses. */
static bool is_in_doubt(const dlg_attack_result *result)
{
    const dlg_knowledge *k = result->knowledge;
    bool is_sure = k && !(k->lengths_are_unsure && k->lengths_from == DLG_INFERRED);
    for (size_t i = 0; i < result->n_rows && is_sure; i++) {
        is_sure = dlg_attack_confidence(result, i) >= DLG_LIKELY;
        if (result->state.predicted[i]) is_sure &= !(k->labels_are_unsure && k->labels_from == DLG_INFERRED);
    }
    return !is_sure;
}

dlg_status dlg_attack_class_run(const dlg_attack_class *class, dlg_attack_result *out, dlg_analysis *analysis,
                                const dlg_knowledge *knowledge, const dlg_attack_options *options,
                                const dlg_attack_observer *observer, dlg_error *err)
{
    *out = (dlg_attack_result){.end = DLG_EXHAUSTED, .begun_s = dlg_clock_now()};
    const size_t left = dlg_oracle_left(options->journal);
    relay between = {observer, options->journal, out, options->max_evaluations};
    const dlg_attack_observer relayed = {relay_iteration, relay_note, relay_doing, relay_interrupted, &between};
    dlg_budget_begin(&out->budget, options->max_seconds);
    dlg_status status = class->run(out, analysis, knowledge, options, &relayed, err);
    const bool is_late = dlg_budget_end(&out->budget);
    if (status == DLG_ECANCELLED) { /* in the midst of something that has no result of its own */
        status = DLG_OK;
        out->end = DLG_INTERRUPTED;
    }
    if (!status) status = look_at_the_end(out, analysis, err);
    if (!status && out->end == DLG_SETTLED && is_in_doubt(out)) out->end = DLG_LIKELY_TEXT;
    if (!status && out->memory) look_for_twins(out, dlg_analysis_gradient(analysis));
    if (!status) status = dlg_journal_check(options->journal, err);
    if (out->end == DLG_INTERRUPTED && is_spent(&between)) out->end = DLG_EXHAUSTED;
    if (out->end == DLG_INTERRUPTED && is_late && !is_unwanted(&between)) out->end = DLG_OUT_OF_TIME;
    out->recalled = left - dlg_oracle_left(options->journal);
    out->state.iterations = out->iterations;
    out->state.evaluations = out->evaluations;
    out->state.seconds = dlg_clock_now() - out->begun_s;
    out->state.evaluating_seconds = out->evaluating_s;
    if (status) dlg_attack_result_release(out);
    return status;
}

void dlg_attack_result_release(dlg_attack_result *result)
{
    dlg_free(result->first);
    dlg_free(result->memory);
    if (result->shown) dlg_inspection_release(result->shown);
    dlg_free(result->shown);
    if (result->knowledge) dlg_knowledge_release(result->knowledge);
    dlg_free(result->knowledge);
    *result = (dlg_attack_result){0};
}

dlg_token_source dlg_attack_source(const dlg_attack_state *state, size_t row)
{
    return state->predicted[row] ? DLG_FROM_LABEL : state->evidence[row].source;
}

dlg_confidence dlg_attack_confidence(const dlg_attack_result *result, size_t row)
{
    const dlg_attack_state *text = &result->state;
    const bool is_proved = result->end == DLG_EXPLAINED || result->end == DLG_PARTLY;
    if (is_proved && !text->predicted[row] && text->evidence[row].n_twins > 1) return DLG_GUESSED;
    if (result->end == DLG_EXPLAINED) return DLG_CERTAIN;
    if (result->end == DLG_PARTLY) return text->tokens[row] == text->knowledge->special.mask ? DLG_UNSEEN : DLG_CERTAIN;
    const bool has_settled = result->end == DLG_SETTLED || result->end == DLG_LIKELY_TEXT;
    return has_settled && dlg_evidence_is_clear(&text->evidence[row]) ? DLG_LIKELY : DLG_GUESSED;
}

const char *dlg_update_name(dlg_update update)
{
    static const char *const names[] = {"batch", "sentence"};
    return names[update];
}

const char *dlg_attack_end_name(dlg_attack_end end)
{
    static const char *const names[] = {"explained",   "settled",    "partly",      "exhausted",
                                        "interrupted", "unreadable", "out of time", "likely"};
    return names[end];
}
