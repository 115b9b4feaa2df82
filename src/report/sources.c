#include "report/sources.h"

#include "report/line.h"

#include <math.h>

enum { MOST_DOUBTS = 6 }; /* that are named; the rest is counted */

static void append_sources(dlg_line *line, const dlg_attack_result *result)
{
    static const struct {
        dlg_token_source source;
        const char *words;
    } kinds[] = {
        {DLG_FROM_READING, "read off"}, {DLG_FROM_DESCENT, "by descent"}, {DLG_FROM_LABEL, "put back from the labels"}};
    size_t n_kinds = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = 0;
        for (size_t i = 0; i < result->n_rows; i++) n += dlg_attack_source(&result->state, i) == kinds[k].source;
        if (n) dlg_line_append(line, "%s%zu %s", n_kinds++ ? ", " : "", n, kinds[k].words);
    }
}

/* What speaks for a token, but not against others: how near it and the next are to what was found, or how many fit. */
static void append_doubt(dlg_line *line, const dlg_subject *subject, const dlg_attack_result *result, size_t sentence,
                         size_t row)
{
    const dlg_evidence *e = &result->state.evidence[row];
    const char *piece = dlg_tokenizer_piece(subject->tokenizer, result->state.tokens[row]);
    dlg_line_append(line, "%s at %zu", piece ? piece : "[UNK]", row - result->first[sentence]);
    if (result->n_sentences > 1) dlg_line_append(line, " of sentence %zu", sentence + 1);
    if (e->n_twins > 1) dlg_line_append(line, " (one of %zu with this embedding)", e->n_twins);
    else if (isfinite(e->lead)) dlg_line_append(line, " (others explain as much)");
    else if (e->source == DLG_FROM_DESCENT && isfinite(e->margin))
        dlg_line_append(line, " (cosine %.2f, next %.2f)", e->cosine, e->cosine - e->margin);
    else if (e->n_choices) dlg_line_append(line, " (one of %zu that fit)", e->n_choices);
    else dlg_line_append(line, e->source == DLG_FROM_DESCENT ? " (the best of those tried)" : " (none fits)");
}

static size_t count(const dlg_attack_result *result, dlg_confidence sure)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_rows; i++) n += dlg_attack_confidence(result, i) == sure;
    return n;
}

static void append_doubts(dlg_line *line, const dlg_subject *subject, const dlg_attack_result *result)
{
    const size_t n_doubts = count(result, DLG_GUESSED);
    size_t n_named = 0;
    for (size_t b = 0; b < result->n_sentences; b++)
        for (size_t i = result->first[b]; i < result->first[b + 1] && n_named < MOST_DOUBTS; i++) {
            if (dlg_attack_confidence(result, i) != DLG_GUESSED) continue;
            dlg_line_append(line, n_named++ ? ", " : ", in doubt: ");
            append_doubt(line, subject, result, b, i);
        }
    if (n_doubts > n_named) dlg_line_append(line, " and %zu more", n_doubts - n_named);
}

static void append_certain(dlg_line *line, const dlg_subject *subject, const dlg_attack_result *result)
{
    const size_t n_unseen = count(result, DLG_UNSEEN);
    if (count(result, DLG_GUESSED)) dlg_line_append(line, "%zu certain", count(result, DLG_CERTAIN));
    else dlg_line_append(line, "all certain");
    if (n_unseen) dlg_line_append(line, ", but for what stood behind %zu mask%s", n_unseen, n_unseen == 1 ? "" : "s");
    append_doubts(line, subject, result);
}

void dlg_sources_print(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    dlg_line line = {.used = 0};
    dlg_line_append(&line, "tokens: ");
    append_sources(&line, result);
    dlg_line_append(&line, "; ");
    if (result->end == DLG_SETTLED || result->end == DLG_LIKELY_TEXT) {
        dlg_line_append(&line, "%zu likely", count(result, DLG_LIKELY));
        append_doubts(&line, subject, result);
    } else if (result->end == DLG_EXPLAINED || result->end == DLG_PARTLY) {
        append_certain(&line, subject, result);
    } else {
        dlg_line_append(&line, "all guesses");
    }
    dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, line.text, NULL);
}
