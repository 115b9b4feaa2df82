#include "tokenizer/added.h"

#include "base/memory.h"

#include <string.h>

const char *const dlg_special_spelling[DLG_N_SPECIAL] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

dlg_status dlg_added_put(dlg_added *added, const char *name, const char *spelling, dlg_added_token token,
                         dlg_error *err)
{
    const dlg_piece_source source = {.name = name, .unit = "added token", .allows_controls = true};
    const size_t n = added->spellings.n_pieces;
    dlg_token i;
    if (dlg_vocabulary_find(&added->spellings, spelling, &i)) {
        dlg_added_token *known = &added->items[i];
        if (known->has_id && token.has_id && known->id != token.id)
            return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: want one id, found %u and %u", name, spelling,
                            known->id, token.id);
        if (token.has_id) known->id = token.id;
        known->has_id |= token.has_id;
        return DLG_OK;
    }
    if (n == added->capacity) {
        const size_t capacity = 2 * n + 16;
        dlg_added_token *items = dlg_reallocate(added->items, n, capacity, sizeof *items);
        if (!items) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu added tokens", name, capacity);
        added->items = items;
        added->capacity = capacity;
    }
    added->items[n] = token;
    return dlg_vocabulary_add(&added->spellings, source, (dlg_piece_span){spelling, strlen(spelling)}, err);
}

void dlg_added_release(dlg_added *added)
{
    dlg_vocabulary_release(&added->spellings);
    dlg_free(added->items);
    *added = (dlg_added){0};
}

/* ---- ids ---- */

/* A token that the vocabulary has not: the piece of that id, which has no other name. */
static dlg_status name_piece(dlg_vocabulary *v, const char *name, dlg_token id, size_t n_most, const char *spelling,
                             dlg_error *err)
{
    if (id >= n_most)
        return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: want an id below %zu, found %u", name, spelling,
                        n_most, id);
    const dlg_status status = dlg_vocabulary_pad(v, name, (size_t)id + 1, err);
    if (status) return status;
    if (v->places[id].is_named)
        return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: want an id of its own, found that of \"%.60s\" (%u)",
                        name, spelling, dlg_vocabulary_piece(v, id), id);
    return dlg_vocabulary_name(v, name, id, spelling, err);
}

static dlg_status settle(dlg_added_token *token, dlg_vocabulary *v, size_t n_most, const char *name,
                         const char *spelling, dlg_error *err)
{
    dlg_token known;
    if (!dlg_vocabulary_find(v, spelling, &known)) {
        if (!token->has_id) token->id = (dlg_token)v->n_pieces;
        token->has_id = true;
        return name_piece(v, name, token->id, n_most, spelling, err);
    }
    if (token->has_id && token->id != known)
        return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: want the vocabulary's id, %u, found %u", name,
                        spelling, known, token->id);
    token->id = known;
    token->has_id = true;
    return DLG_OK;
}

/* Those that came with an id first, or one without might take it. */
static dlg_status settle_all(dlg_added *added, dlg_vocabulary *v, const char *name, dlg_error *err)
{
    const size_t n = added->spellings.n_pieces, n_most = v->n_pieces + n + DLG_MAX_UNNAMED;
    dlg_status status = DLG_OK;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < n && !status; i++)
            if (added->items[i].has_id == (round == 0))
                status = settle(&added->items[i], v, n_most, name,
                                dlg_vocabulary_piece(&added->spellings, (dlg_token)i), err);
    return status;
}

static dlg_status find_special_tokens(dlg_added *added, dlg_vocabulary *v, const char *name, dlg_error *err)
{
    dlg_token *const places[DLG_N_SPECIAL] = {&v->special.pad, &v->special.unknown, &v->special.begin, &v->special.end,
                                              &v->special.mask};
    for (size_t i = 0; i < DLG_N_SPECIAL; i++) {
        dlg_token at, id;
        dlg_added_token token = {.has_id = true};
        if (dlg_vocabulary_find(&added->spellings, dlg_special_spelling[i], &at)) id = added->items[at].id;
        else if (!dlg_vocabulary_find(v, dlg_special_spelling[i], &id))
            return dlg_fail(err, DLG_EFORMAT, "%s: want the special token %s, found none in %zu pieces", name,
                            dlg_special_spelling[i], v->n_pieces);
        *places[i] = token.id = id;
        const dlg_status status = dlg_added_put(added, name, dlg_special_spelling[i], token, err);
        if (status) return status;
    }
    return DLG_OK;
}

dlg_status dlg_added_settle(dlg_added *added, dlg_vocabulary *v, const char *name, dlg_error *err)
{
    if (!v->n_pieces) return dlg_fail(err, DLG_EFORMAT, "%s: want 1 to %zu pieces, found 0", name, DLG_MAX_PIECES);
    const dlg_status status = settle_all(added, v, name, err);
    return status ? status : find_special_tokens(added, v, name, err);
}
