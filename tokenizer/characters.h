/**
 * Single characters as BERT's tokenizer sees them: kind, accents, lower case, and UTF-8. No file outside tokenizer/
 * needs this. The measure is Hugging Face's `tokenizers`, whose tables are those of Unicode 8 (kinds) and 9
 * (decomposition); where utf8proc, which is newer, differs, newer_characters.h has the older view.
 */
#ifndef DLG_TOKENIZER_CHARACTERS_H
#define DLG_TOKENIZER_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    DLG_CHARACTER_DROPPED, /**< control, format, private use, NUL and U+FFFD: as if it were not there */
    DLG_CHARACTER_SPACE,
    DLG_CHARACTER_PUNCTUATION, /**< a word of its own */
    DLG_CHARACTER_MARK,        /**< a nonspacing mark, what "accent" means here */
    DLG_CHARACTER_LETTER       /**< everything else, unassigned code points too */
} dlg_character_kind;

dlg_character_kind dlg_character_kind_of(uint32_t character);

/** Whether it is in the blocks of Chinese characters (not kana, not Hangul), each of which BERT makes a word. */
bool dlg_character_is_chinese(uint32_t character);

/** Whether it is part of a word as regular expressions have it (\w): letters, marks, digits, connectors, joiners. */
bool dlg_character_is_of_word(uint32_t character);

/** No canonical decomposition is longer. */
#define DLG_MAX_DECOMPOSITION 4

/** Canonical decomposition (NFD) of one character. @return how many characters it has, at least 1 */
size_t dlg_character_decompose(uint32_t character, uint32_t out[DLG_MAX_DECOMPOSITION]);

/** Canonical combining class: marks that follow one another are sorted by it; 0 begins anew. */
unsigned dlg_character_order(uint32_t character);

/** Lower case of one character by one character; only U+0130 has a longer one, which is the caller's affair. */
uint32_t dlg_character_lower(uint32_t character);

/** Read the first character of n_bytes of UTF-8. @return its length, or 0 when it is not UTF-8 (or n_bytes is 0) */
size_t dlg_utf8_read(const unsigned char *bytes, size_t n_bytes, uint32_t *character);

/** @return how many bytes were written, at most 4 */
size_t dlg_utf8_write(uint32_t character, unsigned char out[4]);

#endif
