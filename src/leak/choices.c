#include "leak/choices.h"

#include "base/memory.h"

/* Whether the candidate may stand at position t of a sentence of that length. */
static bool fits(uint32_t token, size_t t, size_t length, dlg_markers markers)
{
    if (t == 0) return token == markers.cls;
    if (t + 1 == length) return token == markers.sep;
    return token != markers.sep && token != markers.cls;
}

static bool is_crowded(const dlg_candidates *c, size_t n_sentences, const size_t *lengths)
{
    for (size_t t = 0; t < c->n_positions; t++) {
        size_t n_there = 0;
        for (size_t b = 0; b < n_sentences; b++) n_there += lengths[b] > t;
        if (c->certain[t] && c->first[t + 1] - c->first[t] > n_there) return true;
    }
    return false;
}

dlg_status dlg_choices_make(dlg_choices *out, bool *possible, const dlg_candidates *c, size_t n_sentences, const size_t *lengths,
                            dlg_markers markers, dlg_error *err)
{
    size_t n_tokens = 0;
    *out = (dlg_choices){0};
    *possible = !is_crowded(c, n_sentences, lengths);
    for (size_t b = 0; b < n_sentences; b++) {
        out->n_rows += lengths[b];
        *possible &= lengths[b] <= c->n_positions;
        for (size_t t = 0; *possible && t < lengths[b]; t++) n_tokens += c->first[t + 1] - c->first[t];
    }
    if (!*possible) return DLG_OK;
    out->first = dlg_allocate(out->n_rows + 1, sizeof *out->first);
    out->token = dlg_allocate(n_tokens + 1, sizeof *out->token);
    if (!out->first || !out->token) {
        dlg_choices_release(out);
        return dlg_fail(err, DLG_ENOMEM, "choices: no memory");
    }
    for (size_t b = 0, row = 0, n = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, row++) {
            for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
                if (fits(c->token[i], t, lengths[b], markers)) out->token[n++] = c->token[i];
            out->first[row + 1] = n;
            *possible &= n > out->first[row];
        }
    if (!*possible) dlg_choices_release(out);
    return DLG_OK;
}

void dlg_choices_release(dlg_choices *choices)
{
    dlg_free(choices->first);
    dlg_free(choices->token);
    *choices = (dlg_choices){0};
}
