/** The neighbours of a sentence: what one edit makes of it. */
#ifndef DLG_ANALYTIC_SEQUENCES_EDITS_H
#define DLG_ANALYTIC_SEQUENCES_EDITS_H

#include "analytic/tokens/candidates.h"
#include "vocab/special_tokens.h"

/** Neighbours by length: one token shorter, as long, one longer. Zero-initialise; release with dlg_edits_release. */
typedef struct {
    size_t n[3], length[3];
    size_t *index[3]; /**< (n, length) indices into candidates->token */
    /* for dlg_edits_make */
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    size_t capacity;
    size_t shortest, offset; /* length of the first, without padding; of the text in padding */
    uint32_t *text, *edited;
    dlg_arena arena;
} dlg_edits;

/** Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_edits_create(dlg_edits *out, const dlg_candidates *, dlg_special_tokens, dlg_error *);

/** Accepts a zeroed one. */
void dlg_edits_release(dlg_edits *);

/**
 * All sentences that one inner token replaced, left out, inserted or moved, or two swapped, make of this one, as far as
 * every position has the token among its candidates. begin and end stay at the ends; what is padded, or cut out of a
 * longer text, stays as long as it is.
 */
void dlg_edits_make(dlg_edits *, size_t length, const size_t *index);

#endif
