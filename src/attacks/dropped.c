/*
 * With dropout on no text has the shared gradient, so that none can be explained, and no descent comes to one. But the
 * inputs of layer 0 are seen, which token at which position and which of its numbers were dropped
 * (analytic/tokens/dropped_inputs.h). Every one of them is proved by itself, and their number is known, for no two are
 * the same: where all are found there is no other text.
 */
#include "attacks/dropped.h"

#include "analytic/sequences/dropped_sentences.h"
#include "attacks/session/found_sentences.h"
#include "base/memory.h"

#include <stdio.h>

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

/* Of inputs that are not all there, or sentences that are not proved, other sentences could be made. */
static void say_choices(const dlg_attack_result *out, const dlg_dropped_inputs *in)
{
    dlg_evidence *evidence = out->memory;
    for (size_t i = 0, b = 0; i < out->n_rows; i++) {
        if (i == out->first[b + 1]) b++;
        const size_t t = i - out->first[b];
        size_t n_here = 0;
        for (size_t j = 0; j < in->n; j++) n_here += in->position[j] == t && in->token[j] != out->state.fed[i];
        evidence[i].n_choices = n_here + 1;
    }
}

static dlg_status keep_sentences(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                                 const dlg_dropped_inputs *in, dlg_error *err)
{
    dlg_sequences found;
    uint32_t *fed = NULL;
    size_t n_proved, n_accounted, n_tokens = 0;
    dlg_status status = dlg_dropped_sentences_find(&found, dlg_analysis_gradient(analysis), in,
                                                   dlg_analysis_special(analysis), err);
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
    if (!status && n_shown && is_whole && n_proved < found.n)
        say_choices(out, in);
    dlg_free(fed);
    dlg_sequences_release(&found);
    return status;
}

dlg_status dlg_dropped_run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                           const dlg_attack_observer *observer, dlg_error *err)
{
    const dlg_defence_traces *traces;
    const dlg_dropped_inputs *in;
    const size_t length = knowledge->lengths[0];
    char line[160];
    bool was_on = false;
    dlg_status status = dlg_analysis_traces(&traces, analysis, err);
    if (!status && !dlg_defence_traces_any(traces)) status = dlg_analysis_dropout(&was_on, analysis, err);
    if (status || !was_on) return status;
    dlg_attack_doing(observer, "reading layer 0 behind dropout");
    status = dlg_analysis_dropped_inputs(&in, analysis, length, err);
    if (status) return status;
    snprintf(line, sizeof line, "dropout was on: %zu of %zu inputs of layer 0 found, of whose numbers %.1f %% were dropped",
             in->n, in->rank, 100 * (double)in->n_dropped / (double)(in->n * in->H + 1));
    dlg_attack_note(observer, line);
    out->was_dropped = true;
    return keep_sentences(out, analysis, knowledge, in, err);
}
