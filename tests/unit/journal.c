/**
 * The journal: what was written down is recalled, torn ends are cut off, and no other run's file or answer is
 * believed.
 */
#define _XOPEN_SOURCE 700
#include "io/journal.h"

#include "base/file.h"
#include "scratch.h"
#include "scarce.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const dlg_journal_fact facts[] = {{"seed", "3"}, {"model", "0123456789abcdef"}};
enum { N_FACTS = 2, N_RECORDS = 4, RECORD_HEAD = 32 };

static dlg_status open_journal(dlg_journal **out, const char *path, bool resume, dlg_error *err)
{
    return dlg_journal_open(out, path, resume, N_FACTS, facts, err);
}

/* Record i: kind i % 2, question 100 + i, an answer of 8 + 3 i bytes in two pieces, each byte of which is i. */
static bool exchange(dlg_journal *j, size_t i, bool recall)
{
    unsigned char first[8], second[64];
    const dlg_journal_piece pieces[] = {{first, sizeof first}, {second, 3 * i}};
    memset(first, (int)i, sizeof first);
    memset(second, (int)i, sizeof second);
    if (!recall) {
        dlg_journal_add(j, i % 2, 100 + i, 2, pieces);
        return true;
    }
    memset(first, 0xff, sizeof first);
    memset(second, 0xff, 3 * i);
    if (!dlg_journal_recall(j, i % 2, 100 + i, 2, pieces)) return false;
    for (size_t k = 0; k < sizeof first; k++) assert_int_equal(first[k], i);
    for (size_t k = 0; k < 3 * i; k++) assert_int_equal(second[k], i);
    assert_int_equal(second[3 * i], i);
    return true;
}

static size_t size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/* A journal of all records. @return where each begins, and the last ends */
static const size_t *write_journal(const char *path)
{
    static size_t ends[N_RECORDS + 1];
    dlg_journal *j;
    dlg_error err;
    unlink(path);
    if (open_journal(&j, path, false, &err)) fail_msg("%s", err.message);
    ends[0] = size_of(path);
    for (size_t i = 0; i < N_RECORDS; i++) {
        assert_false(dlg_journal_is_recalling(j));
        assert_false(exchange(j, i, true));
        exchange(j, i, false);
        ends[i + 1] = size_of(path);
        assert_int_equal(ends[i + 1] - ends[i], RECORD_HEAD + 8 + 3 * i);
    }
    assert_int_equal(dlg_journal_check(j, NULL), DLG_OK);
    dlg_journal_close(j);
    return ends;
}

static void recalls_what_was_written(void **state)
{
    (void)state;
    dlg_journal *j;
    dlg_error err;
    const char *path = scratch_path("journal");
    const size_t n_bytes = write_journal(path)[N_RECORDS];
    assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
    assert_int_equal(dlg_journal_left(j, 0), 2);
    assert_int_equal(dlg_journal_left(j, 1), 2);
    for (size_t i = 0; i < N_RECORDS; i++) {
        assert_true(dlg_journal_is_recalling(j));
        assert_true(exchange(j, i, true));
    }
    assert_false(dlg_journal_is_recalling(j));
    assert_int_equal(dlg_journal_left(j, 0), 0);
    assert_false(exchange(j, N_RECORDS, true));
    assert_int_equal(size_of(path), n_bytes);
    exchange(j, N_RECORDS, false);
    dlg_journal_close(j);
    assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
    for (size_t i = 0; i <= N_RECORDS; i++) assert_true(exchange(j, i, true));
    dlg_journal_close(j);
    dlg_journal_close(NULL);
    assert_false(dlg_journal_is_recalling(NULL) || exchange(NULL, 0, true));
    exchange(NULL, 0, false);
    dlg_journal_suspend(NULL);
    assert_int_equal(dlg_journal_left(NULL, 0), 0);
    assert_int_equal(dlg_journal_check(NULL, &err), DLG_OK);
}

/* However many bytes are left: what is whole is recalled, the rest is cut off and written anew, and the file is the
 * same in the end. */
static void torn_ends_are_cut_off(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file whole, again;
    const char *path = scratch_path("whole"), *torn = scratch_path("torn");
    const size_t *ends = write_journal(path);
    assert_int_equal(dlg_file_open(&whole, path, &err), DLG_OK);
    for (size_t n = 0; n <= whole.n_bytes; n++) {
        dlg_journal *j;
        scratch_file("torn", whole.bytes, n);
        if (open_journal(&j, torn, true, &err)) fail_msg("%zu bytes: %s", n, err.message);
        size_t i = 0;
        while (exchange(j, i, true)) i++;
        assert_int_equal(i, n < ends[1] ? 0 : n < ends[2] ? 1 : n < ends[3] ? 2 : n < ends[4] ? 3 : 4);
        assert_int_equal(size_of(torn), ends[i]);
        for (; i < N_RECORDS; i++) exchange(j, i, false);
        dlg_journal_close(j);
        assert_int_equal(dlg_file_open(&again, torn, &err), DLG_OK);
        assert_int_equal(again.n_bytes, whole.n_bytes);
        assert_memory_equal(again.bytes, whole.bytes, whole.n_bytes);
        dlg_file_close(&again);
    }
    dlg_file_close(&whole);
}

/* A byte that is wrong anywhere in the records: that one and all after it are gone, nothing else. */
static void wrong_bytes_are_noticed(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file whole;
    const char *path = scratch_path("whole"), *wrong = scratch_path("wrong");
    const size_t *ends = write_journal(path);
    assert_int_equal(dlg_file_open(&whole, path, &err), DLG_OK);
    unsigned char *bytes = malloc(whole.n_bytes);
    assert_non_null(bytes);
    for (size_t at = ends[0]; at < whole.n_bytes; at++) {
        dlg_journal *j;
        memcpy(bytes, whole.bytes, whole.n_bytes);
        bytes[at] ^= 0x80;
        scratch_file("wrong", bytes, whole.n_bytes);
        assert_int_equal(open_journal(&j, wrong, true, &err), DLG_OK);
        size_t i = 0;
        while (exchange(j, i, true)) i++;
        assert_true(ends[i] <= at && at < ends[i + 1]);
        dlg_journal_close(j);
    }
    /* A record in another's place is no better. */
    memcpy(bytes, whole.bytes, ends[1]);
    memcpy(bytes + ends[1], whole.bytes + ends[2], whole.n_bytes - ends[2]);
    dlg_journal *j;
    scratch_file("wrong", bytes, whole.n_bytes - (ends[2] - ends[1]));
    assert_int_equal(open_journal(&j, wrong, true, &err), DLG_OK);
    assert_int_equal(dlg_journal_left(j, 0) + dlg_journal_left(j, 1), 1);
    dlg_journal_close(j);
    free(bytes);
    dlg_file_close(&whole);
}

static void refuse(const char *path, bool resume, dlg_status status, const char *words)
{
    dlg_journal *j = (dlg_journal *)path;
    dlg_error err;
    const struct stat none = {0};
    struct stat before = none, after = none;
    (void)stat(path, &before);
    assert_refused(open_journal(&j, path, resume, &err), status, &err, path, words);
    assert_null(j);
    (void)stat(path, &after);
    assert_int_equal(before.st_size, after.st_size);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    dlg_journal *j;
    dlg_error err;
    const char *path = scratch_path("journal");
    write_journal(path);
    refuse(path, false, DLG_EIO, "found one: resume from it");
    assert_refused(open_journal(&j, scratch_path("no/where"), true, &err), DLG_EIO, &err,
                   "/no: ", "want a folder to write where to");
    assert_null(j);
    refuse(scratch_directory(), true, DLG_EIO, "directory");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    refuse(scratch_path("pipe"), true, DLG_EIO, "want a regular file");
    refuse(scratch_text("text", "Dear diary"), true, DLG_EFORMAT, "found another file");
    refuse(scratch_text("text", "dlg-text journal 2\nseed: 3\n"), true, DLG_EFORMAT, "found another file");
    refuse(scratch_text("text", "dlg-text journal 1\nseed: 4\nmodel: 0123456789abcdef\n\n"), true, DLG_ESHAPE,
           "(seed: 3), found another's (seed: 4)");
    refuse(scratch_text("text", "dlg-text journal 1\nseed: 3\nmodel: x\n\n"), true, DLG_ESHAPE,
           "found another's (model: x)");
    refuse(scratch_text("text", "dlg-text journal 1\nseed: 3\n\n"), true, DLG_ESHAPE, "found another's ()");
    refuse(scratch_text("text", "dlg-text journal 1\nseed: 3\nmodel: 0123456789abcdef\nmore: 1\n\n"), true, DLG_ESHAPE,
           "(more: 1)");
    refuse(scratch_text("text", "dlg-text journal 1\nseed: 3x"), true, DLG_ESHAPE, "found another's (seed: 3x)");
    /* One writer at a time. */
    assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
    refuse(path, true, DLG_EIO, "found a program at it");
    dlg_journal_close(j);
    /* Nothing is left of one that cannot begin. */
    const size_t before = scratch_count();
    char *value = malloc(10000);
    assert_non_null(value);
    memset(value, 'v', 9999);
    value[9999] = 0;
    assert_refused(dlg_journal_open(&j, scratch_path("new"), false, 1, &(dlg_journal_fact){"name", value}, &err),
                   DLG_ESHAPE, &err, "/new", "found more");
    free(value);
    assert_int_equal(scratch_count(), before);
}

/* An answer is taken for no other question, kind or size; the journal ends there, and the file stays as it is. */
static void other_answers_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t kind, question;
        size_t n_bytes;
    } asked[] = {{1, 100, 8}, {0, 101, 8}, {0, 100, 7}, {0, 100, 9}};
    const char *path = scratch_path("journal");
    const size_t n_bytes = write_journal(path)[N_RECORDS];
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        dlg_journal *j;
        dlg_error err;
        unsigned char answer[9] = {1, 2, 3};
        const dlg_journal_piece piece = {answer, asked[i].n_bytes};
        assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
        assert_false(dlg_journal_recall(j, asked[i].kind, asked[i].question, 1, &piece));
        assert_memory_equal(answer, "\1\2\3", 3);
        assert_refused(dlg_journal_check(j, &err), DLG_ESHAPE, &err, "/journal", "this run's question 1 ");
        dlg_journal_add(j, asked[i].kind, asked[i].question, 1, &piece);
        assert_false(exchange(j, 0, true));
        dlg_journal_close(j);
        assert_int_equal(size_of(path), n_bytes);
    }
}

static void suspended(void **state)
{
    (void)state;
    dlg_journal *j;
    dlg_error err;
    const char *path = scratch_path("journal");
    const size_t n_bytes = write_journal(path)[N_RECORDS];
    for (size_t n = 0; n <= N_RECORDS; n += N_RECORDS) {
        assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
        for (size_t i = 0; i < n; i++) assert_true(exchange(j, i, true));
        dlg_journal_suspend(j);
        assert_false(exchange(j, n, true));
        exchange(j, n, false);
        assert_int_equal(dlg_journal_check(j, &err), DLG_OK);
        dlg_journal_close(j);
        assert_int_equal(size_of(path), n_bytes);
    }
}

/* A disk that is full is told of, and the file can be resumed. */
static void full_disk(void **state)
{
    (void)state;
    dlg_journal *j;
    dlg_error err;
    struct rlimit limit, before;
    const char *path = scratch_path("full");
    assert_int_equal(open_journal(&j, path, false, &err), DLG_OK);
    exchange(j, 0, false);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = size_of(path) + 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    exchange(j, 1, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_refused(dlg_journal_check(j, &err), DLG_EIO, &err, "/full", "File too large");
    dlg_journal_close(j);
    assert_int_equal(open_journal(&j, path, true, &err), DLG_OK);
    assert_true(exchange(j, 0, true));
    assert_false(exchange(j, 1, true));
    assert_int_equal(dlg_journal_check(j, &err), DLG_OK);
    dlg_journal_close(j);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_journal *j;
    unlink(argument);
    dlg_status status = open_journal(&j, argument, false, err);
    if (!status) exchange(j, 0, false);
    if (!status) status = dlg_journal_check(j, err);
    dlg_journal_close(j);
    return status;
}

static void out_of_memory(void **state)
{
    (void)state;
    assert_int_equal(fail_every_allocation(attempt, (void *)scratch_path("memory")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recalls_what_was_written),
        cmocka_unit_test(torn_ends_are_cut_off),
        cmocka_unit_test(wrong_bytes_are_noticed),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(other_answers_are_refused),
        cmocka_unit_test(suspended),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
