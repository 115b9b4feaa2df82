/**
 * JSON from strangers: cJSON, with what it lets pass refused: duplicate keys, deep nesting, bytes after the end, text
 * that is not UTF-8, NUL within strings, a byte order mark, and whatever else RFC 8259 does not allow. Look members up
 * with cJSON_GetObjectItemCaseSensitive (the plain one ignores case).
 */
#ifndef DLG_BASE_JSON_H
#define DLG_BASE_JSON_H

#include "base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Nesting beyond this is refused; configurations and headers need less than ten. */
#define DLG_JSON_MAX_DEPTH 64

/**
 * Parse n_bytes of JSON text. `name` (a path) starts every message. *out is NULL on failure; free with cJSON_Delete.
 * Errors: DLG_EFORMAT names the byte or the key; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_json_parse(cJSON **out, const char *name, const void *bytes, size_t n_bytes, dlg_error *);

/** The same for a file. */
DLG_MUST_USE dlg_status dlg_json_read(cJSON **out, const char *path, dlg_error *);

/**
 * A whole number in [0, 2^53]: beyond that cJSON's doubles round. @return false when the item is NULL, no number,
 * negative or not whole
 */
bool dlg_json_whole(const cJSON *item, uint64_t *out);

/**
 * A value as one line of JSON, to be freed with dlg_free; NULL when memory ran out. Strings may be any bytes: what is
 * no UTF-8 becomes U+FFFD, and what a terminal would not show (dlg_text_is_shown) is written as an escape, so that a
 * reader of the JSON has it and a terminal has not.
 */
char *dlg_json_line(const cJSON *);

#endif
