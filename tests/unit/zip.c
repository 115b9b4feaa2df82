/** Zip archives: what is listed and inflated, and by what name everything that one can have wrong is refused. */
#include "io/zip.h"

#include "archive.h"
#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char TEXT[] = "a text that is a text that is a text that is long enough to be deflated";
static archive good;

static void make(bool is_zip64)
{
    memset(&good, 0, sizeof good);
    archive_add(&good, "folder/", NULL, 0, false);
    archive_add(&good, "z", TEXT, sizeof TEXT, true);
    archive_add(&good, "folder/a", TEXT, sizeof TEXT, false);
    archive_add(&good, "none", NULL, 0, false);
    archive_end(&good, is_zip64);
}

/* A heap copy of exactly n bytes, so that a sanitizer sees what is read beyond. */
static dlg_status opened(dlg_zip *zip, size_t n, unsigned char **copy, dlg_error *err)
{
    *copy = malloc(n ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, good.file.bytes, n);
    return dlg_zip_open(zip, "x.zip", *copy, n, err);
}

/* Inflate or check every member. */
static dlg_status read_all(const dlg_zip *zip, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (size_t i = 0; i < zip->n_members && !status; i++) {
        const dlg_zip_member *member = &zip->members[i];
        unsigned char *out = malloc(member->n_bytes + 1);
        status = member->is_deflated ? dlg_zip_inflate(NULL, 0, out, member->n_bytes, member, "x.zip", err)
                                     : dlg_zip_check(member, "x.zip", err);
        free(out);
    }
    return status;
}

static void lists_and_inflates(void **state)
{
    (void)state;
    for (int is_zip64 = 0; is_zip64 < 2; is_zip64++) {
        dlg_zip zip;
        dlg_error err = {0};
        unsigned char *copy, head[3], rest[sizeof TEXT];
        make(is_zip64);
        if (opened(&zip, good.file.n, &copy, &err)) fail_msg("%s", err.message);
        assert_int_equal(zip.n_members, 3); /* a folder is none */
        assert_string_equal(zip.members[0].name, "folder/a");
        const dlg_zip_member *stored = dlg_zip_find(&zip, "folder/a"), *deflated = dlg_zip_find(&zip, "z");
        assert_memory_equal(stored->bytes, TEXT, sizeof TEXT);
        assert_true(deflated->is_deflated && deflated->n_bytes == sizeof TEXT && deflated->n_stored < sizeof TEXT);
        assert_int_equal(dlg_zip_inflate(head, 3, rest, sizeof TEXT - 3, deflated, "x.zip", &err), DLG_OK);
        assert_memory_equal(head, TEXT, 3);
        assert_memory_equal(rest, TEXT + 3, sizeof TEXT - 3);
        assert_int_equal(dlg_zip_inflate(head, 3, NULL, 0, deflated, "x.zip", &err), DLG_OK);
        assert_int_equal(read_all(&zip, &err), DLG_OK);
        assert_null(dlg_zip_find(&zip, "folder"));
        dlg_zip_release(&zip);
        free(copy);
    }
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (int is_zip64 = 0; is_zip64 < 2; is_zip64++) {
        make(is_zip64);
        for (size_t n = 0; n < good.file.n; n++) {
            dlg_zip zip;
            dlg_error err;
            unsigned char *copy;
            assert_refused(opened(&zip, n, &copy, &err), DLG_EFORMAT, &err, "x.zip", "cut short");
            assert_null(zip.members);
            free(copy);
        }
    }
}

/* Whatever a byte becomes, all is well or one line says what is not; a byte of what is stored is always noticed. */
static void any_byte_wrong(void **state)
{
    (void)state;
    for (int is_zip64 = 0; is_zip64 < 2; is_zip64++) {
        make(is_zip64);
        for (size_t i = 0; i < good.file.n; i++)
            for (int k = 0; k < 3; k++) {
                static const unsigned char changes[] = {1, 0x80, 0xff};
                dlg_zip zip;
                dlg_error err = {0};
                unsigned char *copy;
                good.file.bytes[i] ^= changes[k];
                dlg_status status = opened(&zip, good.file.n, &copy, &err);
                if (!status) status = read_all(&zip, &err);
                if (status) assert_refused(status, DLG_EFORMAT, &err, "x.zip: ", "");
                const size_t at = good.members[2].begin + 30 + strlen("folder/a");
                if (i >= at && i < at + sizeof TEXT) assert_int_equal(status, DLG_EFORMAT);
                good.file.bytes[i] ^= changes[k];
                dlg_zip_release(&zip);
                free(copy);
            }
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        size_t entry, at; /* of the directory, and the byte in it */
        unsigned char value;
        const char *object;
    } cases[] = {
        {0, 0, 'x', "want 2 members in the zip directory, found 0"},
        {1, 8, 1, "member \"b\": want it readable, found it encrypted"},
        {1, 10, 12, "member \"b\": want it stored or deflated, found compression method 12"},
        {1, 23, 0x7f, "member \"b\": want 4 bytes, found 2130706436 that cannot become as many"},
        {1, 42, 0, "member \"b\": want it and its 4 bytes before the directory, found no such at 0"},
        {1, 45, 0xff, "member \"b\": want it and its 4 bytes before the directory"},
        {1, 46, 'a', "member \"a\": want it and its 4 bytes"},
        {0, 46, 0, "want 2 members in the zip directory, found 0"},
        {1, 28, 0xff, "want 2 members in the zip directory, found 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const size_t entry_bytes = 47;
        dlg_zip zip;
        dlg_error err;
        unsigned char *copy;
        memset(&good, 0, sizeof good);
        archive_add(&good, "a", "1234", 4, false);
        archive_add(&good, "b", "1234", 4, false);
        archive_end(&good, false);
        good.file.bytes[good.directory + cases[i].entry * entry_bytes + cases[i].at] = cases[i].value;
        const dlg_status status = opened(&zip, good.file.n, &copy, &err);
        assert_refused(status, DLG_EFORMAT, &err, "x.zip", cases[i].object);
        free(copy);
    }
}

/* Members of which one lies within another, and two of one name. */
static void overlap_and_twice(void **state)
{
    (void)state;
    dlg_zip zip;
    dlg_error err;
    unsigned char *copy;
    static archive inner;
    memset(&good, 0, sizeof good);
    memset(&inner, 0, sizeof inner);
    archive_add(&inner, "in", "12", 2, false);
    archive_add(&good, "a", inner.file.bytes, inner.file.n, false);
    archive_add(&good, "in", "12", 2, false);
    good.members[1].begin = 31; /* within a, where there is one of that name */
    archive_end(&good, false);
    assert_refused(opened(&zip, good.file.n, &copy, &err), DLG_EFORMAT, &err, "x.zip",
                   "member \"in\": want it behind \"a\", found it within");
    free(copy);
    memset(&good, 0, sizeof good);
    archive_add(&good, "a", "1", 1, false);
    archive_add(&good, "a", "1", 1, false);
    archive_end(&good, false);
    assert_refused(opened(&zip, good.file.n, &copy, &err), DLG_EFORMAT, &err, "x.zip",
                   "member \"a\": want it once, found it twice");
    free(copy);
}

/* What a member claims to become must be possible, and must be what it becomes. */
static void claims(void **state)
{
    (void)state;
    static const struct {
        size_t n_bytes; /* as claimed */
        const char *object;
    } cases[] = {{(size_t)1 << 40, "cannot become as many"},
                 {sizeof TEXT - 1, "want bytes of checksum"},
                 {sizeof TEXT + 1, "want 73 bytes deflated, found their end after 72"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_zip zip;
        dlg_error err;
        unsigned char *copy;
        memset(&good, 0, sizeof good);
        archive_add(&good, "z", TEXT, sizeof TEXT, true);
        good.members[0].n_bytes = cases[i].n_bytes;
        archive_end(&good, true);
        dlg_status status = opened(&zip, good.file.n, &copy, &err);
        if (!status) status = read_all(&zip, &err);
        assert_refused(status, DLG_EFORMAT, &err, "member \"z\"", cases[i].object);
        dlg_zip_release(&zip);
        free(copy);
    }
}

static void out_of_memory(void **state)
{
    (void)state;
    make(false);
    for (size_t k = 1; k <= 3; k++) {
        dlg_zip zip;
        dlg_error err;
        unsigned char *copy;
        dlg_allocation_fail_from(k);
        const dlg_status status = opened(&zip, good.file.n, &copy, &err);
        dlg_allocation_fail_from(0);
        assert_refused(status, DLG_ENOMEM, &err, "x.zip", "no memory");
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_inflates), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(any_byte_wrong),     cmocka_unit_test(refused),
        cmocka_unit_test(overlap_and_twice),  cmocka_unit_test(claims),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
