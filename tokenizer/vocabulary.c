#include "tokenizer/vocabulary.h"

#include "base/memory.h"
#include "tokenizer/characters.h"

#include <stdio.h>
#include <string.h>

void dlg_vocabulary_release(dlg_vocabulary *v)
{
    dlg_free(v->text);
    dlg_free(v->places);
    dlg_free(v->slots);
    *v = (dlg_vocabulary){0};
}

const char *dlg_vocabulary_piece(const dlg_vocabulary *v, dlg_token id)
{
    return v->text + v->places[id].start;
}

static dlg_status check_piece(dlg_piece_source source, size_t id, dlg_piece_span piece, dlg_error *err)
{
    const size_t place = source.first + id;
    for (size_t at = 0; at < piece.n_bytes;) {
        const unsigned char *bytes = (const unsigned char *)piece.text + at;
        uint32_t character;
        const size_t n = dlg_utf8_read(bytes, piece.n_bytes - at, &character);
        if (!n)
            return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want UTF-8, found byte 0x%02x", source.name, source.unit,
                            place, bytes[0]);
        if (character < 0x20 && !source.allows_controls)
            return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want text, found control character 0x%02x", source.name,
                            source.unit, place, bytes[0]);
        at += n;
    }
    return DLG_OK;
}

/* ---- room ---- */

/* Slots for twice as many pieces as there may be. */
static bool make_slots(dlg_vocabulary *v, size_t n_pieces)
{
    size_t n_slots = 16;
    while (n_slots < 2 * n_pieces) n_slots *= 2;
    dlg_piece_slot *slots = dlg_allocate(n_slots, sizeof *slots);
    if (!slots) return false;
    const size_t n_old = v->slots ? v->slot_mask + 1 : 0;
    v->slot_mask = n_slots - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (!v->slots[i].id_plus_one) continue;
        size_t at = dlg_piece_slot_of(v, v->slots[i].hash);
        while (slots[at].id_plus_one) at = (at + 1) & v->slot_mask;
        slots[at] = v->slots[i];
    }
    dlg_free(v->slots);
    v->slots = slots;
    return true;
}

static bool reserve_pieces(dlg_vocabulary *v)
{
    if (v->n_pieces < v->capacity) return true;
    const size_t capacity = 2 * v->capacity + 64;
    dlg_piece_place *places = dlg_reallocate(v->places, v->capacity, capacity, sizeof *places);
    if (!places) return false;
    v->places = places;
    if (!make_slots(v, capacity)) return false;
    v->capacity = capacity;
    return true;
}

/* Pieces lie in memory that somebody has, so no sum of their lengths overflows. */
static bool append_text(dlg_vocabulary *v, dlg_piece_place *place, const char *text, size_t n_bytes)
{
    if (v->text_capacity - v->n_text < n_bytes + 1) {
        const size_t capacity = 2 * v->text_capacity + n_bytes + 1024;
        char *larger = dlg_reallocate(v->text, v->text_capacity, capacity, 1);
        if (!larger) return false;
        v->text = larger;
        v->text_capacity = capacity;
    }
    if (n_bytes) memcpy(v->text + v->n_text, text, n_bytes);
    v->text[v->n_text + n_bytes] = 0;
    place->start = v->n_text;
    place->n_bytes = (uint32_t)n_bytes;
    v->n_text += n_bytes + 1;
    return true;
}

/* ---- pieces ---- */

static bool take_name(dlg_vocabulary *v, size_t id)
{
    char name[32];
    const int n = snprintf(name, sizeof name, "[unused %zu]", id);
    v->places[id].is_named = false;
    return append_text(v, &v->places[id], name, (size_t)n);
}

/* Make piece `id`, which stands in the text, the one that is found by its spelling. */
static bool enter(dlg_vocabulary *v, size_t id)
{
    const char *piece = dlg_vocabulary_piece(v, (dlg_token)id);
    uint32_t hash = DLG_PIECE_HASH_START;
    for (size_t i = 0; i < v->places[id].n_bytes; i++) hash = dlg_piece_hash(hash, (unsigned char)piece[i]);
    size_t at = dlg_piece_slot_of(v, hash), other = id;
    for (; v->slots[at].id_plus_one; at = (at + 1) & v->slot_mask) {
        other = v->slots[at].id_plus_one - 1;
        if (v->slots[at].hash == hash && !strcmp(dlg_vocabulary_piece(v, (dlg_token)other), piece)) break;
        other = id;
    }
    v->slots[at] = (dlg_piece_slot){hash, (uint32_t)id + 1};
    return other == id || take_name(v, other);
}

static dlg_status no_memory(const dlg_vocabulary *v, const char *name, dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu pieces", name, v->n_pieces + 1);
}

dlg_status dlg_vocabulary_add(dlg_vocabulary *v, dlg_piece_source source, dlg_piece_span piece, dlg_error *err)
{
    const size_t id = v->n_pieces;
    const dlg_status status = check_piece(source, id, piece, err);
    if (status) return status;
    if (id == DLG_MAX_PIECES || piece.n_bytes >= UINT32_MAX)
        return dlg_fail(err, DLG_EFORMAT, "%s: want 1 to %zu pieces below 4 GiB, found more", source.name,
                        DLG_MAX_PIECES);
    if (!reserve_pieces(v)) return no_memory(v, source.name, err);
    v->n_pieces++;
    if (!piece.n_bytes) return take_name(v, id) ? DLG_OK : no_memory(v, source.name, err);
    v->places[id].is_named = true;
    if (!append_text(v, &v->places[id], piece.text, piece.n_bytes) || !enter(v, id))
        return no_memory(v, source.name, err);
    if (piece.n_bytes > v->longest_bytes) v->longest_bytes = piece.n_bytes;
    return DLG_OK;
}

dlg_status dlg_vocabulary_pad(dlg_vocabulary *v, const char *name, size_t n, dlg_error *err)
{
    dlg_status status = DLG_OK;
    while (!status && v->n_pieces < n)
        status = dlg_vocabulary_add(v, (dlg_piece_source){.name = name, .unit = "id"}, (dlg_piece_span){"", 0}, err);
    return status;
}

dlg_status dlg_vocabulary_name(dlg_vocabulary *v, const char *name, dlg_token id, const char *piece, dlg_error *err)
{
    v->places[id].is_named = true;
    return append_text(v, &v->places[id], piece, strlen(piece)) ? DLG_OK : no_memory(v, name, err);
}

/* The next line, without its LF or CRLF. @return false at the end; a last line need not have an end of its own */
static bool next_line(const char *text, size_t n_bytes, size_t *at, dlg_piece_span *line)
{
    if (*at >= n_bytes) return false;
    const char *start = text + *at, *end = memchr(start, '\n', n_bytes - *at);
    const size_t n = end ? (size_t)(end - start) : n_bytes - *at;
    *at += end ? n + 1 : n;
    *line = (dlg_piece_span){start, end && n && start[n - 1] == '\r' ? n - 1 : n};
    return true;
}

dlg_status dlg_vocabulary_read_lines(dlg_vocabulary *out, const char *name, const void *bytes, size_t n_bytes,
                                     dlg_error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t n_mark = sizeof mark - 1;
    const dlg_piece_source source = {.name = name, .unit = "line", .first = 1};
    dlg_status status = DLG_OK;
    dlg_piece_span line;
    *out = (dlg_vocabulary){0};
    size_t at = n_bytes >= n_mark && !memcmp(bytes, mark, n_mark) ? n_mark : 0;
    while (!status && next_line(bytes, n_bytes, &at, &line)) status = dlg_vocabulary_add(out, source, line, err);
    if (status) dlg_vocabulary_release(out);
    return status;
}
