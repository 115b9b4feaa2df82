/** What a tokenizer is made of, while its files are read one after the other. */
#ifndef DLG_TOKENIZER_PARTS_H
#define DLG_TOKENIZER_PARTS_H

#include "tokenizer/added.h"

typedef struct {
    dlg_vocabulary vocabulary;
    dlg_added added;
    dlg_normalisation how;
} dlg_tokenizer_parts;

/**
 * Pieces, added tokens and normalisation of a tokenizer.json; see dlg_tokenizer_open_json. Begin with zeroed parts;
 * release them also on failure.
 */
DLG_MUST_USE dlg_status dlg_parts_read_json(dlg_tokenizer_parts *, const char *name, const void *bytes, size_t n_bytes,
                                            dlg_error *);

/** Accepts zeroed parts. */
void dlg_parts_release(dlg_tokenizer_parts *);

/** Everything is read. The parts are the tokenizer's from here on, also on failure. `name` starts the messages. */
DLG_MUST_USE dlg_status dlg_tokenizer_assemble(dlg_tokenizer **out, dlg_tokenizer_parts *, const char *name,
                                               dlg_error *);

#endif
