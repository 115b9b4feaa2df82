/*
 * A journal's bytes. Whatever they are, it is opened or refused in one line; what it holds is recalled or not; what is
 * left of the file is a journal that holds as much. Once as they are, and once with a right beginning and right
 * checksums, which chance does not find.
 */
#define _POSIX_C_SOURCE 200809L
#include "io/journal.h"

#include "base/hash.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const dlg_journal_fact fact = {"seed", "3"};
static const char beginning[] = "dlg-text journal 1\nseed: 3\n\n";

typedef struct {
    uint64_t kind, question, n_bytes, checksum;
} record;

/* Give the records their checksums; a length that reaches beyond the end becomes one that does not. */
static void seal(uint8_t *bytes, size_t size)
{
    uint64_t before = dlg_hash(beginning, sizeof beginning - 1, 0);
    record r;
    while (size >= sizeof r) {
        memcpy(&r, bytes, sizeof r);
        if (r.n_bytes > size - sizeof r) r.n_bytes %= size - sizeof r + 1;
        before = r.checksum = dlg_hash(bytes + sizeof r, (size_t)r.n_bytes, dlg_hash(&r, 24, before));
        memcpy(bytes, &r, sizeof r);
        bytes += sizeof r + r.n_bytes;
        size -= sizeof r + (size_t)r.n_bytes;
    }
}

static size_t count(const dlg_journal *j)
{
    size_t n = 0;
    for (uint64_t kind = 0; kind < 4; kind++) n += dlg_journal_left(j, kind);
    return n;
}

/* Ask for `n` answers of the sizes that attacks ask for. */
static void ask(dlg_journal *j, size_t n)
{
    unsigned char answer[16] = {0};
    for (size_t i = 0; i < n; i++) {
        const dlg_journal_piece pieces[] = {{answer, 8}, {answer + 8, i % 2 ? 8 : 0}};
        if (!dlg_journal_recall(j, i % 3, i, 2, pieces)) dlg_journal_add(j, i % 3, i, 2, pieces);
    }
}

static void open_bytes(const uint8_t *data, size_t size)
{
    char path[64];
    dlg_journal *j;
    dlg_error err;
    FILE *file = tmpfile();
    if (!file) abort();
    if (size && fwrite(data, 1, size, file) != size) abort();
    if (fflush(file)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    if (dlg_journal_open(&j, path, true, 1, &fact, &err)) {
        if (j || (err.status != DLG_EFORMAT && err.status != DLG_ESHAPE) ||
            strncmp(err.message, path, strlen(path)) != 0)
            abort();
    } else {
        const size_t n = count(j);
        dlg_journal_close(j);
        if (dlg_journal_open(&j, path, true, 1, &fact, &err) || count(j) != n) abort();
        ask(j, 4);
        dlg_journal_close(j);
        if (dlg_journal_open(&j, path, true, 1, &fact, &err) || count(j) < n) abort();
        dlg_journal_close(j);
    }
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n = sizeof beginning - 1;
    open_bytes(data, size);
    uint8_t *bytes = malloc(n + size);
    if (!bytes) return 0;
    memcpy(bytes, beginning, n);
    if (size) memcpy(bytes + n, data, size);
    seal(bytes + n, size);
    open_bytes(bytes, n + size);
    free(bytes);
    return 0;
}
