/** Where added tokens stand in a text: of several that begin at one place the longest, as in `tokenizers`. */
#ifndef DLG_TOKENIZER_MATCH_H
#define DLG_TOKENIZER_MATCH_H

#include "tokenizer/added.h"

typedef struct {
    char *text;           /**< what is looked for */
    size_t n_bytes, rank; /**< rank: of two with the same text the lower is found */
    dlg_token id;
    bool single_word;
} dlg_pattern;

typedef struct {
    size_t n;
    dlg_pattern *patterns; /**< by first byte, then the longer ones first */
    size_t first[257];     /**< where those that begin with a byte begin */
} dlg_matcher;

/** For the added tokens that are looked for in the normalised text, or those in the text as it was written. */
DLG_MUST_USE dlg_status dlg_matcher_create(dlg_matcher *out, const dlg_added *, bool normalised, dlg_normalisation,
                                           const char *name, dlg_error *);

/** Accepts a zeroed one. */
void dlg_matcher_release(dlg_matcher *);

/**
 * The next token from *at on. @param[in,out] at where to look on; then behind the token
 * @param[out] start where the token begins @return false when there is none
 */
bool dlg_matcher_next(const dlg_matcher *, const char *text, size_t n_bytes, size_t *at, size_t *start, dlg_token *id);

#endif
