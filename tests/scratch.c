#define _XOPEN_SOURCE 700
#include "scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[1024];

static void remove_directory(void)
{
    DIR *listing = opendir(directory);
    if (!listing) return;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        char path[sizeof directory + 300];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) unlink(path);
    }
    closedir(listing);
    rmdir(directory);
}

const char *scratch_directory(void)
{
    if (!*directory) {
        const char *place = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/dlg-test-XXXXXX", place ? place : "/tmp");
        assert_non_null(mkdtemp(directory));
        atexit(remove_directory);
    }
    return directory;
}

const char *scratch_path(const char *name)
{
    enum { NAMES = 32 };
    static char paths[NAMES][sizeof directory + 300];
    char path[sizeof *paths];
    snprintf(path, sizeof path, "%s/%s", scratch_directory(), name);
    size_t i = 0;
    while (i < NAMES && *paths[i] && strcmp(paths[i], path) != 0) i++;
    assert_true(i < NAMES);
    memcpy(paths[i], path, sizeof path);
    return paths[i];
}

const char *scratch_file(const char *name, const void *bytes, size_t n_bytes)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (n_bytes) assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *scratch_text(const char *name, const char *text)
{
    return scratch_file(name, text, strlen(text));
}

size_t scratch_count(void)
{
    size_t n = 0;
    DIR *listing = opendir(scratch_directory());
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));)
        n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(listing);
    return n;
}

void assert_refused(dlg_status status, dlg_status wanted, const dlg_error *err, const char *file, const char *object)
{
    const bool right = status == wanted && err->status == wanted && strstr(err->message, file) &&
                       strstr(err->message, object) && !strchr(err->message, '\n');
    if (!right)
        fail_msg("want status %d and a message with \"%s\" and \"%s\", found %d: %s", (int)wanted, file, object,
                 (int)status, err->message);
}
