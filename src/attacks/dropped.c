/*
 * With dropout on no text has the shared gradient, so that none can be explained, and no descent comes to one. But the
 * inputs of layer 0 are seen, which token at which position and which of its numbers were dropped
 * (analytic/tokens/dropped_inputs.h). Every one of them is proved by itself, and their number is known, for no two are
 * the same: where all are found, and which stand together (analytic/sequences/dropped_sentences.h), there is no other
 * text. Of a single sentence the position check reads the same.
 */
#include "attacks/dropped.h"

#include "analytic/sequences/dropped_sentences.h"
#include "analytic/tokens/reading.h"
#include "analytic/tokens/token_set.h"
#include "analytic/tokens/twins.h"
#include "attacks/session/found_sentences.h"
#include "base/memory.h"

#include <stdio.h>

/* ---- layer 0 ---- */

/* Tokens of the sentences, one after the other. */
static dlg_status list_fed(uint32_t **out, const dlg_dropped_inputs *in, const dlg_sequences *found, dlg_error *err)
{
    size_t n = 0;
    *out = dlg_allocate(in->n, sizeof **out);
    if (!*out) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t b = 0; b < found->n; b++)
        for (size_t t = 0; t < found->lengths[b]; t++)
            (*out)[n++] = in->token[found->index[b * found->n_positions + t]];
    return DLG_OK;
}

/* Those that are proved come first. */
static void count_proved(const dlg_sequences *found, size_t *n_proved, size_t *n_tokens)
{
    *n_proved = *n_tokens = 0;
    while (*n_proved < found->n && found->outside[*n_proved] == 0) *n_tokens += found->lengths[(*n_proved)++];
}

/* Where nothing proves a sentence, and no gradient does, other tokens at its positions would do as well; and so would
 * others with the same embedding. */
static void say_choices(const dlg_attack_result *out, const dlg_dropped_inputs *in, size_t n_proved,
                        const dlg_model *model)
{
    dlg_evidence *evidence = out->memory;
    for (size_t b = 0; b < out->n_sentences; b++)
        for (size_t i = out->first[b]; i < out->first[b + 1]; i++) {
            evidence[i].n_twins = dlg_twins_count(model, out->state.fed[i]);
            evidence[i].n_choices = evidence[i].n_twins ? evidence[i].n_twins : 1;
            for (size_t j = 0; j < in->n && b >= n_proved; j++)
                evidence[i].n_choices += in->position[j] == i - out->first[b] && in->token[j] != out->state.fed[i];
        }
}

static dlg_status keep_sentences(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                                 const dlg_dropped_inputs *in, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    dlg_sequences found;
    uint32_t *fed = NULL;
    size_t n_proved, n_accounted, n_tokens = 0;
    dlg_status status = dlg_dropped_sentences_find(&found, gradient, in, dlg_analysis_special(analysis), err);
    if (status || !found.n) return status;
    count_proved(&found, &n_proved, &n_accounted);
    for (size_t b = 0; b < found.n; b++) n_tokens += found.lengths[b];
    const bool is_whole = n_tokens == in->rank;
    const size_t n_shown = is_whole ? found.n : n_proved;
    const dlg_part part = {n_proved + 1, n_accounted, in->rank};
    status = list_fed(&fed, in, &found, err);
    if (!status && n_shown)
        status = dlg_found_sentences_keep(out, knowledge, n_shown, found.lengths, fed, &part,
                                          is_whole ? DLG_SETTLED : DLG_PARTLY, err);
    if (!status && n_shown) say_choices(out, in, n_proved, gradient->model);
    dlg_free(fed);
    dlg_sequences_release(&found);
    return status;
}

/* ---- the rows for positions ---- */

/* The tokens that went in, where the word embedding's rows are theirs alone; none: not seen. */
static dlg_status find_tokens(dlg_token_set *out, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    *out = (dlg_token_set){0};
    if (config->task == DLG_MASKED_LM && config->tied_decoder) return DLG_OK;
    return dlg_token_set_find(out, gradient, &(dlg_token_evidence){.blur = DLG_SHARP}, err);
}

/* Of these tokens, or where there are none of all, those that are admitted at a position. */
static size_t count_choices(const dlg_position_check *check, const dlg_token_set *set, size_t t)
{
    size_t n = set->n ? 0 : dlg_position_check_count(check, t);
    for (size_t i = 0; i < set->n; i++) n += dlg_position_check_admits(check, set->tokens[i], t);
    return n ? n : 1; /* it begins as all do */
}

/*
 * A single sentence of which the position check names every token: dropout leaves its equations as they are.
 * @param wants_all only where nothing else may stand anywhere
 */
static dlg_status keep_positions(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                                 bool wants_all, dlg_error *err)
{
    const dlg_position_check *check;
    dlg_token_set set = {0};
    dlg_reading reading = {0};
    const size_t length = knowledge->lengths[0];
    if (knowledge->n_sentences != 1) return DLG_OK;
    dlg_status status = dlg_analysis_position_check(&check, analysis, length, err);
    if (!status && check) status = find_tokens(&set, dlg_analysis_gradient(analysis), err);
    if (!status && check) status = dlg_reading_find(&reading, check, &set, knowledge->special, err);
    const bool is_read =
        !status && dlg_reading_is_whole(&reading) && reading.has_ends && (!wants_all || reading.n_certain == length);
    if (is_read)
        status = dlg_found_sentences_keep(out, knowledge, 1, &length, reading.fed, &(dlg_part){0}, DLG_SETTLED, err);
    for (size_t t = 0; t < length && is_read && !status; t++)
        ((dlg_evidence *)out->memory)[t].n_choices = count_choices(check, &set, t);
    dlg_reading_release(&reading);
    dlg_free(set.tokens);
    return status;
}

/* ---- both ---- */

/* What was dropped is seen where layer 0's row space has room; where it has none, that begin and end are not quite what
 * they are at the positions' rows. */
static dlg_status look_for_dropout(bool *was_on, dlg_analysis *analysis, size_t length, dlg_error *err)
{
    const dlg_defence_traces *traces;
    *was_on = false;
    dlg_status status = dlg_analysis_traces(&traces, analysis, err);
    if (status || dlg_defence_traces_any(traces) || dlg_analysis_gradient(analysis)->rounding) return status;
    return dlg_causes_find_dropout(was_on, analysis, length, err);
}

static dlg_status read_inputs(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                              const dlg_attack_observer *observer, dlg_error *err)
{
    const dlg_dropped_inputs *in;
    char line[160];
    dlg_attack_doing(observer, "reading layer 0 behind dropout");
    const dlg_status status = dlg_analysis_dropped_inputs(&in, analysis, knowledge->lengths[0], err);
    if (status) return status;
    snprintf(line, sizeof line,
             "dropout was on: %zu of %zu inputs of layer 0 found, of whose numbers %.1f %% were dropped", in->n,
             in->rank, in->n ? 100 * (double)in->n_dropped / (double)(in->n * in->H) : 0);
    dlg_attack_note(observer, in->rank ? line : "dropout was on: layer 0 has no room to show what was dropped");
    return keep_sentences(out, analysis, knowledge, in, err);
}

dlg_status dlg_dropped_run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                           const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_status status = look_for_dropout(&out->was_dropped, analysis, knowledge->lengths[0], err);
    if (status || !out->was_dropped) return status;
    status = keep_positions(out, analysis, knowledge, true, err);
    if (!status && out->end == DLG_EXHAUSTED) status = read_inputs(out, analysis, knowledge, observer, err);
    if (!status && out->end == DLG_EXHAUSTED) status = keep_positions(out, analysis, knowledge, false, err);
    if (!status && out->end == DLG_SETTLED && dlg_analysis_gradient(analysis)->model->config.task == DLG_MASKED_LM)
        status = dlg_found_sentences_put_labels(out, err);
    return status;
}
