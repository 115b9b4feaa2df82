/** Files: mapped, refused by name, written whole or not at all. */
#define _XOPEN_SOURCE 700
#include "base/file.h"

#include "base/memory.h"
#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void maps(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file file;
    assert_int_equal(dlg_file_open(&file, scratch_text("text", "abc"), &err), DLG_OK);
    assert_int_equal(file.n_bytes, 3);
    assert_memory_equal(file.bytes, "abc", 3);
    dlg_file_close(&file);
    assert_null(file.bytes);
    dlg_file_close(&file);
    assert_int_equal(dlg_file_open(&file, scratch_text("empty", ""), &err), DLG_OK);
    assert_true(file.bytes == NULL && file.n_bytes == 0);
    dlg_file_close(&file);
}

/* The bytes stay what they are, the file's and others'. */
static void rests(void **state)
{
    (void)state;
    enum { PAGES = 5, PAGE = 4096, N = PAGES * PAGE + 100 };
    static char text[N + 1], others[3 * PAGE];
    dlg_file file;
    memset(text, 'x', N);
    memset(others, 'y', sizeof others);
    assert_int_equal(dlg_file_open(&file, scratch_text("pages", text), NULL), DLG_OK);
    dlg_file_rest(&file, file.bytes, file.n_bytes);
    assert_memory_equal(file.bytes, text, N);
    dlg_file_rest(&file, file.bytes + 10, 3 * PAGE);
    dlg_file_rest(&file, file.bytes + N - 50, 50);
    assert_memory_equal(file.bytes, text, N);
    dlg_file_rest(&file, others, sizeof others);
    for (size_t i = 0; i < sizeof others; i++) assert_int_equal(others[i], 'y');
    dlg_file_close(&file);
    dlg_file_rest(&file, others, sizeof others);
    for (size_t i = 0; i < sizeof others; i++) assert_int_equal(others[i], 'y');
}

static void refused(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file file = {(const unsigned char *)"", 1};
    assert_refused(dlg_file_open(&file, scratch_path("none"), &err), DLG_EIO, &err, "/none", "No such file");
    assert_true(file.bytes == NULL && file.n_bytes == 0);
    assert_refused(dlg_file_open(&file, scratch_directory(), &err), DLG_EIO, &err, scratch_directory(),
                   "found a directory");
    assert_refused(dlg_file_open(&file, "/dev/null", &err), DLG_EIO, &err, "/dev/null", "want a regular file");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_refused(dlg_file_open(&file, scratch_path("pipe"), &err), DLG_EIO, &err, "/pipe", "want a regular file");
    assert_int_equal(dlg_file_open(&file, scratch_path("none"), NULL), DLG_EIO);
}

static void written_whole_or_not_at_all(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file_writer *writer;
    dlg_file file;
    const char *path = scratch_text("target", "old");
    const size_t before = scratch_count();

    assert_int_equal(dlg_file_create(&writer, path, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "new ", 4, &err), DLG_OK);
    dlg_file_abandon(writer);
    dlg_file_abandon(NULL);
    assert_int_equal(scratch_count(), before);
    assert_int_equal(dlg_file_open(&file, path, &err), DLG_OK);
    assert_memory_equal(file.bytes, "old", 3);
    dlg_file_close(&file);

    assert_int_equal(dlg_file_create(&writer, path, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "new ", 4, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "text", 4, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    assert_int_equal(scratch_count(), before);
    assert_int_equal(dlg_file_open(&file, path, &err), DLG_OK);
    assert_int_equal(file.n_bytes, 8);
    assert_memory_equal(file.bytes, "new text", 8);
    dlg_file_close(&file);
}

/** The user's umask decides who may read what was written. */
static void permissions(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file_writer *writer;
    struct stat info;
    const char *path = scratch_path("shared");
    const mode_t mask = umask(027);
    assert_int_equal(dlg_file_create(&writer, path, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    umask(mask);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

/* A pipe gets the bytes and stays a pipe. A symbolic link stays one, and what it points to is replaced. */
static void written_through(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file_writer *writer;
    struct stat info;
    char found[8] = "";
    char *pipe = strdup(scratch_path("out")), *target = strdup(scratch_path("target")),
         *link = strdup(scratch_path("link"));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const int reader = open(pipe, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_true(dlg_file_is_written_through(pipe));
    assert_int_equal(dlg_file_create(&writer, pipe, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "bytes", 5, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    assert_int_equal(read(reader, found, sizeof found), 5);
    assert_string_equal(found, "bytes");
    close(reader);
    assert_true(!lstat(pipe, &info) && S_ISFIFO(info.st_mode));

    assert_int_equal(dlg_file_create(&writer, target, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    assert_int_equal(symlink(target, link), 0);
    assert_false(dlg_file_is_written_through(link));
    assert_int_equal(dlg_file_create(&writer, link, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "x", 1, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    assert_true(!lstat(link, &info) && S_ISLNK(info.st_mode));
    assert_true(!stat(target, &info) && info.st_size == 1);
    free(pipe);
    free(target);
    free(link);
}

/* What a signal handler is told of an address. */
static void names_what_is_mapped(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file file;
    dlg_file_writer *writer;
    const char *path = scratch_path("mapped");
    assert_int_equal(dlg_file_create(&writer, path, &err), DLG_OK);
    assert_int_equal(dlg_file_append(writer, "four", 4, &err), DLG_OK);
    assert_int_equal(dlg_file_commit(writer, &err), DLG_OK);
    assert_int_equal(dlg_file_open(&file, path, &err), DLG_OK);
    const unsigned char *bytes = file.bytes;
    assert_string_equal(dlg_file_mapped_at(bytes + 3), path);
    assert_null(dlg_file_mapped_at(bytes + 4));
    dlg_file_close(&file);
    assert_null(dlg_file_mapped_at(bytes));
}

static void cannot_write(void **state)
{
    (void)state;
    dlg_error err;
    dlg_file_writer *writer = (dlg_file_writer *)1;
    const char *path = scratch_path("no/directory");
    const size_t before = scratch_count();
    assert_refused(dlg_file_create(&writer, path, &err), DLG_EIO, &err,
                   "/no: ", "want a folder to write directory to, found none");
    assert_null(writer);
    path = scratch_path("folder");
    assert_int_equal(mkdir(path, 0700), 0);
    writer = (dlg_file_writer *)1;
    assert_refused(dlg_file_create(&writer, path, &err), DLG_EIO, &err, path, "directory");
    assert_null(writer);
    assert_int_equal(scratch_count(), before + 1);
    assert_int_equal(rmdir(path), 0);
}

static void out_of_memory(void **state)
{
    (void)state;
    const char *path = scratch_path("memory");
    const size_t before = scratch_count();
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_error err;
        dlg_file_writer *writer;
        dlg_allocation_fail_from(k);
        status = dlg_file_create(&writer, path, &err);
        dlg_allocation_fail_from(0);
        if (status) assert_refused(status, DLG_ENOMEM, &err, path, "no memory");
        if (status) assert_null(writer);
        else dlg_file_abandon(writer);
        assert_int_equal(scratch_count(), before);
    }
}

static void joins(void **state)
{
    (void)state;
    char *path = dlg_path_join("a/b", "c");
    assert_string_equal(path, "a/b/c");
    dlg_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps),
        cmocka_unit_test(rests),
        cmocka_unit_test(refused),
        cmocka_unit_test(written_whole_or_not_at_all),
        cmocka_unit_test(permissions),
        cmocka_unit_test(written_through),
        cmocka_unit_test(names_what_is_mapped),
        cmocka_unit_test(cannot_write),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
