#include "analytic/sequences/edits.h"

#include <string.h>

static void carve(dlg_edits *e)
{
    const size_t T = e->candidates->n_positions;
    for (size_t k = 0; k < 3; k++) e->index[k] = dlg_arena_carve(&e->arena, e->capacity * T, sizeof *e->index[k]);
    e->text = dlg_arena_carve(&e->arena, T + 1, sizeof *e->text);
    e->edited = dlg_arena_carve(&e->arena, T + 1, sizeof *e->edited);
}

dlg_status dlg_edits_create(dlg_edits *out, const dlg_candidates *candidates, dlg_special_tokens special,
                            dlg_error *err)
{
    const size_t T = candidates->n_positions;
    *out = (dlg_edits){.candidates = candidates, .special = special, .capacity = candidates->first[T] + 2 * T * T};
    carve(out);
    const dlg_status status = dlg_arena_reserve(&out->arena, "neighbours of a sentence", err);
    if (!status) carve(out);
    return status;
}

void dlg_edits_release(dlg_edits *e)
{
    dlg_arena_release(&e->arena);
}

/* Where the token that was edited, or padding, stands at a position; behind an end begins the second of a pair. */
static size_t index_at(const dlg_edits *e, size_t t, size_t offset, size_t length, size_t *type)
{
    const bool is_text = t >= offset && t < offset + length;
    const uint32_t token = is_text ? e->edited[t - offset] : e->special.pad;
    const size_t index = dlg_candidates_index(e->candidates, token, t, is_text ? *type : 0);
    if (token == e->special.end) *type = 1;
    return index;
}

/* Add what was edited, unless some position cannot hold its token. */
static void add(dlg_edits *e, size_t length)
{
    const dlg_candidates *c = e->candidates;
    const bool is_padded = e->special.framing & DLG_PADDED;
    const size_t k = length - e->shortest, whole = e->length[k], offset = is_padded && e->offset ? whole - length : 0;
    size_t *index = e->index[k] + e->n[k] * whole, type = 0;
    if (length > c->n_positions || length > whole) return;
    for (size_t t = 0; t < whole; t++) {
        index[t] = index_at(e, t, offset, length, &type);
        if (index[t] == c->first[t + 1]) return;
    }
    e->n[k]++;
}

static void copy(dlg_edits *e, size_t length)
{
    memcpy(e->edited, e->text, length * sizeof *e->text);
}

static void leave_out(uint32_t *text, size_t length, size_t t)
{
    memmove(text + t, text + t + 1, (length - t - 1) * sizeof *text);
}

static void insert(uint32_t *text, size_t length, size_t t, uint32_t token)
{
    memmove(text + t + 1, text + t, (length - t) * sizeof *text);
    text[t] = token;
}

/* Whether an edit may put the token into a sentence. */
static bool is_inner(const dlg_edits *e, uint32_t token)
{
    const unsigned framing = e->special.framing;
    if (framing & DLG_PADDED && token == e->special.pad) return false;
    if (token == e->special.end) return framing & (DLG_PAIRED | DLG_CUT);
    return token != e->special.begin || framing & DLG_CUT;
}

/* @param at position t of the batch's in the edited text, that much longer */
static void replace_and_insert(dlg_edits *e, size_t length, size_t t, size_t longer, size_t at)
{
    const dlg_candidates *c = e->candidates;
    for (size_t i = c->first[at]; i < c->first[at + 1]; i++) {
        if (!is_inner(e, c->token[i]) || (!longer && c->token[i] == e->text[t])) continue;
        copy(e, length);
        if (longer) insert(e->edited, length, t, c->token[i]);
        else e->edited[t] = c->token[i];
        add(e, length + longer);
    }
}

static void move_and_swap(dlg_edits *e, size_t first, size_t last, size_t length, size_t t)
{
    for (size_t u = first; u < last; u++) {
        if (u == t || e->text[t] == e->text[u]) continue;
        copy(e, length);
        leave_out(e->edited, length, t);
        insert(e->edited, length - 1, u, e->text[t]);
        add(e, length);
        if (u < t + 2) continue; /* neighbours were swapped by the move */
        copy(e, length);
        e->edited[t] = e->text[u];
        e->edited[u] = e->text[t];
        add(e, length);
    }
}

/* text := the sentence without its padding. @return how long that is */
static size_t take_text(dlg_edits *e, size_t length, const size_t *index)
{
    const dlg_candidates *c = e->candidates;
    size_t from = 0, to = length;
    const bool is_padded = e->special.framing & DLG_PADDED;
    while (is_padded && from < to && c->token[index[from]] == e->special.pad) from++;
    while (is_padded && from < to && c->token[index[to - 1]] == e->special.pad) to--;
    for (size_t t = from; t < to; t++) e->text[t - from] = c->token[index[t]];
    e->offset = from;
    return to - from;
}

void dlg_edits_make(dlg_edits *e, size_t whole, const size_t *index)
{
    const unsigned framing = e->special.framing;
    const size_t length = take_text(e, whole, index), first = framing & DLG_NO_BEGIN ? 0 : 1,
                 last = framing & DLG_NO_END ? length : length - 1;
    e->shortest = length - 1;
    for (size_t k = 0; k < 3; k++) {
        e->n[k] = 0;
        e->length[k] = framing & (DLG_PADDED | DLG_CUT) ? whole : length - 1 + k;
    }
    for (size_t t = first; t < last; t++) {
        replace_and_insert(e, length, t, 0, e->offset + t);
        replace_and_insert(e, length, t, 1, e->offset ? e->offset - 1 + t : t);
        copy(e, length);
        leave_out(e->edited, length, t);
        add(e, length - 1);
        move_and_swap(e, first, last, length, t);
    }
    if (last < length) replace_and_insert(e, length, last, 1, e->offset ? e->offset - 1 + last : last);
}
