#include "archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

void archive_put(archive_bytes *to, const void *bytes, size_t n)
{
    assert_true(n <= sizeof to->bytes - to->n);
    if (n) memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
}

void archive_put_number(archive_bytes *to, uint64_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        const unsigned char byte = (unsigned char)(i < sizeof value ? value >> 8 * i : 0);
        archive_put(to, &byte, 1);
    }
}

static void put_text(archive_bytes *to, const char *text)
{
    archive_put(to, text, strlen(text));
}

/* ---- zip ---- */

/* What the local header and the directory's entry have in common, from the flags on. */
static void put_facts(archive *a, size_t i, bool is_zip64)
{
    archive_put_number(&a->file, 0, 2);
    archive_put_number(&a->file, a->members[i].is_deflated ? 8 : 0, 2);
    archive_put_number(&a->file, 0, 4); /* time */
    archive_put_number(&a->file, a->members[i].crc, 4);
    archive_put_number(&a->file, is_zip64 ? UINT32_MAX : a->members[i].n_stored, 4);
    archive_put_number(&a->file, is_zip64 ? UINT32_MAX : a->members[i].n_bytes, 4);
    archive_put_number(&a->file, strlen(a->members[i].name), 2);
}

static void deflate_into(archive_bytes *to, const void *bytes, size_t n)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)(size_t)bytes;
    stream.avail_in = (uInt)n;
    stream.next_out = to->bytes + to->n;
    stream.avail_out = (uInt)(sizeof to->bytes - to->n);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    to->n += stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
}

void archive_add(archive *a, const char *name, const void *bytes, size_t n, bool is_deflated)
{
    static archive_bytes stored;
    const size_t i = a->n_members++;
    assert_true(i < ARCHIVE_MEMBERS && strlen(name) < sizeof a->members->name);
    stored.n = 0;
    if (is_deflated) deflate_into(&stored, bytes, n);
    else archive_put(&stored, bytes, n);
    strcpy(a->members[i].name, name);
    a->members[i].is_deflated = is_deflated;
    a->members[i].begin = a->file.n;
    a->members[i].n_stored = stored.n;
    a->members[i].n_bytes = n;
    a->members[i].crc = (uint32_t)crc32(0, n ? bytes : (const void *)"", (uInt)n);
    put_text(&a->file, "PK\3\4");
    archive_put_number(&a->file, 20, 2);
    put_facts(a, i, false);
    archive_put_number(&a->file, 0, 2);
    put_text(&a->file, name);
    archive_put(&a->file, stored.bytes, stored.n);
}

void archive_end(archive *a, bool is_zip64)
{
    archive_bytes *f = &a->file;
    a->directory = f->n;
    for (size_t i = 0; i < a->n_members; i++) {
        put_text(f, "PK\1\2");
        archive_put_number(f, 20, 2);
        archive_put_number(f, 20, 2);
        put_facts(a, i, is_zip64);
        archive_put_number(f, is_zip64 ? 28 : 0, 2);
        archive_put_number(f, 0, 10); /* comment, disk, attributes */
        archive_put_number(f, is_zip64 ? UINT32_MAX : a->members[i].begin, 4);
        put_text(f, a->members[i].name);
        if (!is_zip64) continue;
        archive_put_number(f, 1, 2);
        archive_put_number(f, 24, 2);
        archive_put_number(f, a->members[i].n_bytes, 8);
        archive_put_number(f, a->members[i].n_stored, 8);
        archive_put_number(f, a->members[i].begin, 8);
    }
    const size_t end = f->n, n = end - a->directory;
    if (is_zip64) {
        put_text(f, "PK\6\6");
        archive_put_number(f, 44, 8);
        archive_put_number(f, 45, 2);
        archive_put_number(f, 45, 2);
        archive_put_number(f, 0, 8); /* disks */
        archive_put_number(f, a->n_members, 8);
        archive_put_number(f, a->n_members, 8);
        archive_put_number(f, n, 8);
        archive_put_number(f, a->directory, 8);
        put_text(f, "PK\6\7");
        archive_put_number(f, 0, 4);
        archive_put_number(f, end, 8);
        archive_put_number(f, 1, 4);
    }
    put_text(f, "PK\5\6");
    archive_put_number(f, 0, 4);
    archive_put_number(f, is_zip64 ? UINT16_MAX : a->n_members, 2);
    archive_put_number(f, is_zip64 ? UINT16_MAX : a->n_members, 2);
    archive_put_number(f, is_zip64 ? UINT32_MAX : n, 4);
    archive_put_number(f, is_zip64 ? UINT32_MAX : a->directory, 4);
    archive_put_number(f, 0, 2);
}

/* ---- what is in them ---- */

void archive_npy(archive_bytes *to, const char *dict, const void *numbers, size_t n)
{
    put_text(to, "\x93NUMPY\1");
    archive_put_number(to, 0, 1);
    archive_put_number(to, strlen(dict), 2);
    put_text(to, dict);
    archive_put(to, numbers, n);
}

void archive_pickle_text(archive_bytes *to, const char *text)
{
    put_text(to, "X");
    archive_put_number(to, strlen(text), 4);
    put_text(to, text);
}

static void put_sizes(archive_bytes *to, size_t n, const size_t sizes[])
{
    put_text(to, "(");
    for (size_t i = 0; i < n; i++) {
        put_text(to, "J");
        archive_put_number(to, sizes[i], 4);
    }
    put_text(to, "t");
}

void archive_pickle_view(archive_bytes *to, const archive_view *view)
{
    put_text(to, "ctorch._utils\n_rebuild_tensor_v2\n((");
    archive_pickle_text(to, "storage");
    put_text(to, "ctorch\n");
    put_text(to, view->class_name);
    put_text(to, "\n");
    archive_pickle_text(to, view->key);
    archive_pickle_text(to, "cpu");
    put_text(to, "J");
    archive_put_number(to, view->n, 4);
    put_text(to, "tQJ");
    archive_put_number(to, view->offset, 4);
    put_sizes(to, view->n_dims, view->shape);
    put_sizes(to, view->n_dims, view->strides);
    put_text(to, "\x89"
                 "ccollections\nOrderedDict\n)RtR");
}
