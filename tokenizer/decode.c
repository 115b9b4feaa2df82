/*
 * Hugging Face joins pieces with spaces, glues "##" pieces to what is before them, and removes spaces that English does
 * not want. It does the last twice: piece by piece in `tokenizers`, then over the whole text in `transformers`. So does
 * this.
 */
#include "tokenizer/decode.h"

#include "base/memory.h"

#include <string.h>

typedef struct {
    const char *from, *to; /* `to` is never longer */
    bool only_pieces;
} replacement;

static const replacement replacements[] = {
    {" .", ".", false},   {" ?", "?", false},     {" !", "!", false},     {" ,", ",", false},
    {" ' ", "'", false},  {" n't", "n't", false}, {" 'm", "'m", false},   {" do not", " don't", true},
    {" 's", "'s", false}, {" 've", "'ve", false}, {" 're", "'re", false},
};

/* In place. @return the length that is left */
static size_t replace(char *text, size_t n_bytes, const char *from, const char *to)
{
    const size_t n_from = strlen(from), n_to = strlen(to);
    size_t out = 0, in = 0;
    while (in < n_bytes) {
        if (n_bytes - in >= n_from && !memcmp(text + in, from, n_from)) {
            memcpy(text + out, to, n_to);
            out += n_to;
            in += n_from;
        } else {
            text[out++] = text[in++];
        }
    }
    return out;
}

static size_t clean_up(char *text, size_t n_bytes, bool piece)
{
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        if (piece || !replacements[i].only_pieces)
            n_bytes = replace(text, n_bytes, replacements[i].from, replacements[i].to);
    return n_bytes;
}

char *dlg_decode(const dlg_vocabulary *v, const dlg_token *ids, size_t n, bool skip_special)
{
    size_t room = 1, n_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t n_piece = v->places[ids[i] < v->n_pieces ? ids[i] : v->special.unknown].n_bytes + (size_t)1;
        if (room > SIZE_MAX - n_piece) return NULL;
        room += n_piece; /* the NUL's place is the space's */
    }
    char *text = dlg_allocate(room, 1);
    if (!text) return NULL;
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (skip_special && dlg_special_tokens_have(v->special, ids[i])) continue;
        const char *piece = dlg_vocabulary_piece(v, ids[i] < v->n_pieces ? ids[i] : v->special.unknown);
        const size_t start = n_bytes;
        if (!first && !strncmp(piece, "##", 2)) piece += 2;
        else if (!first) text[n_bytes++] = ' ';
        memcpy(text + n_bytes, piece, strlen(piece));
        n_bytes = start + clean_up(text + start, n_bytes + strlen(piece) - start, true);
        first = false;
    }
    text[clean_up(text, n_bytes, false)] = 0;
    return text;
}
