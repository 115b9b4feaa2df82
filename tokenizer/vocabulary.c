#include "tokenizer/vocabulary.h"

#include "base/memory.h"
#include "tokenizer/characters.h"
#include "tokenizer/split.h"

#include <string.h>

void dlg_vocabulary_release(dlg_vocabulary *v)
{
    dlg_free(v->text);
    dlg_free(v->starts);
    dlg_free(v->slots);
    *v = (dlg_vocabulary){0};
}

static dlg_status check_piece(dlg_piece_source source, size_t id, dlg_piece_span piece, dlg_error *err)
{
    const size_t place = source.first + id;
    if (!piece.n_bytes)
        return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want a piece, found nothing", source.name, source.unit, place);
    for (size_t at = 0; at < piece.n_bytes;) {
        const unsigned char *bytes = (const unsigned char *)piece.text + at;
        uint32_t character;
        const size_t n = dlg_utf8_read(bytes, piece.n_bytes - at, &character);
        if (!n)
            return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want UTF-8, found byte 0x%02x", source.name, source.unit,
                            place, bytes[0]);
        if (character < 0x20)
            return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want text, found control character 0x%02x", source.name,
                            source.unit, place, bytes[0]);
        at += n;
    }
    return DLG_OK;
}

/* Enter piece `id`, which stands in v->text already. */
static dlg_status enter(dlg_vocabulary *v, dlg_piece_source source, size_t id, dlg_error *err)
{
    const char *piece = v->text + v->starts[id];
    const size_t n_bytes = v->starts[id + 1] - v->starts[id] - 1;
    uint32_t hash = DLG_PIECE_HASH_START;
    for (size_t i = 0; i < n_bytes; i++) hash = dlg_piece_hash(hash, (unsigned char)piece[i]);
    size_t at = dlg_piece_slot_of(v, hash);
    for (; v->slots[at].id_plus_one; at = (at + 1) & v->slot_mask) {
        const size_t other = v->slots[at].id_plus_one - 1;
        if (v->slots[at].hash == hash && !strcmp(v->text + v->starts[other], piece))
            return dlg_fail(err, DLG_EFORMAT, "%s: %s %zu: want a new piece, found \"%.60s\" as in %s %zu", source.name,
                            source.unit, source.first + id, piece, source.unit, source.first + other);
    }
    v->slots[at] = (dlg_piece_slot){hash, (uint32_t)id + 1};
    return DLG_OK;
}

static dlg_status find_special_tokens(dlg_vocabulary *v, const char *name, dlg_error *err)
{
    dlg_token *const places[DLG_N_SPECIAL] = {&v->special.pad, &v->special.unknown, &v->special.begin, &v->special.end,
                                              &v->special.mask};
    for (size_t i = 0; i < DLG_N_SPECIAL; i++)
        if (!dlg_vocabulary_find(v, dlg_special_spelling[i], places[i]))
            return dlg_fail(err, DLG_EFORMAT, "%s: want the special token %s, found none in %zu pieces", name,
                            dlg_special_spelling[i], v->n_pieces);
    return DLG_OK;
}

dlg_status dlg_vocabulary_build(dlg_vocabulary *out, dlg_piece_source source, const dlg_piece_span *pieces,
                                size_t n_pieces, dlg_error *err)
{
    dlg_vocabulary v = {.n_pieces = n_pieces};
    dlg_status status = DLG_OK;
    *out = (dlg_vocabulary){0};
    if (!n_pieces || n_pieces > DLG_MAX_PIECES)
        return dlg_fail(err, DLG_EFORMAT, "%s: want 1 to %zu pieces, found %zu", source.name, DLG_MAX_PIECES, n_pieces);

    size_t n_bytes = 0, n_slots = 16;
    for (size_t id = 0; id < n_pieces; id++) {
        status = check_piece(source, id, pieces[id], err);
        if (status) return status;
        if (pieces[id].n_bytes > v.longest_bytes) v.longest_bytes = pieces[id].n_bytes;
        n_bytes += pieces[id].n_bytes + 1; /* the pieces lie in memory, so this sum cannot overflow */
    }
    while (n_slots < 2 * n_pieces) n_slots *= 2;

    v.text = dlg_allocate(n_bytes, 1);
    v.starts = dlg_allocate(n_pieces + 1, sizeof *v.starts);
    v.slots = dlg_allocate(n_slots, sizeof *v.slots);
    v.slot_mask = n_slots - 1;
    if (!v.text || !v.starts || !v.slots) {
        status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu pieces", source.name, n_pieces);
        goto out;
    }
    for (size_t id = 0; id < n_pieces; id++) {
        memcpy(v.text + v.starts[id], pieces[id].text, pieces[id].n_bytes);
        v.starts[id + 1] = v.starts[id] + pieces[id].n_bytes + 1;
        status = enter(&v, source, id, err);
        if (status) goto out;
    }
    status = find_special_tokens(&v, source.name, err);
out:
    if (status) dlg_vocabulary_release(&v);
    *out = v;
    return status;
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
    size_t n_lines = 0;
    dlg_piece_span line;
    *out = (dlg_vocabulary){0};
    for (size_t at = 0; next_line(bytes, n_bytes, &at, &line) && n_lines <= DLG_MAX_PIECES;) n_lines++;
    dlg_piece_span *lines = dlg_allocate(n_lines, sizeof *lines);
    if (!lines) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu lines", name, n_lines);
    for (size_t at = 0, i = 0; i < n_lines && next_line(bytes, n_bytes, &at, &lines[i]);) i++;
    const dlg_status status = dlg_vocabulary_build(out, (dlg_piece_source){name, "line", 1}, lines, n_lines, err);
    dlg_free(lines);
    return status;
}
