#define _POSIX_C_SOURCE 200809L
#include "attacks/session/attack.h"

#include "analytic/tokens/twins.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "matching/oracle.h"

#include <time.h>

const dlg_model *dlg_attack_prior(const dlg_attack_options *options, const dlg_model *attacked)
{
    const dlg_model *model = options->prior ? options->prior : attacked;
    return model->config.task == DLG_SEQUENCE_CLASSIFICATION ? NULL : model;
}

double dlg_attack_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
    const dlg_attack_observer *observer = ((relay *)payload)->observer;
    if (observer && observer->note) observer->note(observer->payload, line);
}

static bool is_spent(const relay *between)
{
    return between->max_evaluations && between->result->evaluations >= between->max_evaluations;
}

/* What an interrupted attack does from then on it would not have done undisturbed: the journal shall not have it. */
static bool relay_interrupted(void *payload)
{
    const relay *between = payload;
    const dlg_attack_observer *observer = between->observer;
    if (dlg_journal_check(between->journal, NULL) || is_spent(between)) return true;
    const bool asks = observer && observer->interrupted;
    if (!dlg_is_interrupted() && !(asks && observer->interrupted(observer->payload))) return false;
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

dlg_status dlg_attack_class_run(const dlg_attack_class *class, dlg_attack_result *out, dlg_analysis *analysis,
                                const dlg_knowledge *knowledge, const dlg_attack_options *options,
                                const dlg_attack_observer *observer, dlg_error *err)
{
    *out = (dlg_attack_result){.end = DLG_EXHAUSTED, .begun_s = dlg_attack_now()};
    const size_t left = dlg_oracle_left(options->journal);
    relay between = {observer, options->journal, out, options->max_evaluations};
    const dlg_attack_observer relayed = {relay_iteration, relay_note, relay_interrupted, &between};
    dlg_status status = class->run(out, analysis, knowledge, options, &relayed, err);
    if (status == DLG_ECANCELLED) { /* in the midst of something that has no result of its own */
        status = DLG_OK;
        out->end = DLG_INTERRUPTED;
    }
    if (!status && out->memory) look_for_twins(out, dlg_analysis_gradient(analysis));
    if (!status) status = dlg_journal_check(options->journal, err);
    if (out->end == DLG_INTERRUPTED && is_spent(&between)) out->end = DLG_EXHAUSTED;
    out->recalled = left - dlg_oracle_left(options->journal);
    out->state.iterations = out->iterations;
    out->state.evaluations = out->evaluations;
    out->state.seconds = dlg_attack_now() - out->begun_s;
    out->state.evaluating_seconds = out->evaluating_s;
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
    return result->end == DLG_SETTLED && dlg_evidence_is_clear(&text->evidence[row]) ? DLG_LIKELY : DLG_GUESSED;
}

const char *dlg_update_name(dlg_update update)
{
    static const char *const names[] = {"batch", "sentence"};
    return names[update];
}

const char *dlg_attack_end_name(dlg_attack_end end)
{
    static const char *const names[] = {"explained", "settled", "partly", "exhausted", "interrupted", "unreadable"};
    return names[end];
}
