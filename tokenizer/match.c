#include "tokenizer/match.h"

#include "base/memory.h"
#include "tokenizer/characters.h"
#include "tokenizer/normalise.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const dlg_pattern *x = a, *y = b;
    const unsigned char i = (unsigned char)x->text[0], j = (unsigned char)y->text[0];
    if (i != j) return i < j ? -1 : 1;
    if (x->n_bytes != y->n_bytes) return x->n_bytes > y->n_bytes ? -1 : 1;
    return x->rank < y->rank ? -1 : 1;
}

static bool add(dlg_matcher *m, const dlg_added *added, size_t i, dlg_normalisation how)
{
    const char *spelling = dlg_vocabulary_piece(&added->spellings, (dlg_token)i);
    const dlg_added_token *token = &added->items[i];
    dlg_pattern *p = &m->patterns[m->n];
    *p = (dlg_pattern){.rank = i, .id = token->id, .single_word = token->single_word};
    size_t at;
    if (!token->normalised) {
        p->n_bytes = strlen(spelling);
        p->text = dlg_copy_string(spelling);
    } else if (dlg_normalise(&p->text, &p->n_bytes, how, spelling, strlen(spelling), &at)) {
        return false;
    }
    if (p->text && !p->n_bytes) dlg_free(p->text); /* normalisation left nothing to look for */
    else m->n++;
    return p->n_bytes == 0 || p->text;
}

dlg_status dlg_matcher_create(dlg_matcher *out, const dlg_added *added, bool normalised, dlg_normalisation how,
                              const char *name, dlg_error *err)
{
    const size_t n = added->spellings.n_pieces;
    *out = (dlg_matcher){.patterns = dlg_allocate(n, sizeof *out->patterns)};
    bool has_memory = out->patterns != NULL;
    for (size_t i = 0; i < n && has_memory; i++)
        if (added->items[i].normalised == normalised) has_memory = add(out, added, i, how);
    if (!has_memory) {
        dlg_matcher_release(out);
        return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu added tokens", name, n);
    }
    if (out->n) qsort(out->patterns, out->n, sizeof *out->patterns, compare);
    for (size_t byte = 0, i = 0; byte <= 256; byte++) {
        while (i < out->n && (unsigned char)out->patterns[i].text[0] < byte) i++;
        out->first[byte] = i;
    }
    return DLG_OK;
}

void dlg_matcher_release(dlg_matcher *m)
{
    for (size_t i = 0; i < m->n; i++) dlg_free(m->patterns[i].text);
    dlg_free(m->patterns);
    *m = (dlg_matcher){0};
}

static bool is_word_before(const char *text, size_t at)
{
    size_t start = at;
    uint32_t character;
    while (start && at - start < 4 && ((unsigned char)text[--start] & 0xc0) == 0x80) {
    }
    return start < at && dlg_utf8_read((const unsigned char *)text + start, at - start, &character) &&
           dlg_character_is_of_word(character);
}

static bool is_word_behind(const char *text, size_t n_bytes, size_t at)
{
    uint32_t character;
    return dlg_utf8_read((const unsigned char *)text + at, n_bytes - at, &character) &&
           dlg_character_is_of_word(character);
}

/* The longest pattern that stands at a place, or NULL. */
static const dlg_pattern *pattern_at(const dlg_matcher *m, const char *text, size_t n_bytes, size_t at)
{
    const unsigned char byte = (unsigned char)text[at];
    for (size_t i = m->first[byte]; i < m->first[byte + 1]; i++) {
        const dlg_pattern *p = &m->patterns[i];
        if (p->n_bytes <= n_bytes - at && !memcmp(p->text, text + at, p->n_bytes)) return p;
    }
    return NULL;
}

/* The next byte that a pattern begins with, or n_bytes. As a rule all begin with a bracket. */
static size_t next_beginning(const dlg_matcher *m, const char *text, size_t n_bytes, size_t at)
{
    const unsigned char first = (unsigned char)m->patterns[0].text[0];
    if (m->first[first + 1] - m->first[first] == m->n) {
        const char *found = memchr(text + at, first, n_bytes - at);
        return found ? (size_t)(found - text) : n_bytes;
    }
    for (; at < n_bytes; at++)
        if (m->first[(unsigned char)text[at]] < m->first[(unsigned char)text[at] + 1]) break;
    return at;
}

bool dlg_matcher_next(const dlg_matcher *m, const char *text, size_t n_bytes, size_t *at, size_t *start, dlg_token *id)
{
    if (!m->n || *at == n_bytes) return false;
    for (size_t i = *at; (i = next_beginning(m, text, n_bytes, i)) < n_bytes;) {
        const dlg_pattern *p = pattern_at(m, text, n_bytes, i);
        if (!p) {
            i++;
            continue;
        }
        const size_t end = i + p->n_bytes;
        if (!p->single_word || !(is_word_before(text, i) || is_word_behind(text, n_bytes, end))) {
            *start = i;
            *at = end;
            *id = p->id;
            return true;
        }
        i = end; /* as in `tokenizers`: one that is no word by itself hides those within it */
    }
    return false;
}
