#include "tokenizer/characters.h"

#include <utf8proc.h>

#include "tokenizer/newer_characters.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The row of newer_kinds that holds a character, or -1. */
static int newer_row(uint32_t character)
{
    size_t low = 0, high = COUNT(newer_kinds);
    if (character < newer_kinds[0].first) return -1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (character > newer_kinds[middle].last) low = middle + 1;
        else high = middle;
    }
    return low < COUNT(newer_kinds) && character >= newer_kinds[low].first ? (int)low : -1;
}

dlg_character_kind dlg_character_kind_of(uint32_t character)
{
    const int row = newer_row(character);
    if (row >= 0) return (dlg_character_kind)newer_kinds[row].kind;
    if (character == '\t' || character == '\n' || character == '\r') return DLG_CHARACTER_SPACE;
    if (character == 0xfffd) return DLG_CHARACTER_DROPPED;
    switch (utf8proc_category((utf8proc_int32_t)character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO: return DLG_CHARACTER_DROPPED;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return DLG_CHARACTER_SPACE;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return DLG_CHARACTER_PUNCTUATION;
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SO:
        /* Of the symbols only ASCII's ($ + < = > ^ ` | ~) count, as in BERT's own code. */
        return character < 0x80 ? DLG_CHARACTER_PUNCTUATION : DLG_CHARACTER_LETTER;
    case UTF8PROC_CATEGORY_MN: return DLG_CHARACTER_MARK;
    default: return DLG_CHARACTER_LETTER;
    }
}

bool dlg_character_is_chinese(uint32_t character)
{
    static const uint32_t blocks[][2] = {{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},
                                         {0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f},
                                         {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f}};
    if (character < blocks[0][0]) return false;
    for (size_t i = 0; i < COUNT(blocks); i++)
        if (character >= blocks[i][0] && character <= blocks[i][1]) return true;
    return false;
}

bool dlg_character_is_of_word(uint32_t character)
{
    switch (utf8proc_category((utf8proc_int32_t)character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC: return true;
    default: return character == 0x200c || character == 0x200d;
    }
}

size_t dlg_character_decompose(uint32_t character, uint32_t out[DLG_MAX_DECOMPOSITION])
{
    utf8proc_int32_t parts[DLG_MAX_DECOMPOSITION];
    int unused = 0;
    const int row = newer_row(character);
    const utf8proc_ssize_t n = row >= 0 && newer_kinds[row].inert
                                   ? 0
                                   : utf8proc_decompose_char((utf8proc_int32_t)character, parts, DLG_MAX_DECOMPOSITION,
                                                             UTF8PROC_DECOMPOSE, &unused);
    if (n < 1 || n > DLG_MAX_DECOMPOSITION) {
        out[0] = character;
        return 1;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) out[i] = (uint32_t)parts[i];
    return (size_t)n;
}

unsigned dlg_character_order(uint32_t character)
{
    const int row = newer_row(character);
    if (row >= 0 && newer_kinds[row].inert) return 0;
    return (unsigned)utf8proc_get_property((utf8proc_int32_t)character)->combining_class;
}

uint32_t dlg_character_lower(uint32_t character)
{
    for (size_t i = 0; i < COUNT(newer_capitals) && character >= newer_capitals[i].first; i++)
        if (character <= newer_capitals[i].last) return (uint32_t)((int32_t)character + newer_capitals[i].distance);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)character);
}

size_t dlg_utf8_read(const unsigned char *bytes, size_t n_bytes, uint32_t *character)
{
    if (n_bytes && bytes[0] < 0x80) {
        *character = bytes[0];
        return 1;
    }
    utf8proc_int32_t value;
    const utf8proc_ssize_t n = utf8proc_iterate(bytes, n_bytes < 4 ? (utf8proc_ssize_t)n_bytes : 4, &value);
    if (n < 1 || value < 0) return 0;
    *character = (uint32_t)value;
    return (size_t)n;
}

size_t dlg_utf8_write(uint32_t character, unsigned char out[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)character, out);
}
