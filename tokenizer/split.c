/*
 * The order of things is the reference's: clean the text; put Chinese characters apart; NFD and no more nonspacing
 * marks; lower case; then cut. NFD sorts marks by their combining class before some of them are removed. Removal keeps
 * the order of the rest, so here marks are removed as they come and only those that stay are sorted into the word's
 * end.
 */
#include "tokenizer/split.h"

#include <string.h>

void dlg_split_rules_set(dlg_split_rules *rules, dlg_normalisation how)
{
    rules->how = how;
    for (uint32_t c = 0; c < 128; c++) {
        switch (dlg_character_kind_of(c)) {
        case DLG_CHARACTER_DROPPED: rules->ascii[c] = DLG_ASCII_DROPPED; break;
        case DLG_CHARACTER_SPACE: rules->ascii[c] = DLG_ASCII_SPACE; break;
        case DLG_CHARACTER_PUNCTUATION: rules->ascii[c] = DLG_ASCII_PUNCTUATION; break;
        default: rules->ascii[c] = (unsigned char)(how.lower_case ? dlg_character_lower(c) : c);
        }
    }
}

void dlg_split_start(dlg_split *s, const dlg_split_rules *rules, const void *text, size_t n_bytes)
{
    s->rules = rules;
    s->text = text;
    s->n_bytes = n_bytes;
    s->at = s->n_waiting = s->next_waiting = 0;
    s->n_word = s->n_characters = s->sorted_from = 0;
}

/* Put a character at the word's end, or, when it is a mark that goes before others there, in its place among them. */
static void append(dlg_split *s, uint32_t character, unsigned order)
{
    if (++s->n_characters > DLG_MAX_WORD_CHARACTERS) return;
    unsigned char bytes[4];
    const size_t n = dlg_utf8_write(character, bytes);
    size_t place = s->n_word;
    while (order && place > s->sorted_from) {
        size_t before = place - 1;
        uint32_t other;
        while (before > s->sorted_from && (s->word[before] & 0xc0) == 0x80) before--;
        if (!dlg_utf8_read(s->word + before, place - before, &other) || dlg_character_order(other) <= order) break;
        place = before;
    }
    memmove(s->word + place + n, s->word + place, s->n_word - place);
    memcpy(s->word + place, bytes, n);
    s->n_word += n;
}

static void append_lower(dlg_split *s, uint32_t character, unsigned order)
{
    if (!s->rules->how.lower_case) {
        append(s, character, order);
    } else if (character == 0x130) { /* I with a dot; it comes here only when accents stay */
        append(s, 'i', 0);
        append(s, 0x307, 0);
    } else {
        append(s, dlg_character_lower(character), order);
    }
}

/*
 * Parts of a character into the word. @return true when the word is complete; what is left waits for the next call.
 * A part that is a word by itself ends the word before it, and is then all of the next one.
 */
static bool take_waiting(dlg_split *s)
{
    while (s->next_waiting < s->n_waiting) {
        const uint32_t part = s->waiting[s->next_waiting];
        const dlg_character_kind kind = dlg_character_kind_of(part);
        const bool strip = s->rules->how.strip_accents;
        const unsigned order = strip ? dlg_character_order(part) : 0;
        if (kind == DLG_CHARACTER_MARK && strip) {
            if (!order) s->sorted_from = s->n_word; /* it is gone, and yet no mark moves across it */
            s->next_waiting++;
            continue;
        }
        const bool alone = s->waiting_apart || kind == DLG_CHARACTER_PUNCTUATION;
        if (alone && s->n_characters) return true;
        append_lower(s, part, order);
        s->next_waiting++;
        if (alone) return true;
    }
    return false;
}

/* Letters of ASCII, which is most of what there is. */
static void take_ascii_letters(dlg_split *s)
{
    const unsigned char *const map = s->rules->ascii, *const text = s->text;
    const size_t start = s->at,
                 n_free = DLG_MAX_WORD_CHARACTERS > s->n_characters ? DLG_MAX_WORD_CHARACTERS - s->n_characters : 0;
    size_t at = start, n_word = s->n_word;
    const size_t end = s->n_bytes - start < n_free ? s->n_bytes : start + n_free;
    while (at < end && text[at] < 0x80 && map[text[at]] >= DLG_ASCII_LETTERS) s->word[n_word++] = map[text[at++]];
    if (!n_free)
        while (at < s->n_bytes && text[at] < 0x80 && map[text[at]] >= DLG_ASCII_LETTERS) at++;
    s->at = at;
    s->n_word = n_word;
    s->n_characters += at - start;
}

dlg_split_event dlg_split_next(dlg_split *s)
{
    s->n_word = s->n_characters = s->sorted_from = 0;
    if (take_waiting(s)) return DLG_SPLIT_WORD;
    while (s->at < s->n_bytes) {
        const unsigned char byte = s->text[s->at];
        if (byte < 0x80) {
            switch (s->rules->ascii[byte]) {
            case DLG_ASCII_DROPPED: s->at++; break;
            case DLG_ASCII_SPACE:
                s->at++;
                if (s->n_characters) return DLG_SPLIT_WORD;
                break;
            case DLG_ASCII_PUNCTUATION:
                if (s->n_characters) return DLG_SPLIT_WORD;
                append(s, byte, 0);
                s->at++;
                return DLG_SPLIT_WORD;
            default: take_ascii_letters(s);
            }
            continue;
        }
        uint32_t character;
        const size_t n = dlg_utf8_read(s->text + s->at, s->n_bytes - s->at, &character);
        if (!n) return DLG_SPLIT_NOT_UTF8;
        s->at += n;
        const dlg_character_kind kind = dlg_character_kind_of(character);
        if (kind == DLG_CHARACTER_DROPPED) continue;
        if (kind == DLG_CHARACTER_SPACE) {
            if (s->n_characters) return DLG_SPLIT_WORD;
            continue;
        }
        s->next_waiting = 0;
        s->waiting[0] = character;
        s->n_waiting = s->rules->how.strip_accents ? dlg_character_decompose(character, s->waiting) : 1;
        s->waiting_apart = s->rules->how.split_cjk && dlg_character_is_chinese(character);
        if (take_waiting(s)) return DLG_SPLIT_WORD;
    }
    return s->n_characters ? DLG_SPLIT_WORD : DLG_SPLIT_END;
}
