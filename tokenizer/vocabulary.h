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

/** Where a piece stands in the text, with a NUL after it. */
typedef struct {
    size_t start;
    uint32_t n_bytes;
    bool is_named; /**< false: it stands in no vocabulary, and "[unused 605]", of id 605, is shown for it */
} dlg_piece_place;

typedef struct {
    size_t n_pieces, capacity, longest_bytes; /**< longest_bytes: of those that can be found */
    char *text;
    size_t n_text, text_capacity;
    dlg_piece_place *places; /**< (n_pieces) */
    dlg_piece_slot *slots;
    size_t slot_mask; /**< number of slots, a power of two, less one */
    dlg_special_tokens special;
} dlg_vocabulary;

/** What the messages about a file's pieces say: "vocab.txt: line 7", "tokenizer.json: id 6". */
typedef struct {
    const char *name, *unit;
    size_t first;         /**< the unit's number of id 0 */
    bool allows_controls; /**< in pieces; else they are refused */
} dlg_piece_source;

/**
 * The next piece, which is copied. An empty one has no name; where it stands there already the later one is found and
 * the earlier has lost its name, as in Hugging Face's tokenizer. Begin with a zeroed vocabulary; release it also on
 * failure. Errors: DLG_EFORMAT (too many, not UTF-8, a control character within); DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_vocabulary_add(dlg_vocabulary *, dlg_piece_source, dlg_piece_span, dlg_error *);

/** As many pieces without a name as are wanted for n in all; `name` starts the messages. Errors: as above. */
DLG_MUST_USE dlg_status dlg_vocabulary_pad(dlg_vocabulary *, const char *name, size_t n, dlg_error *);

/** Name a piece that has no name; words are not cut into it, and it is not found. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_vocabulary_name(dlg_vocabulary *, const char *name, dlg_token id, const char *piece,
                                            dlg_error *);

/** Pieces of a vocab.txt, one a line; a byte order mark before them is none of theirs. */
DLG_MUST_USE dlg_status dlg_vocabulary_read_lines(dlg_vocabulary *out, const char *name, const void *bytes,
                                                  size_t n_bytes, dlg_error *);

/** The spelling of a piece that there is. Borrowed. */
const char *dlg_vocabulary_piece(const dlg_vocabulary *, dlg_token);

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
