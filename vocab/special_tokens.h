/** Tokens that a vocabulary gives a meaning to, and where they may stand. */
#ifndef DLG_VOCAB_SPECIAL_TOKENS_H
#define DLG_VOCAB_SPECIAL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The five tokens that BERT cannot do without; a vocabulary that lacks one is refused by name. */
typedef struct {
    uint32_t pad, unknown, cls, sep, mask;
} dlg_special_tokens;

/**
 * Whether the token may stand there in a sentence of that length: [CLS] begins and [SEP] ends each, and neither stands
 * elsewhere.
 */
static inline bool dlg_special_tokens_allow(dlg_special_tokens special, uint32_t token, size_t position, size_t length)
{
    if (!position) return token == special.cls;
    if (position + 1 == length) return token == special.sep;
    return token != special.cls && token != special.sep;
}

#endif
