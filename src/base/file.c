#define _DEFAULT_SOURCE /* madvise */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
    }
    close(fd);
    return status;
}

void dlg_file_close(dlg_file *file)
{
    if (file->bytes) munmap((void *)(size_t)file->bytes, file->n_bytes);
    *file = (dlg_file){0};
}

void dlg_file_rest(const dlg_file *file, const void *bytes, size_t n_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), mapped = (size_t)file->bytes, mapped_end = mapped + file->n_bytes;
    size_t from = (size_t)bytes, end = from + n_bytes;
    from = from < mapped ? mapped : (from + page - 1) / page * page;
    end = end < mapped_end ? end / page * page : mapped_end;
    /* Only a hint, and the mapping is read-only: nothing is lost, whatever it answers. */
    if (from < end) (void)madvise((void *)from, end - from, MADV_DONTNEED);
}

struct dlg_file_writer {
    int fd;
    char *path;      /* where it shall appear */
    char *temporary; /* where it is written */
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
    return dlg_fail(err, DLG_EIO, "%.*s: want a folder to write %s to, found none", (int)(slash - path), path, slash + 1);
}

dlg_status dlg_file_create(dlg_file_writer **out, const char *path, dlg_error *err)
{
    *out = NULL;
    dlg_file_writer *writer = dlg_allocate(1, sizeof *writer);
    if (!writer) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    writer->fd = -1;
    const size_t n = strlen(path) + sizeof ".XXXXXX";
    writer->path = dlg_copy_string(path);
    writer->temporary = dlg_allocate(n, 1);
    if (!writer->path || !writer->temporary) {
        discard(writer);
        return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    }
    snprintf(writer->temporary, n, "%s.XXXXXX", path);
    writer->fd = mkstemp(writer->temporary);
    if (writer->fd < 0) {
        const dlg_status status = dlg_file_cannot_create(path, err);
        discard(writer);
        return status;
    }
    const mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(writer->fd, 0666 & ~mask); /* mkstemp makes it private; the user's own umask decides */
    *out = writer;
    return DLG_OK;
}

dlg_status dlg_file_append(dlg_file_writer *writer, const void *bytes, size_t n_bytes, dlg_error *err)
{
    const char *next = bytes;
    while (n_bytes) {
        const ssize_t n = write(writer->fd, next, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dlg_fail(err, DLG_EIO, "%s: %s", writer->path, strerror(errno));
        next += n;
        n_bytes -= (size_t)n;
    }
    return DLG_OK;
}

dlg_status dlg_file_commit(dlg_file_writer *writer, dlg_error *err)
{
    dlg_status status = DLG_OK;
    int failed = fsync(writer->fd);
    failed |= close(writer->fd);
    writer->fd = -1;
    if (failed || rename(writer->temporary, writer->path)) {
        status = dlg_fail(err, DLG_EIO, "%s: %s", writer->path, strerror(errno));
        unlink(writer->temporary);
    }
    discard(writer);
    return status;
}

void dlg_file_abandon(dlg_file_writer *writer)
{
    if (!writer) return;
    unlink(writer->temporary);
    discard(writer);
}

char *dlg_path_join(const char *directory, const char *name)
{
    const size_t n = strlen(directory) + strlen(name) + 2;
    char *path = dlg_allocate(n, 1);
    if (path) snprintf(path, n, "%s/%s", directory, name);
    return path;
}
