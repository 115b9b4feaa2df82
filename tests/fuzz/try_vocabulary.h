/** What the fuzzers of vocab.txt and tokenizer.json do with a vocabulary that was accepted. */
#ifndef DLG_TESTS_FUZZ_TRY_VOCABULARY_H
#define DLG_TESTS_FUZZ_TRY_VOCABULARY_H

#include "base/memory.h"
#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

/*
 * Every piece is a text that can be encoded and decoded, also those that have no name, or only a model's padding.
 * Closes the tokenizer.
 */
static void try_vocabulary(dlg_tokenizer *t)
{
    dlg_tokens tokens = {0};
    const size_t n = dlg_tokenizer_size(t) + 3;
    if (dlg_tokenizer_pad(t, "padded", n, NULL) || dlg_tokenizer_size(t) != n) abort();
    if (dlg_tokenizer_piece(t, (dlg_token)n)) abort();
    for (dlg_token id = 0; id < n; id++) {
        const char *piece = dlg_tokenizer_piece(t, id);
        if (dlg_tokenizer_encode(t, &tokens, piece, strlen(piece), true, 0, NULL, NULL)) abort();
        for (size_t i = 0; i < tokens.n; i++)
            if (tokens.ids[i] >= n) abort();
        char *text = dlg_tokenizer_decode(t, tokens.ids, tokens.n, false);
        if (!text) abort();
        dlg_free(text);
        text = dlg_tokenizer_decode_sentence(t, tokens.ids, tokens.n);
        if (!text) abort();
        dlg_free(text);
    }
    dlg_tokens_release(&tokens);
    dlg_tokenizer_close(t);
}

#endif
