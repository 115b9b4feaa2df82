/** Files: mapped to be read; regular ones are written whole or not at all. */
#ifndef DLG_BASE_FILE_H
#define DLG_BASE_FILE_H

#include "dlg/machine.h"

#include <stdbool.h>
#include <stddef.h>

/** A file's bytes, mapped read-only. An empty file has n_bytes 0 and bytes NULL. */
typedef struct {
    const unsigned char *bytes;
    size_t n_bytes;
} dlg_file;

/** Map a regular file (a pipe or a device is refused by name). On failure *out is empty. Close with dlg_file_close. */
DLG_MUST_USE dlg_status dlg_file_open(dlg_file *out, const char *path, dlg_error *);

/** Accepts an empty dlg_file. */
void dlg_file_close(dlg_file *);

/**
 * Give back the memory behind those of these n_bytes that are the file's, but for pages that they share with others.
 * They stay valid: what is touched again is read again. Accepts an empty dlg_file, and bytes of others.
 */
void dlg_file_rest(const dlg_file *, const void *bytes, size_t n_bytes);

/**
 * Whether there is something of that name that is no regular file (a pipe, a device): such a thing is written to, and
 * not replaced.
 */
bool dlg_file_is_written_through(const char *path);

/**
 * A file that is being written beside its place and appears there only by dlg_file_commit. Where a symbolic link stands
 * the file that it points to is replaced. What is no regular file is written to as bytes are appended.
 */
typedef struct dlg_file_writer dlg_file_writer;

/**
 * Start writing `path` (the writer keeps its own copy of the name). *out is NULL on failure. Errors: DLG_EIO,
 * DLG_ENOMEM; DLG_ECANCELLED when an interrupt came while a pipe waited for a reader.
 */
DLG_MUST_USE dlg_status dlg_file_create(dlg_file_writer **out, const char *path, dlg_error *);

/**
 * After a file could not be made: DLG_EIO with errno's words, or that its folder is missing, which the file itself
 * cannot be.
 */
DLG_MUST_USE dlg_status dlg_file_cannot_create(const char *path, dlg_error *);

/** Append. Errors (disk full) are reported here or by commit, whichever notices. */
DLG_MUST_USE dlg_status dlg_file_append(dlg_file_writer *, const void *bytes, size_t n_bytes, dlg_error *);

/** Flush to the disk and rename into place. The writer is freed, whether that succeeds or not. */
DLG_MUST_USE dlg_status dlg_file_commit(dlg_file_writer *, dlg_error *);

/** Give up: nothing is left behind. Accepts NULL. */
void dlg_file_abandon(dlg_file_writer *);

/** directory + "/" + name, to be freed with dlg_free; NULL when memory ran out. */
char *dlg_path_join(const char *directory, const char *name);

#endif
