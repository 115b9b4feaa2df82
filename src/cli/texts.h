/** The participant's texts, from the command line, files and standard input. */
#ifndef DLG_CLI_TEXTS_H
#define DLG_CLI_TEXTS_H

#include "base/status.h"

#include <stddef.h>

/** One text and where it came from ("text 2", "notes.txt: line 7"), which starts messages about it. */
typedef struct {
    char *bytes; /**< n_bytes and a NUL */
    size_t n_bytes;
    char *origin;
} dlg_text;

/** Zero-initialise; release with dlg_texts_release. */
typedef struct {
    dlg_text *items;
    size_t n, capacity, n_arguments;
} dlg_texts;

/** Add one text of the command line. Errors: DLG_EFORMAT when it is empty; DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_texts_add(dlg_texts *, const char *text, dlg_error *);

/**
 * Add every line (LF or CRLF) of a file, or of standard input for "-". Errors: DLG_EFORMAT for an empty file, an empty
 * line, and a NUL, naming the line; DLG_EIO; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_texts_add_file(dlg_texts *, const char *path, dlg_error *);

/** Accepts an empty list. */
void dlg_texts_release(dlg_texts *);

#endif
