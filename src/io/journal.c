#define _DEFAULT_SOURCE /* flock */
#define _POSIX_C_SOURCE 200809L
#include "io/journal.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char beginning[] = "dlg-text journal 1\n";

enum { LONGEST_HEADER = 8192, LONGEST_SHOWN = 100 };

typedef struct {
    uint64_t kind, question, n_bytes, checksum;
} record;

struct dlg_journal {
    char *path;
    int fd;            /* for appending; locked */
    dlg_file file;     /* as it was found, for recalling */
    size_t next, end;  /* in it: the next record, and where the last good one ends */
    uint64_t checksum; /* of the records recalled or written so far */
    size_t n_recalled;
    unsigned char *block; /* (capacity) a record being written */
    size_t capacity;
    bool suspended;
    dlg_error failure;
};

/* ---- the header ---- */

/* @return its length; 0 when it does not fit */
static size_t make_header(char header[LONGEST_HEADER], size_t n_facts, const dlg_journal_fact facts[])
{
    size_t n = (size_t)snprintf(header, LONGEST_HEADER, "%s", beginning);
    for (size_t i = 0; i < n_facts && n < LONGEST_HEADER; i++) {
        assert(!strchr(facts[i].name, '\n') && !strchr(facts[i].value, '\n'));
        n += (size_t)snprintf(header + n, LONGEST_HEADER - n, "%s: %s\n", facts[i].name, facts[i].value);
    }
    if (n + 1 >= LONGEST_HEADER) return 0;
    header[n++] = '\n';
    return n;
}

static size_t line_length(const char *text, size_t n)
{
    const char *end = n ? memchr(text, '\n', n) : NULL;
    return end ? (size_t)(end - text) : n;
}

static int shown(size_t length)
{
    return (int)(length < LONGEST_SHOWN ? length : LONGEST_SHOWN);
}

/* Why a file that does not begin with this run's header is refused. */
static dlg_status refuse(const char *path, const dlg_file *file, const char *header, size_t n_header, dlg_error *err)
{
    const char *found = (const char *)file->bytes;
    size_t n_found = file->n_bytes;
    if (n_found < sizeof beginning - 1 || memcmp(found, beginning, sizeof beginning - 1) != 0)
        return dlg_fail(err, DLG_EFORMAT, "%s: want a journal (\"%.*s\"), found another file", path,
                        (int)sizeof beginning - 2, beginning);
    for (;;) {
        const size_t a = line_length(header, n_header), b = line_length(found, n_found);
        if (a != b || memcmp(header, found, a) != 0 || a == n_header || b == n_found)
            return dlg_fail(err, DLG_ESHAPE, "%s: want this run's journal (%.*s), found another's (%.*s)", path,
                            shown(a), header, shown(b), found);
        header += a + 1, n_header -= a + 1;
        found += b + 1, n_found -= b + 1;
    }
}

/* ---- records ---- */

static uint64_t checksum_of(const record *r, const void *answer, uint64_t before)
{
    return dlg_hash(answer, (size_t)r->n_bytes, dlg_hash(r, offsetof(record, checksum), before));
}

/* The record at `at`, whose answer follows it. @return false when there is no whole one */
static bool read_record(record *out, const dlg_file *file, size_t at, size_t end)
{
    if (end - at < sizeof *out) return false;
    memcpy(out, file->bytes + at, sizeof *out);
    return out->n_bytes <= end - at - sizeof *out;
}

/* Where the last good record ends. */
static size_t find_end(const dlg_file *file, size_t at, uint64_t before)
{
    record r;
    while (read_record(&r, file, at, file->n_bytes) &&
           r.checksum == checksum_of(&r, file->bytes + at + sizeof r, before)) {
        at += sizeof r + (size_t)r.n_bytes;
        before = r.checksum;
    }
    return at;
}

static size_t total(size_t n_pieces, const dlg_journal_piece pieces[])
{
    size_t n = 0;
    for (size_t i = 0; i < n_pieces; i++) n += pieces[i].n_bytes;
    return n;
}

/* ---- open and close ---- */

static dlg_status write_all(const char *path, int fd, const void *bytes, size_t n_bytes, dlg_error *err)
{
    for (const unsigned char *next = bytes; n_bytes;) {
        const ssize_t n = write(fd, next, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dlg_fail(err, DLG_EIO, "%s: %s", path, strerror(errno));
        next += n;
        n_bytes -= (size_t)n;
    }
    return DLG_OK;
}

static dlg_status open_file(dlg_journal *j, bool resume, bool *created, dlg_error *err)
{
    /* O_NONBLOCK: a pipe in a file's place must be refused, not waited for. */
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK;
    struct stat info;
    j->fd = open(j->path, flags);
    if (j->fd < 0 && errno == ENOENT) {
        j->fd = open(j->path, flags | O_CREAT | O_EXCL, 0666);
        *created = j->fd >= 0;
    } else if (j->fd >= 0 && !resume) {
        return dlg_fail(err, DLG_EIO, "%s: want no file of that name, found one: resume from it, or remove it",
                        j->path);
    }
    if (j->fd < 0 || fstat(j->fd, &info)) return dlg_file_cannot_create(j->path, err);
    if (!S_ISREG(info.st_mode))
        return dlg_fail(err, DLG_EIO, "%s: want a regular file, found a device, pipe or socket", j->path);
    /* Where the file system knows no locks there is none. */
    if (flock(j->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return dlg_fail(err, DLG_EIO, "%s: want a journal that nobody else is writing, found a program at it", j->path);
    return dlg_file_open(&j->file, j->path, err);
}

/* The file is this run's: find where it goes on, or begin it. */
static dlg_status find_place(dlg_journal *j, const char *header, size_t n_header, dlg_error *err)
{
    const dlg_file *file = &j->file;
    const size_t common = file->n_bytes < n_header ? file->n_bytes : n_header;
    if (common && memcmp(file->bytes, header, common) != 0) return refuse(j->path, file, header, n_header, err);
    j->checksum = dlg_hash(header, n_header, 0);
    j->next = j->end = common < n_header ? 0 : find_end(file, n_header, j->checksum);
    if (ftruncate(j->fd, (off_t)j->end)) return dlg_fail(err, DLG_EIO, "%s: %s", j->path, strerror(errno));
    if (!j->end) return write_all(j->path, j->fd, header, n_header, err);
    j->next = n_header;
    return DLG_OK;
}

dlg_status dlg_journal_open(dlg_journal **out, const char *path, bool resume, size_t n_facts,
                            const dlg_journal_fact facts[], dlg_error *err)
{
    char header[LONGEST_HEADER];
    bool created = false;
    *out = NULL;
    const size_t n_header = make_header(header, n_facts, facts);
    if (!n_header)
        return dlg_fail(err, DLG_ESHAPE, "%s: want at most %d bytes about the run, found more", path, LONGEST_HEADER);
    dlg_journal *j = dlg_allocate(1, sizeof *j);
    if (!j) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    j->fd = -1;
    j->path = dlg_copy_string(path);
    dlg_status status =
        j->path ? open_file(j, resume, &created, err) : dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    if (!status) status = find_place(j, header, n_header, err);
    if (status && created) unlink(path);
    if (status) dlg_journal_close(j);
    else *out = j;
    return status;
}

void dlg_journal_close(dlg_journal *j)
{
    if (!j) return;
    dlg_file_close(&j->file);
    if (j->fd >= 0) close(j->fd);
    dlg_free(j->path);
    dlg_free(j->block);
    dlg_free(j);
}

/* ---- recall and write ---- */

static bool is_idle(const dlg_journal *j)
{
    return !j || j->suspended || j->failure.status;
}

bool dlg_journal_is_recalling(const dlg_journal *j)
{
    return !is_idle(j) && j->next < j->end;
}

size_t dlg_journal_left(const dlg_journal *j, uint64_t kind)
{
    size_t n = 0;
    record r;
    for (size_t at = j ? j->next : 0; j && at < j->end && read_record(&r, &j->file, at, j->end);
         at += sizeof r + (size_t)r.n_bytes)
        n += r.kind == kind;
    return n;
}

bool dlg_journal_recall(dlg_journal *j, uint64_t kind, uint64_t question, size_t n_pieces,
                        const dlg_journal_piece pieces[])
{
    record r = {0};
    if (!dlg_journal_is_recalling(j)) return false;
    const bool is_whole = read_record(&r, &j->file, j->next, j->end);
    assert(is_whole); /* find_end saw it */
    if (!is_whole || r.kind != kind || r.question != question || r.n_bytes != total(n_pieces, pieces)) {
        (void)dlg_fail(&j->failure, DLG_ESHAPE,
                       "%s: want the answer to this run's question %zu (kind %llu, %zu bytes), found another "
                       "question's (kind %llu, %llu "
                       "bytes)",
                       j->path, j->n_recalled + 1, (unsigned long long)kind, total(n_pieces, pieces),
                       (unsigned long long)r.kind, (unsigned long long)r.n_bytes);
        return false;
    }
    const unsigned char *from = j->file.bytes + j->next + sizeof r;
    for (size_t i = 0; i < n_pieces; from += pieces[i++].n_bytes)
        if (pieces[i].n_bytes) memcpy(pieces[i].bytes, from, pieces[i].n_bytes);
    j->next += sizeof r + (size_t)r.n_bytes;
    j->checksum = r.checksum;
    j->n_recalled++;
    if (j->next == j->end) dlg_file_close(&j->file);
    return true;
}

static bool reserve(dlg_journal *j, size_t n_bytes)
{
    if (n_bytes <= j->capacity) return true;
    unsigned char *block = dlg_reallocate(j->block, j->capacity, n_bytes, 1);
    if (!block) return false;
    j->block = block;
    j->capacity = n_bytes;
    return true;
}

void dlg_journal_add(dlg_journal *j, uint64_t kind, uint64_t question, size_t n_pieces,
                     const dlg_journal_piece pieces[])
{
    if (is_idle(j)) return;
    assert(j->next == j->end);
    record r = {kind, question, total(n_pieces, pieces), 0};
    if (!reserve(j, sizeof r + (size_t)r.n_bytes)) {
        (void)dlg_fail(&j->failure, DLG_ENOMEM, "%s: no memory", j->path);
        return;
    }
    unsigned char *to = j->block + sizeof r;
    for (size_t i = 0; i < n_pieces; to += pieces[i++].n_bytes)
        if (pieces[i].n_bytes) memcpy(to, pieces[i].bytes, pieces[i].n_bytes);
    r.checksum = checksum_of(&r, j->block + sizeof r, j->checksum);
    memcpy(j->block, &r, sizeof r);
    if (!write_all(j->path, j->fd, j->block, sizeof r + (size_t)r.n_bytes, &j->failure)) j->checksum = r.checksum;
}

void dlg_journal_suspend(dlg_journal *j)
{
    if (j) j->suspended = true;
}

dlg_status dlg_journal_check(const dlg_journal *j, dlg_error *err)
{
    if (!j || !j->failure.status) return DLG_OK;
    return dlg_fail(err, j->failure.status, "%s", j->failure.message);
}
