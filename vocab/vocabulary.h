/** The project's own vocabulary, compiled in, so that the presets need no file. */
#ifndef DLG_VOCAB_VOCABULARY_H
#define DLG_VOCAB_VOCABULARY_H

#include <stddef.h>

/**
 * vocab.txt as it is in this folder (uncased, 8,192 pieces, not terminated); for dlg_tokenizer_create with
 * DLG_UNCASED.
 */
const unsigned char *dlg_builtin_vocabulary(size_t *n_bytes);

#endif
