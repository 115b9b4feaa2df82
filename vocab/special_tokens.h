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
    unsigned framing;    /**< what of DLG_PAIRED and others holds; 0: each text between begin and end */
} dlg_special_tokens;

/** How the texts of a batch may be framed otherwise. */
enum {
    DLG_PAIRED = 1,        /**< an end may stand between two texts */
    DLG_PADDED_BEFORE = 2, /**< padding takes part, and makes all as long as the longest */
    DLG_PADDED_BEHIND = 4,
    DLG_PADDED = DLG_PADDED_BEFORE | DLG_PADDED_BEHIND,
    DLG_NO_BEGIN = 8, /**< texts are cut out of longer ones: their first, or last, is any token */
    DLG_NO_END = 16,
    DLG_CUT = DLG_NO_BEGIN | DLG_NO_END
};

/** Whether a token is one of them. */
static inline bool dlg_special_tokens_have(dlg_special_tokens special, uint32_t token)
{
    return token == special.pad || token == special.unknown || token == special.begin || token == special.end ||
           token == special.mask;
}

/** Whether the first token of each sentence is that which begins, and the last that which ends. */
static inline bool dlg_special_tokens_all_begin(dlg_special_tokens special)
{
    return !(special.framing & (DLG_PADDED_BEFORE | DLG_NO_BEGIN));
}

static inline bool dlg_special_tokens_all_end(dlg_special_tokens special)
{
    return !(special.framing & (DLG_PADDED_BEHIND | DLG_NO_END));
}

/**
 * Whether the token may stand there in a sentence of that length: begin and end do at its ends, and nowhere else, but
 * as the framing has it.
 */
static inline bool dlg_special_tokens_allow(dlg_special_tokens special, uint32_t token, size_t position, size_t length)
{
    const unsigned framing = special.framing;
    const bool is_first = !position, is_last = position + 1 == length;
    if (framing & DLG_PADDED && token == special.pad)
        return framing & (is_first ? DLG_PADDED_BEFORE : is_last ? DLG_PADDED_BEHIND : DLG_PADDED);
    if (is_first) return token == special.begin || framing & DLG_NO_BEGIN;
    if (is_last) return token == special.end || framing & DLG_NO_END;
    if (token == special.begin) return framing & (DLG_PADDED_BEFORE | DLG_CUT);
    return token != special.end || framing & (DLG_PADDED_BEHIND | DLG_PAIRED | DLG_CUT);
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
