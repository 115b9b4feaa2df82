/** Texts of a batch, each with where it came from. */
#ifndef DLG_LIBRARY_TEXTS_H
#define DLG_LIBRARY_TEXTS_H

#include "dlg/truth.h"

/** One text and where it came from ("text 2", "notes.txt: line 7"), which starts messages about it. */
typedef struct {
    char *bytes; /**< n_bytes and a NUL */
    size_t n_bytes;
    char *pair; /**< the second text, or NULL */
    char *origin;
} dlg_text;

struct dlg_texts {
    dlg_text *items;
    size_t n, capacity, n_arguments;
};

#endif
