/*
 * Two passes. The first checks the text against the grammar (RFC 8259) and everything else that json.h promises,
 * without allocating; cJSON, which is more lenient and recursive, then only sees text that it must accept. What is left
 * for it to fail on is memory.
 */
#include "base/json.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/** cJSON copies a number into a buffer of this many bytes and a NUL. */
#define LONGEST_NUMBER 63

typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t n_bytes, at;
    dlg_error *err;
} scanner;

/** What stands at the scanner's place, for messages; `buffer` holds at least 16 bytes. */
static const char *found(const scanner *s, char *buffer)
{
    static const char digits[] = "0123456789abcdef";
    if (s->at >= s->n_bytes) return "the end";
    const unsigned char c = s->bytes[s->at];
    if (c > 0x20 && c < 0x7f) memcpy(buffer, (char[]){'\'', (char)c, '\'', 0}, 4);
    else memcpy(buffer, (char[]){'b', 'y', 't', 'e', ' ', '0', 'x', digits[c >> 4], digits[c & 15], 0}, 10);
    return buffer;
}

static dlg_status want(const scanner *s, const char *wanted)
{
    char buffer[16];
    return dlg_fail(s->err, DLG_EFORMAT, "%s: byte %zu: want %s, found %s", s->name, s->at, wanted, found(s, buffer));
}

static bool next_is(const scanner *s, char c)
{
    return s->at < s->n_bytes && s->bytes[s->at] == (unsigned char)c;
}

static bool take(scanner *s, char c)
{
    if (!next_is(s, c)) return false;
    s->at++;
    return true;
}

static void skip_space(scanner *s)
{
    while (next_is(s, ' ') || next_is(s, '\n') || next_is(s, '\r') || next_is(s, '\t')) s->at++;
}

/** At least one digit. @return how many there were */
static size_t take_digits(scanner *s)
{
    const size_t start = s->at;
    while (s->at < s->n_bytes && s->bytes[s->at] >= '0' && s->bytes[s->at] <= '9') s->at++;
    return s->at - start;
}

static dlg_status scan_number(scanner *s)
{
    const size_t start = s->at;
    (void)take(s, '-');
    if (!take(s, '0') && !take_digits(s)) return want(s, "a digit");
    if (take(s, '.') && !take_digits(s)) return want(s, "a digit");
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) (void)take(s, '-');
        if (!take_digits(s)) return want(s, "a digit");
    }
    if (s->at - start > LONGEST_NUMBER)
        return dlg_fail(s->err, DLG_EFORMAT, "%s: byte %zu: want a number of at most %d characters, found %zu", s->name,
                        start, LONGEST_NUMBER, s->at - start);
    return DLG_OK;
}

/** The four digits after "\u". */
static dlg_status scan_hexadecimal(scanner *s, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        const unsigned c = s->at < s->n_bytes ? s->bytes[s->at] : 0;
        if (c >= '0' && c <= '9') *out = *out * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f') *out = *out * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F') *out = *out * 16 + (c - 'A' + 10);
        else return want(s, "a hexadecimal digit");
    }
    return DLG_OK;
}

/** What follows a backslash. */
static dlg_status scan_escape(scanner *s)
{
    if (s->at < s->n_bytes && s->bytes[s->at] && strchr("\"\\/bfnrt", s->bytes[s->at])) {
        s->at++;
        return DLG_OK;
    }
    if (!take(s, 'u')) return want(s, "an escape");
    const size_t start = s->at - 2;
    unsigned unit, low;
    dlg_status status = scan_hexadecimal(s, &unit);
    if (status) return status;
    if (unit == 0) return dlg_fail(s->err, DLG_EFORMAT, "%s: byte %zu: want text, found \\u0000", s->name, start);
    if (unit < 0xd800 || unit > 0xdfff) return DLG_OK;
    if (unit < 0xdc00 && take(s, '\\') && take(s, 'u')) {
        status = scan_hexadecimal(s, &low);
        if (status) return status;
        if (low >= 0xdc00 && low <= 0xdfff) return DLG_OK;
    }
    return dlg_fail(s->err, DLG_EFORMAT, "%s: byte %zu: want a pair of surrogates, found one alone", s->name, start);
}

static dlg_status scan_string(scanner *s)
{
    if (!take(s, '"')) return want(s, "'\"'");
    for (;;) {
        if (take(s, '"')) return DLG_OK;
        if (take(s, '\\')) {
            const dlg_status status = scan_escape(s);
            if (status) return status;
        } else if (s->at >= s->n_bytes || s->bytes[s->at] < 0x20) {
            return want(s, "text or '\"'"); /* NUL and raw control characters end here */
        } else if (s->bytes[s->at] < 0x80) {
            s->at++;
        } else {
            const size_t left = s->n_bytes - s->at;
            utf8proc_int32_t code_point;
            const utf8proc_ssize_t n =
                utf8proc_iterate(s->bytes + s->at, left < 4 ? (utf8proc_ssize_t)left : 4, &code_point);
            if (n < 1) return want(s, "UTF-8");
            s->at += (size_t)n;
        }
    }
}

static dlg_status scan_value(scanner *s, size_t depth);

/** The inside of an object or array, after its bracket. */
static dlg_status scan_members(scanner *s, size_t depth, bool object)
{
    const char close = object ? '}' : ']';
    skip_space(s);
    if (take(s, close)) return DLG_OK;
    for (;;) {
        dlg_status status;
        if (object) {
            skip_space(s);
            status = scan_string(s);
            if (status) return status;
            skip_space(s);
            if (!take(s, ':')) return want(s, "':'");
        }
        status = scan_value(s, depth);
        if (status) return status;
        if (take(s, close)) return DLG_OK;
        if (!take(s, ',')) return want(s, object ? "',' or '}'" : "',' or ']'");
    }
}

/**
 * A value and the space around it. `depth` is how many brackets are open; it bounds the recursion, here and in
 * cJSON.
 */
static dlg_status scan_value(scanner *s, size_t depth)
{
    static const char *const words[] = {"true", "false", "null"};
    dlg_status status = DLG_OK;
    skip_space(s);
    if (next_is(s, '{') || next_is(s, '[')) {
        if (depth == DLG_JSON_MAX_DEPTH)
            return dlg_fail(s->err, DLG_EFORMAT, "%s: byte %zu: want nesting of at most %d, found more", s->name, s->at,
                            DLG_JSON_MAX_DEPTH);
        status = scan_members(s, depth + 1, s->bytes[s->at++] == '{');
    } else if (next_is(s, '"')) {
        status = scan_string(s);
    } else if (next_is(s, '-') || (s->at < s->n_bytes && s->bytes[s->at] >= '0' && s->bytes[s->at] <= '9')) {
        status = scan_number(s);
    } else {
        size_t n = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words && !n; i++) {
            const size_t n_word = strlen(words[i]);
            if (s->n_bytes - s->at >= n_word && !memcmp(s->bytes + s->at, words[i], n_word)) n = n_word;
        }
        if (!n) return want(s, "a value");
        s->at += n;
    }
    skip_space(s);
    return status;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** Refuse an object with a key twice, at any depth (which scan_value has bounded). */
static dlg_status check_keys(const cJSON *value, const char *name, dlg_error *err)
{
    dlg_status status = DLG_OK;
    const cJSON *item;
    size_t n = 0;
    if (cJSON_IsObject(value)) cJSON_ArrayForEach(item, value) n++;
    if (n > 1) {
        const char **keys = dlg_allocate(n, sizeof *keys);
        if (!keys) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu keys", name, n);
        size_t i = 0;
        cJSON_ArrayForEach(item, value) keys[i++] = item->string;
        qsort(keys, n, sizeof *keys, compare_keys);
        for (i = 1; i < n && !status; i++)
            if (!strcmp(keys[i - 1], keys[i]))
                status = dlg_fail(err, DLG_EFORMAT, "%s: want each key once in an object, found \"%s\" twice", name,
                                  keys[i]);
        dlg_free(keys);
    }
    cJSON_ArrayForEach(item, value)
    {
        if (!status && (cJSON_IsObject(item) || cJSON_IsArray(item))) status = check_keys(item, name, err);
    }
    return status;
}

dlg_status dlg_json_parse(cJSON **out, const char *name, const void *bytes, size_t n_bytes, dlg_error *err)
{
    scanner s = {.name = name, .bytes = bytes, .n_bytes = n_bytes, .err = err};
    *out = NULL;
    dlg_status status = scan_value(&s, 0);
    if (status) return status;
    if (s.at < n_bytes) return want(&s, "the end");

    cJSON *root = cJSON_ParseWithLength(bytes, n_bytes);
    if (!root) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for its JSON", name);
    status = check_keys(root, name, err);
    if (status) cJSON_Delete(root);
    else *out = root;
    return status;
}

dlg_status dlg_json_read(cJSON **out, const char *path, dlg_error *err)
{
    dlg_file file;
    *out = NULL;
    dlg_status status = dlg_file_open(&file, path, err);
    if (!status) status = dlg_json_parse(out, path, file.bytes, file.n_bytes, err);
    dlg_file_close(&file);
    return status;
}

bool dlg_json_whole(const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item)) return false;
    const double value = item->valuedouble;
    /* !(a && b) and not (!a || !b): a NaN must not pass. */
    if (!(value >= 0 && value <= 9007199254740992.0) || value != floor(value)) return false;
    *out = (uint64_t)value;
    return true;
}

/* ---- to text ---- */

enum { LONGEST_ESCAPE = 12 }; /* a pair of surrogates */

/* One character as it stands in a line of JSON; cJSON has escaped all of ASCII that must be. @return bytes written,
 * without a NUL */
static size_t put_character(char *out, const char *text, size_t n, int32_t character)
{
    if (character == DLG_NO_CHARACTER) return memcpy(out, "\xef\xbf\xbd", 3), 3;
    if (dlg_text_is_shown(character)) return memcpy(out, text, n), n;
    if (character < 0x10000) return (size_t)snprintf(out, LONGEST_ESCAPE + 1, "\\u%04x", (unsigned)character);
    const unsigned rest = (unsigned)character - 0x10000;
    return (size_t)snprintf(out, LONGEST_ESCAPE + 1, "\\u%04x\\u%04x", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

char *dlg_json_line(const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value), one[LONGEST_ESCAPE + 1];
    size_t n_line = 0, n, at = 0;
    if (!text) return NULL;
    for (const char *c = text; *c; c += n) {
        const int32_t character = dlg_text_next(c, &n);
        n_line += put_character(one, c, n, character);
    }
    char *line = dlg_allocate(n_line + 1 + LONGEST_ESCAPE, 1);
    for (const char *c = text; line && *c; c += n) {
        const int32_t character = dlg_text_next(c, &n);
        at += put_character(line + at, c, n, character);
    }
    if (line) line[at] = '\0';
    cJSON_free(text);
    return line;
}
