/** The text of a batch of one sentence, read position by position: no search at all. */
#ifndef DLG_ANALYTIC_TOKENS_READING_H
#define DLG_ANALYTIC_TOKENS_READING_H

#include "vocab/special_tokens.h"
#include "analytic/tokens/position_check.h"
#include "analytic/tokens/token_set.h"

#include <stdint.h>

/** Zero-initialise; release with dlg_reading_release. */
typedef struct {
    size_t length;
    uint32_t *fed;    /**< (length) what went in, the mask token where it was masked */
    size_t n_certain; /**< positions at which one token and no other is possible */
    /** positions at which no token is: there was more than one sentence, or the gradient is not of this model */
    size_t n_none;
    /**
     * the first position admits the token that begins, and the last that which ends, or padding; of a batch's longest
     * sentences as well as of one
     */
    bool has_ends;
} dlg_reading;

/**
 * What the position check (analytic/tokens/position_check.h) admits of the tokens that went in, or of the whole
 * vocabulary where their set is empty. Where it admits several, or none of the set, the one whose equation is fulfilled
 * best is taken. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_reading_find(dlg_reading *out, const dlg_position_check *, const dlg_token_set *,
                                         dlg_special_tokens, dlg_error *);

/** Accepts a zeroed one. */
void dlg_reading_release(dlg_reading *);

/** Whether nearly all positions were read, and none contradicts a single sentence. */
bool dlg_reading_is_whole(const dlg_reading *);

#endif
