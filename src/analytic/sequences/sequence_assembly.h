/** Tokens arranged so that what is known of each token is the sum of what is known of the positions it takes. */
#ifndef DLG_ANALYTIC_SEQUENCES_SEQUENCE_ASSEMBLY_H
#define DLG_ANALYTIC_SEQUENCES_SEQUENCE_ASSEMBLY_H

#include "analytic/tokens/candidates.h"
#include "vocab/special_tokens.h"

/** Zero-initialise. Borrowed, but for the arena. */
typedef struct {
    const dlg_candidates *candidates;
    const size_t *slot; /**< (candidates) which token it is, 0 .. n_tokens - 1 */
    size_t n_tokens, n_values;
    const double *of_tokens, *of_positions; /**< (n_tokens, n_values), (T, n_values) */
    dlg_special_tokens special;
    size_t from, to; /* the text; what stands before and behind it is padding */
    double *rest;    /* (n_tokens, n_values) of_tokens without the positions that took them */
    size_t *now;     /* (T) */
    bool *settled;   /* (T) these do not change their minds */
    bool *stands;    /* (candidates) may stand where it is one, in the shape that is tried */
    dlg_arena arena;
} dlg_sequence_assembly;

/** Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_sequence_assembly_reserve(dlg_sequence_assembly *, dlg_error *);

/**
 * The sentence whose positions match its tokens best, of whatever length: positions behind its end match nothing.
 * @param[out] index (T) indices into candidates->token @param[out] misfit squares that are left over, as a part of all
 * @return its length; 0 when no candidates make a sentence
 */
size_t dlg_sequence_assembly_find(dlg_sequence_assembly *, size_t *index, double *misfit);

void dlg_sequence_assembly_release(dlg_sequence_assembly *);

#endif
