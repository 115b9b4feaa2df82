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

/* Add what was edited, unless some position cannot hold its token. */
static void add(dlg_edits *e, size_t length)
{
    const dlg_candidates *c = e->candidates;
    const size_t k = length - e->length[0];
    size_t *index = e->index[k] + e->n[k] * length;
    if (length > c->n_positions) return;
    for (size_t t = 0; t < length; t++) {
        size_t i = c->first[t];
        while (i < c->first[t + 1] && c->token[i] != e->edited[t]) i++;
        if (i == c->first[t + 1]) return;
        index[t] = i;
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

static bool is_inner(const dlg_edits *e, uint32_t token)
{
    return token != e->special.begin && token != e->special.end;
}

static void replace_and_insert(dlg_edits *e, size_t length, size_t t)
{
    const dlg_candidates *c = e->candidates;
    for (size_t i = c->first[t]; i < c->first[t + 1]; i++) {
        if (!is_inner(e, c->token[i])) continue;
        if (t + 1 < length && c->token[i] != e->text[t]) {
            copy(e, length);
            e->edited[t] = c->token[i];
            add(e, length);
        }
        copy(e, length);
        insert(e->edited, length, t, c->token[i]);
        add(e, length + 1);
    }
}

static void move_and_swap(dlg_edits *e, size_t length, size_t t)
{
    for (size_t u = 1; u + 1 < length; u++) {
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

void dlg_edits_make(dlg_edits *e, size_t length, const size_t *index)
{
    for (size_t k = 0; k < 3; k++) {
        e->n[k] = 0;
        e->length[k] = length - 1 + k;
    }
    for (size_t t = 0; t < length; t++) e->text[t] = e->candidates->token[index[t]];
    for (size_t t = 1; t < length; t++) {
        replace_and_insert(e, length, t);
        if (t + 1 == length) continue;
        copy(e, length);
        leave_out(e->edited, length, t);
        add(e, length - 1);
        move_and_swap(e, length, t);
    }
}
