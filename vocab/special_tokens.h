/** Tokens that a vocabulary gives a meaning to, and where they may stand. */
#ifndef DLG_VOCAB_SPECIAL_TOKENS_H
#define DLG_VOCAB_SPECIAL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The five tokens that a masked LM cannot do without, by what they are for; BERT calls them [PAD], [UNK], [CLS], [SEP]
 * and [MASK]. A vocabulary that lacks one is refused by name.
 */
typedef struct {
    uint32_t pad, unknown;
    uint32_t begin, end; /**< of a sentence */
    uint32_t mask;       /**< stands for a token that is to be predicted */
} dlg_special_tokens;

/** Whether a token is one of them. */
static inline bool dlg_special_tokens_have(dlg_special_tokens special, uint32_t token)
{
    return token == special.pad || token == special.unknown || token == special.begin || token == special.end ||
           token == special.mask;
}

/** Whether the token may stand there in a sentence of that length: begin and end do at its ends, and nowhere else. */
static inline bool dlg_special_tokens_allow(dlg_special_tokens special, uint32_t token, size_t position, size_t length)
{
    if (!position) return token == special.begin;
    if (position + 1 == length) return token == special.end;
    return token != special.begin && token != special.end;
}

/** Where a sentence's own tokens begin: behind its begin, if it has that. */
static inline size_t dlg_special_tokens_begin(dlg_special_tokens special, const uint32_t *tokens, size_t n)
{
    return n && tokens[0] == special.begin ? 1 : 0;
}

/** Where they end: before its end, if it has that. */
static inline size_t dlg_special_tokens_end(dlg_special_tokens special, const uint32_t *tokens, size_t n)
{
    return n > 1 && tokens[n - 1] == special.end ? n - 1 : n;
}

#endif
