#define _POSIX_C_SOURCE 200809L
#include "library/texts.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

dlg_status dlg_texts_create(dlg_texts **out, dlg_error *err)
{
    *out = dlg_allocate(1, sizeof **out);
    return *out ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "texts: no memory");
}

/* A line's number is 0 for a text of the caller's, whose origin is its own. */
static dlg_status add(dlg_texts *texts, const char *bytes, size_t n_bytes, const char *origin, size_t line,
                      dlg_error *err)
{
    const size_t n_origin = strlen(origin) + 32;
    if (texts->n == texts->capacity) {
        const size_t capacity = 2 * texts->capacity + 8;
        dlg_text *items = dlg_reallocate(texts->items, texts->n, capacity, sizeof *items);
        if (!items) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu texts", origin, capacity);
        texts->items = items;
        texts->capacity = capacity;
    }
    dlg_text *item = &texts->items[texts->n++]; /* counted at once, so that a half-made one is released too */
    *item = (dlg_text){.bytes = dlg_allocate(n_bytes + 1, 1), .n_bytes = n_bytes, .origin = dlg_allocate(n_origin, 1)};
    if (!item->bytes || !item->origin)
        return dlg_fail(err, DLG_ENOMEM, "%s: no memory for a text of %zu bytes", origin, n_bytes);
    if (n_bytes) memcpy(item->bytes, bytes, n_bytes);
    snprintf(item->origin, n_origin, line ? "%s: line %zu" : "%s", origin, line);
    if (!n_bytes) return dlg_fail(err, DLG_EFORMAT, "%s: want text, found none", item->origin);
    const char *nul = memchr(bytes, 0, n_bytes);
    if (nul)
        return dlg_fail(err, DLG_EFORMAT, "%s: byte %zu: want text, found a NUL", item->origin, (size_t)(nul - bytes));
    return DLG_OK;
}

dlg_status dlg_texts_add(dlg_texts *texts, const char *text, dlg_error *err)
{
    char origin[32];
    snprintf(origin, sizeof origin, "text %zu", ++texts->n_arguments);
    return add(texts, text, strlen(text), origin, 0, err);
}

dlg_status dlg_texts_add_pair(dlg_texts *texts, const char *text, dlg_error *err)
{
    dlg_text *last = texts->n ? &texts->items[texts->n - 1] : NULL;
    if (!last || last->pair) return dlg_fail(err, DLG_EARG, "pair: want a text before each second one, found none");
    if (!*text) return dlg_fail(err, DLG_EFORMAT, "%s: second: want text, found none", last->origin);
    last->pair = dlg_copy_string(text);
    return last->pair ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "%s: no memory", last->origin);
}

static dlg_status add_lines(dlg_texts *texts, const char *name, const char *bytes, size_t n_bytes, dlg_error *err)
{
    dlg_status status = DLG_OK;
    if (!n_bytes) return dlg_fail(err, DLG_EFORMAT, "%s: want text, found none", name);
    for (size_t at = 0, line = 1; at < n_bytes && !status; line++) {
        const char *end = memchr(bytes + at, '\n', n_bytes - at);
        const size_t length = end ? (size_t)(end - bytes) - at : n_bytes - at;
        const size_t n = length && bytes[at + length - 1] == '\r' ? length - 1 : length;
        status = add(texts, bytes + at, n, name, line, err);
        at += length + 1;
    }
    return status;
}

static dlg_status read_standard_input(char **out, size_t *n_bytes, dlg_error *err)
{
    size_t capacity = 0;
    for (;;) {
        if (*n_bytes == capacity) {
            const size_t larger = 2 * capacity + 65536;
            char *bytes = dlg_reallocate(*out, capacity, larger, 1);
            if (!bytes) return dlg_fail(err, DLG_ENOMEM, "standard input: no memory for %zu bytes", larger);
            *out = bytes;
            capacity = larger;
        }
        const ssize_t n = read(STDIN_FILENO, *out + *n_bytes, capacity - *n_bytes);
        const dlg_status interrupted = n < 0 && errno == EINTR ? dlg_check_interrupt(err) : DLG_OK;
        if (interrupted) return interrupted;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dlg_fail(err, DLG_EIO, "standard input: %s", strerror(errno));
        if (n == 0) return DLG_OK;
        *n_bytes += (size_t)n;
    }
}

dlg_status dlg_texts_add_file(dlg_texts *texts, const char *path, dlg_error *err)
{
    dlg_status status;
    if (strcmp(path, "-") != 0) {
        dlg_file file;
        status = dlg_file_open(&file, path, err);
        if (!status) status = add_lines(texts, path, (const char *)file.bytes, file.n_bytes, err);
        dlg_file_close(&file);
    } else {
        char *bytes = NULL;
        size_t n_bytes = 0;
        status = read_standard_input(&bytes, &n_bytes, err);
        if (!status) status = add_lines(texts, "standard input", bytes, n_bytes, err);
        dlg_free(bytes);
    }
    return status;
}

void dlg_texts_free(dlg_texts *texts)
{
    for (size_t i = 0; texts && i < texts->n; i++) {
        dlg_free(texts->items[i].bytes);
        dlg_free(texts->items[i].pair);
        dlg_free(texts->items[i].origin);
    }
    if (texts) dlg_free(texts->items);
    dlg_free(texts);
}
