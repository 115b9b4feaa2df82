/* Feeds every file of the directories given to a fuzzer, once, for compilers without libFuzzer. An empty corpus is a
 * failure. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
    dlg_file file;
    dlg_error err;
    if (dlg_file_open(&file, path, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    /* A heap copy of exactly this size, so that a sanitizer sees a read beyond the end. */
    uint8_t *copy = malloc(file.n_bytes ? file.n_bytes : 1);
    const bool copied = copy != NULL;
    if (copied) {
        if (file.n_bytes) memcpy(copy, file.bytes, file.n_bytes);
        (void)LLVMFuzzerTestOneInput(copy, file.n_bytes);
    }
    free(copy);
    dlg_file_close(&file);
    return copied;
}

/* @return how many files were replayed; 0 when one could not be read */
static size_t replay_directory(const char *directory)
{
    DIR *listing = opendir(directory);
    if (!listing) {
        fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        return 0;
    }
    size_t n = 0;
    bool readable = true;
    for (const struct dirent *entry; readable && (entry = readdir(listing));) {
        if (entry->d_name[0] == '.') continue;
        char *path = dlg_path_join(directory, entry->d_name);
        readable = path && replay_file(path);
        dlg_free(path);
        n++;
    }
    closedir(listing);
    return readable ? n : 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const size_t n = replay_directory(argv[i]);
        printf("%s: %zu inputs\n", argv[i], n);
        if (!n) return EXIT_FAILURE;
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
