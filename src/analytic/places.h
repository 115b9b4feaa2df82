/** Tokens in their places: what is certain of a text that was not read as a whole. */
#ifndef DLG_ANALYTIC_PLACES_H
#define DLG_ANALYTIC_PLACES_H

#include "analytic/analysis.h"

typedef struct {
    size_t position;
    uint32_t token;
} dlg_placed_token;

/** By position; several at one are those of several sentences, and then all there are. */
typedef struct {
    size_t n;
    dlg_placed_token *tokens;
} dlg_places;

/**
 * Tokens of an undefended gradient that stand at a position of some sentence, and that nothing else can stand for: the
 * only candidate there, or candidates that the word embedding's gradient names as all of the position's; of a single
 * sentence the only token that the position check admits; and all inputs, where dropout was on and all are found.
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_places_find(dlg_places *out, dlg_analysis *, size_t length, bool is_single, dlg_error *);

/** Accepts a zeroed one. */
void dlg_places_release(dlg_places *);

#endif
