/* WordPiece (Schuster and Nakajima 2012; as in BERT, Devlin et al. 2018, arXiv:1810.04805): greedy, longest piece
 * first. */
#include "tokenizer/split.h"
#include "tokenizer/vocabulary.h"

#include <assert.h>
#include <string.h>

/* The piece that is spelled prefix + text[0, n_bytes) and has this hash; false when there is none. */
static bool find(const dlg_vocabulary *v, uint32_t hash, size_t n_prefix, const unsigned char *text, size_t n_bytes,
                 dlg_token *out)
{
    for (size_t at = dlg_piece_slot_of(v, hash); v->slots[at].id_plus_one; at = (at + 1) & v->slot_mask) {
        if (v->slots[at].hash != hash) continue;
        const dlg_token id = v->slots[at].id_plus_one - 1;
        const char *piece = dlg_vocabulary_piece(v, id);
        if (v->places[id].n_bytes != n_prefix + n_bytes) continue;
        if (n_prefix && memcmp(piece, "##", n_prefix) != 0) continue;
        if (memcmp(piece + n_prefix, text, n_bytes) != 0) continue;
        *out = id;
        return true;
    }
    return false;
}

size_t dlg_wordpiece(const dlg_vocabulary *v, const unsigned char *word, size_t n_bytes, dlg_token *ids)
{
    uint32_t hashes[4 * DLG_MAX_WORD_CHARACTERS]; /* of the prefixes of what is left, each one byte longer */
    const uint32_t continued = dlg_piece_hash(dlg_piece_hash(DLG_PIECE_HASH_START, '#'), '#');
    assert(n_bytes <= sizeof hashes / sizeof *hashes);
    size_t n = 0;
    for (size_t start = 0; start < n_bytes;) {
        const size_t left = n_bytes - start, n_prefix = start ? 2 : 0;
        size_t length = left < v->longest_bytes ? left : v->longest_bytes;
        uint32_t hash = start ? continued : DLG_PIECE_HASH_START;
        for (size_t i = 0; i < length; i++) hashes[i] = hash = dlg_piece_hash(hash, word[start + i]);
        while (length && !find(v, hashes[length - 1], n_prefix, word + start, length, &ids[n])) length--;
        if (!length) return 0;
        start += length;
        n++;
    }
    return n;
}

bool dlg_vocabulary_find(const dlg_vocabulary *v, const char *piece, dlg_token *out)
{
    uint32_t hash = DLG_PIECE_HASH_START;
    const size_t n = strlen(piece);
    if (!v->slots) return false;
    for (size_t i = 0; i < n; i++) hash = dlg_piece_hash(hash, (unsigned char)piece[i]);
    return find(v, hash, 0, (const unsigned char *)piece, n, out);
}
