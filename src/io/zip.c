#include "io/zip.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56, ENTRY_BYTES = 46, LOCAL_BYTES = 30, COMMENT_MAX = 65535 };

/** The archive while it is listed. */
typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t n_bytes;
    uint64_t directory, n_directory, n_entries; /* where the directory lies, and how many members it says it has */
    dlg_error *err;
} archive;

/** A member's part of the archive, with the header before it. */
typedef struct {
    size_t begin, end, member;
} span;

static uint64_t number(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0) value = value << 8 | bytes[n];
    return value;
}

static bool is_at(const archive *a, size_t at, const char *signature)
{
    return a->n_bytes >= 4 && at <= a->n_bytes - 4 && !memcmp(a->bytes + at, signature, 4);
}

/* ---- where the directory is ---- */

/* The record at the very end, but for a comment that has no more bytes than it says. */
static bool find_end(const archive *a, size_t *end)
{
    for (size_t n = 0; n <= COMMENT_MAX && n + END_BYTES <= a->n_bytes; n++) {
        *end = a->n_bytes - END_BYTES - n;
        if (is_at(a, *end, "PK\5\6") && number(a->bytes + *end + 20, 2) == n) return true;
    }
    return false;
}

static dlg_status read_end64(archive *a, size_t end)
{
    const unsigned char *locator = a->bytes + end - LOCATOR_BYTES;
    const uint64_t at = number(locator + 8, 8);
    if (number(locator + 4, 4) || number(locator + 16, 4) > 1 || at > end - LOCATOR_BYTES ||
        END64_BYTES > end - LOCATOR_BYTES - at || !is_at(a, (size_t)at, "PK\6\6"))
        return dlg_fail(a->err, DLG_EFORMAT, "%s: want the end of a zip64 archive in one part, found none at %" PRIu64,
                        a->name, at);
    const unsigned char *record = a->bytes + at;
    a->n_entries = number(record + 32, 8);
    a->n_directory = number(record + 40, 8);
    a->directory = number(record + 48, 8);
    return DLG_OK;
}

static dlg_status find_directory(archive *a)
{
    size_t end;
    if (!find_end(a, &end))
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: want a zip archive's directory at its end, found none: the file is cut short", a->name);
    const unsigned char *record = a->bytes + end;
    if (number(record + 4, 2) || number(record + 6, 2))
        return dlg_fail(a->err, DLG_EFORMAT, "%s: want a zip archive in one part, found one in several", a->name);
    a->n_entries = number(record + 10, 2);
    a->n_directory = number(record + 12, 4);
    a->directory = number(record + 16, 4);
    if (end >= LOCATOR_BYTES && is_at(a, end - LOCATOR_BYTES, "PK\6\7")) {
        const dlg_status status = read_end64(a, end);
        if (status) return status;
    }
    if (a->directory > end || a->n_directory > end - a->directory || a->n_entries > a->n_directory / ENTRY_BYTES)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: want a zip directory within the file's %zu bytes, found %" PRIu64 " members in %" PRIu64
                        " bytes at %" PRIu64,
                        a->name, a->n_bytes, a->n_entries, a->n_directory, a->directory);
    return DLG_OK;
}

/* ---- its members ---- */

/* Numbers that do not fit 32 bits stand in an extra field, those that do are not in it. */
static bool read_zip64(const unsigned char *extra, size_t n_extra, uint64_t *const numbers[3])
{
    for (size_t at = 0; at + 4 <= n_extra;) {
        const size_t id = (size_t)number(extra + at, 2), n = (size_t)number(extra + at + 2, 2);
        const unsigned char *field = extra + at + 4;
        if (n > n_extra - at - 4) return false;
        at += 4 + n;
        if (id != 1) continue;
        for (size_t i = 0, used = 0; i < 3; i++) {
            if (*numbers[i] != UINT32_MAX) continue;
            if (n - used < 8) return false;
            *numbers[i] = number(field + used, 8);
            used += 8;
        }
        return true;
    }
    return *numbers[0] != UINT32_MAX && *numbers[1] != UINT32_MAX && *numbers[2] != UINT32_MAX;
}

/* The bytes behind the local header, which says only how long it is. */
static dlg_status find_bytes(const archive *a, dlg_zip_member *member, span *place, uint64_t at, uint64_t n_stored)
{
    const bool is_there = at <= a->directory && LOCAL_BYTES <= a->directory - at && is_at(a, (size_t)at, "PK\3\4");
    const unsigned char *local = a->bytes + (is_there ? at : 0);
    const size_t n_name = strlen(member->name);
    const size_t n_head = is_there ? LOCAL_BYTES + (size_t)number(local + 26, 2) + (size_t)number(local + 28, 2) : 0;
    if (!is_there || n_head > a->directory - at || n_stored > a->directory - at - n_head ||
        number(local + 26, 2) != n_name || memcmp(local + LOCAL_BYTES, member->name, n_name) != 0)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: member \"%s\": want it and its %" PRIu64 " bytes before the directory, found no such at "
                        "%" PRIu64,
                        a->name, member->name, n_stored, at);
    member->bytes = local + n_head;
    member->n_stored = (size_t)n_stored;
    place->begin = (size_t)at;
    place->end = (size_t)(at + n_head + n_stored);
    return DLG_OK;
}

/* Deflate makes at most 1032 bytes of one. */
static bool can_become(uint64_t n_stored, uint64_t n_bytes)
{
    return n_bytes / 1032 <= n_stored;
}

static dlg_status read_entry(const archive *a, dlg_zip_member *member, span *place, const unsigned char *entry)
{
    const size_t n_name = (size_t)number(entry + 28, 2), n_extra = (size_t)number(entry + 30, 2);
    const uint64_t flags = number(entry + 8, 2), method = number(entry + 10, 2);
    uint64_t n_stored = number(entry + 20, 4), n_bytes = number(entry + 24, 4), at = number(entry + 42, 4);
    uint64_t *const numbers[] = {&n_bytes, &n_stored, &at}; /* in the order of the extra field */
    if (flags & 1)
        return dlg_fail(a->err, DLG_EFORMAT, "%s: member \"%s\": want it readable, found it encrypted", a->name,
                        member->name);
    if (method != 0 && method != 8)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: member \"%s\": want it stored or deflated, found compression method %" PRIu64, a->name,
                        member->name, method);
    if (!read_zip64(entry + ENTRY_BYTES + n_name, n_extra, numbers))
        return dlg_fail(a->err, DLG_EFORMAT, "%s: member \"%s\": want its sizes in a zip64 field, found none", a->name,
                        member->name);
    member->is_deflated = method == 8;
    member->crc = (uint32_t)number(entry + 16, 4);
    if (member->is_deflated ? !can_become(n_stored, n_bytes) : n_stored != n_bytes)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: member \"%s\": want %" PRIu64 " bytes, found %" PRIu64 " that cannot become as many",
                        a->name, member->name, n_bytes, n_stored);
    member->n_bytes = (size_t)n_bytes;
    return find_bytes(a, member, place, at, n_stored);
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const dlg_zip_member *)a)->name, ((const dlg_zip_member *)b)->name);
}

static int compare_spans(const void *a, const void *b)
{
    const span *one = a, *other = b;
    return (one->begin > other->begin) - (one->begin < other->begin);
}

static dlg_status check_apart(const archive *a, const dlg_zip *zip, span *places, size_t n)
{
    qsort(places, n, sizeof *places, compare_spans);
    for (size_t i = 1; i < n; i++)
        if (places[i].begin < places[i - 1].end)
            return dlg_fail(a->err, DLG_EFORMAT, "%s: member \"%s\": want it behind \"%s\", found it within", a->name,
                            zip->members[places[i].member].name, zip->members[places[i - 1].member].name);
    return DLG_OK;
}

/* All entries of the directory, one behind the other. */
static dlg_status read_entries(const archive *a, dlg_zip *zip, span *places)
{
    const unsigned char *entry = a->bytes + a->directory, *end = entry + a->n_directory;
    char *names = zip->names;
    for (uint64_t i = 0; i < a->n_entries; i++) {
        const size_t left = (size_t)(end - entry);
        const bool is_entry = left >= ENTRY_BYTES && !memcmp(entry, "PK\1\2", 4);
        const size_t n_name = is_entry ? (size_t)number(entry + 28, 2) : 0;
        const size_t n =
            is_entry ? ENTRY_BYTES + n_name + (size_t)number(entry + 30, 2) + (size_t)number(entry + 32, 2) : 0;
        const unsigned char *name = entry + ENTRY_BYTES;
        if (!is_entry || n > left || !n_name || memchr(name, 0, n_name))
            return dlg_fail(a->err, DLG_EFORMAT, "%s: want %" PRIu64 " members in the zip directory, found %" PRIu64,
                            a->name, a->n_entries, i);
        dlg_zip_member *member = &zip->members[zip->n_members];
        member->name = memcpy(names, name, n_name);
        const dlg_status status = read_entry(a, member, &places[zip->n_members], entry);
        if (status) return status;
        places[zip->n_members].member = zip->n_members;
        if (name[n_name - 1] != '/') zip->n_members++, names += n_name + 1;
        else memset(names, 0, n_name);
        entry += n;
    }
    return DLG_OK;
}

dlg_status dlg_zip_open(dlg_zip *out, const char *name, const unsigned char *bytes, size_t n_bytes, dlg_error *err)
{
    archive a = {.name = name, .bytes = bytes, .n_bytes = n_bytes, .err = err};
    span *places = NULL;
    *out = (dlg_zip){0};
    dlg_status status = find_directory(&a);
    if (status) return status;
    out->members = dlg_allocate((size_t)a.n_entries, sizeof *out->members);
    out->names = dlg_allocate((size_t)a.n_directory, 1); /* an entry is longer than its name and a NUL */
    places = dlg_allocate((size_t)a.n_entries, sizeof *places);
    if (!out->members || !out->names || !places)
        status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for %" PRIu64 " members", name, a.n_entries);
    if (!status) status = read_entries(&a, out, places);
    if (!status) status = check_apart(&a, out, places, out->n_members);
    if (!status && out->n_members) qsort(out->members, out->n_members, sizeof *out->members, compare_members);
    for (size_t i = 1; !status && i < out->n_members; i++)
        if (!strcmp(out->members[i - 1].name, out->members[i].name))
            status = dlg_fail(err, DLG_EFORMAT, "%s: member \"%s\": want it once, found it twice", name,
                              out->members[i].name);
    dlg_free(places);
    if (status) dlg_zip_release(out);
    return status;
}

void dlg_zip_release(dlg_zip *zip)
{
    dlg_free(zip->members);
    dlg_free(zip->names);
    *zip = (dlg_zip){0};
}

const dlg_zip_member *dlg_zip_find(const dlg_zip *zip, const char *name)
{
    const dlg_zip_member key = {.name = name};
    return zip->n_members ? bsearch(&key, zip->members, zip->n_members, sizeof key, compare_members) : NULL;
}
