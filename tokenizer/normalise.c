#include "tokenizer/normalise.h"

#include "base/memory.h"
#include "tokenizer/characters.h"

/** Characters so far; from `sorted_from` on they may still change places. */
typedef struct {
    uint32_t *characters;
    size_t n, capacity, sorted_from;
} line;

static bool reserve(line *l, size_t n_more)
{
    if (l->capacity - l->n >= n_more) return true;
    const size_t capacity = 2 * l->capacity + n_more + 64;
    uint32_t *characters = dlg_reallocate(l->characters, l->capacity, capacity, sizeof *characters);
    if (!characters) return false;
    l->characters = characters;
    l->capacity = capacity;
    return true;
}

/* NFD: marks that follow one another are sorted by their class. */
static void append(line *l, uint32_t character, unsigned order)
{
    size_t place = l->n++;
    if (!order) l->sorted_from = l->n;
    for (; order && place > l->sorted_from && dlg_character_order(l->characters[place - 1]) > order; place--)
        l->characters[place] = l->characters[place - 1];
    l->characters[place] = character;
}

static void take(line *l, dlg_normalisation how, uint32_t character)
{
    uint32_t parts[DLG_MAX_DECOMPOSITION] = {character};
    const size_t n = how.strip_accents ? dlg_character_decompose(character, parts) : 1;
    for (size_t i = 0; i < n; i++) {
        const unsigned order = how.strip_accents ? dlg_character_order(parts[i]) : 0;
        if (how.strip_accents && dlg_character_kind_of(parts[i]) == DLG_CHARACTER_MARK) {
            if (!order) l->sorted_from = l->n; /* it is gone, and yet no mark moves across it */
        } else if (how.lower_case && parts[i] == 0x130) {
            append(l, 'i', 0);
            append(l, 0x307, 0);
        } else {
            append(l, how.lower_case ? dlg_character_lower(parts[i]) : parts[i], order);
        }
    }
}

static dlg_status collect(line *l, dlg_normalisation how, const char *text, size_t n_bytes, size_t *at)
{
    size_t n;
    for (*at = 0; *at < n_bytes; *at += n) {
        uint32_t character;
        n = dlg_utf8_read((const unsigned char *)text + *at, n_bytes - *at, &character);
        if (!n) return DLG_EFORMAT;
        if (!reserve(l, 2 * DLG_MAX_DECOMPOSITION + 2)) return DLG_ENOMEM;
        const dlg_character_kind kind = dlg_character_kind_of(character);
        const bool apart = how.split_cjk && dlg_character_is_chinese(character);
        if (kind == DLG_CHARACTER_DROPPED) continue;
        if (apart) append(l, ' ', 0);
        if (kind == DLG_CHARACTER_SPACE) append(l, ' ', 0);
        else take(l, how, character);
        if (apart) append(l, ' ', 0);
    }
    return DLG_OK;
}

dlg_status dlg_normalise(char **out, size_t *n_out, dlg_normalisation how, const char *text, size_t n_bytes, size_t *at)
{
    line l = {0};
    *out = NULL;
    *n_out = 0;
    dlg_status status = collect(&l, how, text, n_bytes, at);
    if (!status && !(*out = dlg_allocate(4 * l.n + 1, 1))) status = DLG_ENOMEM;
    for (size_t i = 0; i < l.n && !status; i++)
        *n_out += dlg_utf8_write(l.characters[i], (unsigned char *)*out + *n_out);
    dlg_free(l.characters);
    return status;
}
