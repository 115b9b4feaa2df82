/*
 * With dropout on no text has the shared gradient, so that none can be explained, and no descent comes to one. But the
 * inputs of layer 0 are seen, which token at which position and which of its numbers were dropped
 * (analytic/tokens/dropped_inputs.h). Every one of them is proved by itself, and their number is known, for no two are
 * the same: where all are found there is no other text.
 */
#include "attacks/dropped.h"

#include "analytic/tokens/twins.h"
#include "attacks/session/found_sentences.h"
#include "base/memory.h"

#include <stdio.h>

static bool is_one_sentence(const dlg_dropped_inputs *in)
{
    bool is_one = in->n == in->rank && in->n == in->n_positions;
    for (size_t t = 0; is_one && t < in->n; t++) is_one = in->position[t] == t;
    return is_one;
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
    if (is_one_sentence(in))
        status = dlg_found_sentences_keep(out, knowledge, 1, &length, in->token, &(dlg_part){0}, DLG_SETTLED, err);
    return status;
}
