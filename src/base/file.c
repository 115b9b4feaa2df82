#define _DEFAULT_SOURCE /* madvise */
#define _XOPEN_SOURCE 700
#include "base/file.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- mapped files ---- */

/* Where files are mapped, for a signal handler to look up: a slot is taken while its address is not zero. */
enum { MOST_MAPPED = 64, LONGEST_PATH = 256 };

static struct {
    atomic_uintptr_t begin;
    size_t n_bytes;
    char path[LONGEST_PATH];
} mapped[MOST_MAPPED];

static void register_map(const void *bytes, size_t n_bytes, const char *path)
{
    for (size_t i = 0; i < MOST_MAPPED; i++) {
        if (atomic_load(&mapped[i].begin)) continue;
        mapped[i].n_bytes = n_bytes;
        snprintf(mapped[i].path, sizeof mapped[i].path, "%s", path);
        dlg_text_make_shown(mapped[i].path);
        atomic_store(&mapped[i].begin, (uintptr_t)bytes);
        return;
    }
}

static void forget_map(const void *bytes)
{
    for (size_t i = 0; i < MOST_MAPPED; i++)
        if (atomic_load(&mapped[i].begin) == (uintptr_t)bytes) atomic_store(&mapped[i].begin, 0);
}

const char *dlg_file_mapped_at(const void *address)
{
    for (size_t i = 0; i < MOST_MAPPED; i++) {
        const uintptr_t begin = atomic_load(&mapped[i].begin);
        if (begin && (uintptr_t)address >= begin && (uintptr_t)address - begin < mapped[i].n_bytes)
            return mapped[i].path;
    }
    return NULL;
}

dlg_status dlg_file_open(dlg_file *out, const char *path, dlg_error *err)
{
    *out = (dlg_file){0};
    /* O_NONBLOCK: a pipe in a file's place must be refused, not waited for. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return dlg_fail(err, DLG_EIO, "%s: %s", path, strerror(errno));
    dlg_status status = DLG_OK;
    struct stat info;
    if (fstat(fd, &info)) {
        status = dlg_fail(err, DLG_EIO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = dlg_fail(err, DLG_EIO, "%s: want a regular file, found a %s", path,
                          S_ISDIR(info.st_mode) ? "directory" : "device, pipe or socket");
    } else if (info.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) status = dlg_fail(err, DLG_EIO, "%s: %s", path, strerror(errno));
        else *out = (dlg_file){bytes, (size_t)info.st_size};
        if (out->bytes) register_map(out->bytes, out->n_bytes, path);
    }
    close(fd);
    return status;
}

void dlg_file_close(dlg_file *file)
{
    if (file->bytes) {
        forget_map(file->bytes);
        munmap((void *)(size_t)file->bytes, file->n_bytes);
    }
    *file = (dlg_file){0};
}

void dlg_file_rest(const dlg_file *file, const void *bytes, size_t n_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), start = (size_t)file->bytes, start_end = start + file->n_bytes;
    size_t from = (size_t)bytes, end = from + n_bytes;
    from = from < start ? start : (from + page - 1) / page * page;
    end = end < start_end ? end / page * page : start_end;
    /* Only a hint, and the mapping is read-only: nothing is lost, whatever it answers. */
    if (from < end) (void)madvise((void *)from, end - from, MADV_DONTNEED);
}

/* ---- written files ---- */

struct dlg_file_writer {
    int fd;
    char *path;      /* where it shall appear, symbolic links followed */
    char *temporary; /* where it is written; NULL: through to what is no regular file */
};

static void discard(dlg_file_writer *writer)
{
    if (writer->fd >= 0) close(writer->fd);
    dlg_free(writer->path);
    dlg_free(writer->temporary);
    dlg_free(writer);
}

dlg_status dlg_file_cannot_create(const char *path, dlg_error *err)
{
    const int why = errno;
    const char *slash = strrchr(path, '/');
    if (why != ENOENT || !slash) return dlg_fail(err, DLG_EIO, "%s: %s", path, strerror(why));
    return dlg_fail(err, DLG_EIO, "%.*s: want a folder to write %s to, found none", (int)(slash - path), path,
                    slash + 1);
}

bool dlg_file_is_written_through(const char *path)
{
    struct stat info;
    return !stat(path, &info) && !S_ISREG(info.st_mode);
}

/* A pipe is opened when somebody reads it, which may be never. */
static dlg_status open_through(dlg_file_writer *writer, dlg_error *err)
{
    do writer->fd = open(writer->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    while (writer->fd < 0 && errno == EINTR && !dlg_is_interrupted());
    if (writer->fd >= 0) return DLG_OK;
    return errno == EINTR ? dlg_check_interrupt(err) : dlg_file_cannot_create(writer->path, err);
}

static dlg_status open_beside(dlg_file_writer *writer, dlg_error *err)
{
    const size_t n = strlen(writer->path) + sizeof ".XXXXXX";
    writer->temporary = dlg_allocate(n, 1);
    if (!writer->temporary) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", writer->path);
    snprintf(writer->temporary, n, "%s.XXXXXX", writer->path);
    writer->fd = mkstemp(writer->temporary);
    if (writer->fd < 0) return dlg_file_cannot_create(writer->path, err);
    const mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(writer->fd, 0666 & ~mask); /* mkstemp makes it private; the user's own umask decides */
    return DLG_OK;
}

dlg_status dlg_file_create(dlg_file_writer **out, const char *path, dlg_error *err)
{
    char target[PATH_MAX];
    struct stat info;
    *out = NULL;
    dlg_file_writer *writer = dlg_allocate(1, sizeof *writer);
    if (!writer) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    writer->fd = -1;
    const bool is_link = !lstat(path, &info) && S_ISLNK(info.st_mode);
    writer->path = dlg_copy_string(is_link && realpath(path, target) ? target : path);
    dlg_status status = writer->path ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    if (!status) status = dlg_file_is_written_through(path) ? open_through(writer, err) : open_beside(writer, err);
    if (status) discard(writer);
    else *out = writer;
    return status;
}

dlg_status dlg_file_append(dlg_file_writer *writer, const void *bytes, size_t n_bytes, dlg_error *err)
{
    const char *next = bytes;
    while (n_bytes) {
        const ssize_t n = write(writer->fd, next, n_bytes);
        if (n < 0 && errno == EINTR) {
            const dlg_status status = writer->temporary ? DLG_OK : dlg_check_interrupt(err);
            if (status) return status;
            continue;
        }
        if (n < 0) return dlg_fail(err, DLG_EIO, "%s: %s", writer->path, strerror(errno));
        next += n;
        n_bytes -= (size_t)n;
    }
    return DLG_OK;
}

dlg_status dlg_file_commit(dlg_file_writer *writer, dlg_error *err)
{
    dlg_status status = DLG_OK;
    int failed = writer->temporary ? fsync(writer->fd) : 0; /* a pipe cannot be flushed to a disk */
    failed |= close(writer->fd);
    writer->fd = -1;
    if (failed || (writer->temporary && rename(writer->temporary, writer->path))) {
        status = dlg_fail(err, DLG_EIO, "%s: %s", writer->path, strerror(errno));
        if (writer->temporary) unlink(writer->temporary);
    }
    discard(writer);
    return status;
}

void dlg_file_abandon(dlg_file_writer *writer)
{
    if (!writer) return;
    if (writer->temporary) unlink(writer->temporary);
    discard(writer);
}

char *dlg_path_join(const char *directory, const char *name)
{
    const size_t n = strlen(directory) + strlen(name) + 2;
    char *path = dlg_allocate(n, 1);
    if (path) snprintf(path, n, "%s/%s", directory, name);
    return path;
}
