/** The pieces of a WordPiece vocabulary, by id and by spelling. */
#ifndef DLG_TOKENIZER_VOCABULARY_H
#define DLG_TOKENIZER_VOCABULARY_H

#include "tokenizer/tokenizer.h"

/** More pieces are refused; the largest BERT has half a million. */
#define DLG_MAX_PIECES ((size_t)1 << 24)

/** A piece in somebody else's memory, not terminated. */
typedef struct {
    const char *text;
    size_t n_bytes;
} dlg_piece_span;

/** One place of the hash table (open addressing, at most half full). */
typedef struct {
    uint32_t hash;
    uint32_t id_plus_one; /**< 0: free */
} dlg_piece_slot;

typedef struct {
    size_t n_pieces, longest_bytes;
    char *text;     /**< all pieces, each with a NUL after it */
    size_t *starts; /**< (n_pieces + 1) where each begins in text */
    dlg_piece_slot *slots;
    size_t slot_mask; /**< number of slots, a power of two, less one */
    dlg_special_tokens special;
} dlg_vocabulary;

/** What the messages about a file's pieces say: "vocab.txt: line 7", "tokenizer.json: id 6". */
typedef struct {
    const char *name, *unit;
    size_t first; /**< the unit's number of id 0 */
} dlg_piece_source;

/**
 * Copy the pieces and make them searchable. Refused (DLG_EFORMAT): none or too many, an empty piece, one that is not
 * UTF-8 or has a control character within, one that stands there twice (which id it had would be anybody's guess), a
 * missing special token. On failure *out is empty.
 */
DLG_MUST_USE dlg_status dlg_vocabulary_build(dlg_vocabulary *out, dlg_piece_source, const dlg_piece_span *,
                                             size_t n_pieces, dlg_error *);

/** Pieces of a vocab.txt, one a line. */
DLG_MUST_USE dlg_status dlg_vocabulary_read_lines(dlg_vocabulary *out, const char *name, const void *bytes,
                                                  size_t n_bytes, dlg_error *);

/** Vocabulary and normalisation of a tokenizer.json; see dlg_tokenizer_open_json. */
DLG_MUST_USE dlg_status dlg_vocabulary_read_json(dlg_vocabulary *out, dlg_normalisation *how, const char *name,
                                                 const void *bytes, size_t n_bytes, dlg_error *);

/** Accepts an empty vocabulary. */
void dlg_vocabulary_release(dlg_vocabulary *);

/** The id of a piece. @return false when there is none */
bool dlg_vocabulary_find(const dlg_vocabulary *, const char *piece, dlg_token *out);

/**
 * Cut a word into the longest pieces from the left; the second and later ones are those that start with "##".
 * @param[out] ids room for n_bytes ids
 * @return how many there are, or 0 when the word cannot be made of pieces
 */
size_t dlg_wordpiece(const dlg_vocabulary *, const unsigned char *word, size_t n_bytes, dlg_token *ids);

/* The hash, FNV-1a, one byte at a time: every prefix of a word has its own on the way. */
#define DLG_PIECE_HASH_START 2166136261u

static inline uint32_t dlg_piece_hash(uint32_t hash, unsigned char byte)
{
    return (hash ^ byte) * 16777619u;
}

/** Where the search for a hash begins; FNV's low bits alone would cluster. */
static inline size_t dlg_piece_slot_of(const dlg_vocabulary *v, uint32_t hash)
{
    return (hash ^ (hash >> 15)) & v->slot_mask;
}

#endif
