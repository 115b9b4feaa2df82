/** Pieces to text. */
#ifndef DLG_TOKENIZER_DECODE_H
#define DLG_TOKENIZER_DECODE_H

#include "tokenizer/vocabulary.h"

/** See dlg_tokenizer_decode. */
char *dlg_decode(const dlg_vocabulary *, const dlg_token *ids, size_t n, bool skip_special);

#endif
