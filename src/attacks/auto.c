/*
 * What there is, in the order of its cost: rows that a training moved are matched (update.h); what went in with dropout
 * on is read off layer 0 (dropped.h); the text is read off
 * layer 0's row space (dager.h) or, where that is blind, off the position embedding's rows, if that explains the
 * gradient; else dummy embeddings descend among what is left open (restricted.c). Where some sentences of a batch were
 * read off that is all: a descent, which begins anew, would find less; behind a reading that explains nothing it seldom
 * finds more, and takes long: unless a time was named it has a minute.
 */
#include "attacks/classes.h"
#include "attacks/dager.h"
#include "attacks/dropped.h"
#include "attacks/session/sentences.h"
#include "attacks/update.h"
#include "base/memory.h"
#include "analytic/tokens/reading.h"

/* The tokens that the word embedding's rows show, and the labels, whose rows may not show it; none of a gradient that
 * was defended: all are possible. */
static dlg_status find_possible(dlg_token_set *out, const dlg_attempt *a, dlg_error *err)
{
    const dlg_defence_traces *traces;
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    dlg_token_evidence known = {.n_labels = is_mlm ? a->knowledge->n_labels : 0, .labels = a->knowledge->labels};
    *out = (dlg_token_set){0};
    dlg_status status = dlg_analysis_traces(&traces, a->analysis, err);
    if (status || dlg_defence_traces_any(traces)) return status;
    status = dlg_analysis_count_head_rows(&known.n_predicted, a->analysis, err);
    if (!known.n_predicted) known.n_predicted = known.n_labels;
    if (!status) status = dlg_token_set_find(out, a->gradient, &known, err);
    return status || !out->n ? status : dlg_token_set_add(out, known.n_labels, known.labels, err);
}

/* A single sentence of which the position check names every token. */
static dlg_status read_positions(dlg_attempt *a, dlg_error *err)
{
    dlg_token_set possible = {0};
    const dlg_position_check *check;
    dlg_reading reading = {0};
    const size_t length = a->knowledge->lengths[0];
    if (a->knowledge->n_sentences != 1) return DLG_OK;
    dlg_status status = dlg_analysis_position_check(&check, a->analysis, length, err);
    if (!status && check) status = find_possible(&possible, a, err);
    if (!status && check) status = dlg_reading_find(&reading, check, &possible, a->knowledge->special, err);
    if (!status && check && dlg_reading_is_whole(&reading))
        status = dlg_sentences_explain(a, 1, &length, reading.fed, a->knowledge->types, &(dlg_part){0}, err);
    dlg_reading_release(&reading);
    dlg_free(possible.tokens);
    return status;
}

static const double descent_s = 60;

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_attempt attempt = {out, analysis, dlg_analysis_gradient(analysis), knowledge, options, observer, false};
    dlg_status status = DLG_OK;
    if (attempt.gradient->training.shared) status = dlg_update_run(out, analysis, knowledge, options, observer, err);
    if (status || out->end != DLG_EXHAUSTED || dlg_update_is_all(attempt.gradient)) return status;
    status = dlg_dropped_run(out, analysis, knowledge, observer, err);
    if (status || out->end != DLG_EXHAUSTED) return status;
    if (!out->was_dropped) status = dlg_dager_run(out, analysis, knowledge, options, observer, err);
    if (!status && out->end == DLG_EXHAUSTED && !out->state.tokens) status = read_positions(&attempt, err);
    if (!status && out->end == DLG_EXHAUSTED) status = dlg_attack_look(out, analysis, err);
    if (status || out->end != DLG_EXHAUSTED) return status;
    dlg_attack_note(observer, "what was read off does not explain the gradient: dummy embeddings descend");
    if (!(options->max_seconds > 0)) dlg_budget_shorten(&out->budget, descent_s);
    return dlg_attack_restricted.run(out, analysis, knowledge, options, observer, err);
}

const dlg_attack_class dlg_attack_auto = {"auto", "reads off what it can, then descends", &dlg_l2, &dlg_lbfgs, false,
                                          run};
