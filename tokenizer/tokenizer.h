/**
 * BERT's tokenizer: text to ids and back, the same ids as Hugging Face's BertTokenizer.
 * clean -> CJK apart -> lower case and accents (uncased) -> split at spaces and punctuation -> WordPiece.
 */
#ifndef DLG_TOKENIZER_TOKENIZER_H
#define DLG_TOKENIZER_TOKENIZER_H

#include "base/status.h"
#include "vocab/special_tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t dlg_token;

typedef struct dlg_tokenizer dlg_tokenizer;

/** How text is normalised; what a vocab.txt does not say. */
typedef struct {
    bool lower_case;    /**< uncased models; accents go with it, as in BERT */
    bool strip_accents; /**< usually equal to lower_case */
    bool split_cjk;     /**< each Chinese character is a word */
} dlg_normalisation;

#define DLG_UNCASED ((dlg_normalisation){.lower_case = true, .strip_accents = true, .split_cjk = true})
#define DLG_CASED ((dlg_normalisation){.lower_case = false, .strip_accents = false, .split_cjk = true})

/**
 * A vocab.txt: one piece a line, LF or CRLF; the line number is the id. An empty line is an id without a piece, and of
 * several with the same piece all but the last are. *out is NULL on failure.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_open(dlg_tokenizer **out, const char *path, dlg_normalisation, dlg_error *);

/**
 * A tokenizer.json with a BertNormalizer, BertPreTokenizer and WordPiece model, and with added tokens; anything else in
 * it is refused by name.
 * What it says about truncation and padding is left to the caller of dlg_tokenizer_encode.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_open_json(dlg_tokenizer **out, const char *path, dlg_error *);

/**
 * What a Hugging Face directory holds: tokenizer.json, else vocab.txt with tokenizer_config.json, where present, for
 * do_lower_case, strip_accents and tokenize_chinese_chars; uncased without it. Tokens that were added are read from all
 * files that have held them: tokenizer_config.json, special_tokens_map.json and added_tokens.json too. Files that
 * contradict each other are refused.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_open_directory(dlg_tokenizer **out, const char *directory, dlg_error *);

/**
 * The same as dlg_tokenizer_open, from memory: for the built-in vocabulary and for tests. `name` starts the
 * messages.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_create(dlg_tokenizer **out, const char *name, const void *vocabulary,
                                             size_t n_bytes, dlg_normalisation, dlg_error *);

/** The same as dlg_tokenizer_open_json, from memory. */
DLG_MUST_USE dlg_status dlg_tokenizer_create_json(dlg_tokenizer **out, const char *name, const void *json,
                                                  size_t n_bytes, dlg_error *);

/** Accepts NULL. */
void dlg_tokenizer_close(dlg_tokenizer *);

size_t dlg_tokenizer_size(const dlg_tokenizer *);

/**
 * More ids than these without a piece are refused: models are padded to a multiple of 8 or 128, some by a thousand, and
 * what lacks more is another model's vocabulary.
 */
#define DLG_MAX_UNNAMED 1024

/**
 * Have n pieces in all, for a model with that many embeddings: the others have no name, are shown as "[unused 605]" and
 * found in no text. `name` starts the messages. Errors: DLG_EFORMAT for too many; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_pad(dlg_tokenizer *, const char *name, size_t n, dlg_error *);

dlg_special_tokens dlg_tokenizer_special(const dlg_tokenizer *);

dlg_normalisation dlg_tokenizer_normalisation(const dlg_tokenizer *);

/** The piece of an id as the vocabulary spells it ("##ing"); NULL beyond the vocabulary. Borrowed. */
const char *dlg_tokenizer_piece(const dlg_tokenizer *, dlg_token);

/** Ids of a text; a growing buffer that can be used again. Zero-initialise; release with dlg_tokens_release. */
typedef struct {
    dlg_token *ids;
    size_t n, capacity;
} dlg_tokens;

void dlg_tokens_release(dlg_tokens *);

/**
 * Encode UTF-8 text: out->ids is [CLS] ... [SEP] with special tokens, the bare pieces without; what was in `out` is
 * replaced. An added token written out in the text becomes that token, as in Hugging Face's BertTokenizer: "[MASK]" and
 * its like as they are spelled, others as tokenizer.json says.
 * @param max_tokens truncate to this many, special tokens included; 0: no limit
 * @param[out] full_length how long it was before truncation; may be NULL
 * Errors: DLG_EFORMAT (not UTF-8, with the offset), DLG_EARG (max_tokens is 1 and special), DLG_ENOMEM; out->n is 0
 * then. Not thread-safe on one `out`; the tokenizer itself may be shared.
 */
DLG_MUST_USE dlg_status dlg_tokenizer_encode(const dlg_tokenizer *, dlg_tokens *out, const char *text, size_t n_bytes,
                                             bool special, size_t max_tokens, size_t *full_length, dlg_error *);

/**
 * Ids to text as Hugging Face's decode with clean_up_tokenization_spaces=True prints it ("can't", "word."). Ids beyond
 * the vocabulary show as [UNK].
 * @param skip_special leave out the five special tokens
 * @return a string to be freed with dlg_free, or NULL when memory ran out
 */
char *dlg_tokenizer_decode(const dlg_tokenizer *, const dlg_token *ids, size_t n, bool skip_special);

/**
 * The same of a sentence as people read it: without the [CLS] it begins and the [SEP] it ends with. Other special
 * tokens are words that the model saw, and shown.
 */
char *dlg_tokenizer_decode_sentence(const dlg_tokenizer *, const dlg_token *ids, size_t n);

#endif
