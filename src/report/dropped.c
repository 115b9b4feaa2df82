#include "report/dropped.h"

#include "report/line.h"

bool dlg_dropped_has_text(const dlg_attack_result *result)
{
    const bool is_read = result->end == DLG_SETTLED || result->end == DLG_LIKELY_TEXT || result->end == DLG_PARTLY;
    return result->was_dropped && result->state.tokens && is_read;
}

void dlg_dropped_print(const dlg_screen *screen, const dlg_attack_result *result)
{
    const dlg_part *part = &result->part;
    dlg_line line = {.used = 0};
    if (result->end == DLG_PARTLY)
        dlg_line_append(&line,
                        "partly: %s in the batch, to rounding; %s for %zu of %zu inputs of layer 0, and what accounts "
                        "for the others was not found",
                        result->n_sentences == 1 ? "this sentence was" : "each of these sentences was",
                        result->n_sentences == 1 ? "it accounts" : "they account", part->n_accounted,
                        part->n_directions);
    else if (result->end == DLG_SETTLED)
        dlg_line_append(&line, "settled: what the gradient shows of the inputs leaves no other text");
    else dlg_line_append(&line, "likely: what the gradient shows of the inputs leaves others, but few");
    dlg_line_append(&line, "; dropout was on, so that no text's gradient is the shared one");
    dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, line.text, NULL);
}
