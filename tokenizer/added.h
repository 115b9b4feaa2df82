/** Tokens that were added to a vocabulary: found in a text before words are, and shown as they are spelled. */
#ifndef DLG_TOKENIZER_ADDED_H
#define DLG_TOKENIZER_ADDED_H

#include "tokenizer/vocabulary.h"

#include <cjson/cJSON.h>

/** The five special tokens, as they are spelled in a text and in a vocabulary; in the order of dlg_special_tokens. */
#define DLG_N_SPECIAL 5
extern const char *const dlg_special_spelling[DLG_N_SPECIAL];

/**
 * How a token is found. What else Hugging Face says of it does not matter here: lstrip and rstrip take spaces along,
 * of which BERT's tokenizer keeps none.
 */
typedef struct {
    dlg_token id; /**< where has_id */
    bool has_id;
    bool single_word; /**< not within a word */
    bool normalised;  /**< in the normalised text, and spelled as it is there; else in the text as it was written */
} dlg_added_token;

typedef struct {
    dlg_vocabulary spellings; /**< id i: that of items[i] */
    dlg_added_token *items;
    size_t capacity;
} dlg_added;

/**
 * Add one unless it is there already, in which case it stays what it is, but has the id of either.
 * Errors: DLG_EFORMAT when both have ids and these differ, or as dlg_vocabulary_add; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_added_put(dlg_added *, const char *name, const char *spelling, dlg_added_token,
                                      dlg_error *);

/** Accepts a zeroed one. */
void dlg_added_release(dlg_added *);

/**
 * All ids and names are read: give every added token its id (its piece's where the vocabulary has it, else the one it
 * came with, else the next one), the vocabulary the names of those that it lacks, and find the five special tokens,
 * which are added to those that are. Errors: DLG_EFORMAT where an id is another piece's or far beyond the others, or a
 * special token is missing; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_added_settle(dlg_added *, dlg_vocabulary *, const char *name, dlg_error *);

/* ---- the forms in which they are written; `name` is the file's ---- */

/** "added_tokens" of a tokenizer.json: a list of objects with id, content and flags. Accepts NULL. */
DLG_MUST_USE dlg_status dlg_added_read_list(dlg_added *, const char *name, const cJSON *list, dlg_error *);

/** "added_tokens_decoder" of a tokenizer_config.json: the same, by id. Accepts NULL. */
DLG_MUST_USE dlg_status dlg_added_read_decoder(dlg_added *, const char *name, const cJSON *object, dlg_error *);

/**
 * The special tokens beyond the five that a tokenizer_config.json or special_tokens_map.json names, under either of the
 * keys that transformers has had for them. They are strings, or objects as above without an id.
 */
DLG_MUST_USE dlg_status dlg_added_read_special(dlg_added *, const char *name, const cJSON *root, dlg_error *);

/** An added_tokens.json: {spelling: id}, all found in the normalised text unless they were read as special before. */
DLG_MUST_USE dlg_status dlg_added_read_ids(dlg_added *, const char *name, const cJSON *root, dlg_error *);

#endif
