/**
 * Text to words: cleaned, Chinese characters apart, accents and capitals removed where that is wanted, cut at spaces
 * and around punctuation. One pass over the text, nothing is allocated.
 */
#ifndef DLG_TOKENIZER_SPLIT_H
#define DLG_TOKENIZER_SPLIT_H

#include "tokenizer/characters.h"
#include "tokenizer/tokenizer.h"

/** WordPiece gives up on longer words: they are [UNK]. */
#define DLG_MAX_WORD_CHARACTERS 100

/** What becomes of an ASCII character: one of the three, or the letter to put in its place. */
enum { DLG_ASCII_DROPPED, DLG_ASCII_SPACE, DLG_ASCII_PUNCTUATION, DLG_ASCII_LETTERS };

typedef struct {
    dlg_normalisation how;
    unsigned char ascii[128];
} dlg_split_rules;

void dlg_split_rules_set(dlg_split_rules *, dlg_normalisation);

typedef enum {
    DLG_SPLIT_END,
    DLG_SPLIT_WORD,
    DLG_SPLIT_NOT_UTF8 /**< at byte `at` */
} dlg_split_event;

typedef struct {
    const dlg_split_rules *rules;
    const unsigned char *text;
    size_t n_bytes, at;

    uint32_t waiting[DLG_MAX_DECOMPOSITION]; /**< parts of the last character that did not go into the word yet */
    size_t n_waiting, next_waiting;
    bool waiting_apart; /**< they are Chinese: each is a word */

    size_t n_characters; /**< of the word; beyond DLG_MAX_WORD_CHARACTERS `word` is cut */
    size_t n_word;       /**< bytes of the word, after DLG_SPLIT_WORD */
    size_t sorted_from;  /**< no mark moves to before this byte of the word */
    unsigned char word[4 * DLG_MAX_WORD_CHARACTERS];
} dlg_split;

/** Begin; the text and the rules are borrowed. */
void dlg_split_start(dlg_split *, const dlg_split_rules *, const void *text, size_t n_bytes);

/** Go on to the next word. */
dlg_split_event dlg_split_next(dlg_split *);

#endif
