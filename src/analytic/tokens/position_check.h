/**
 * The position check: which tokens a sentence can hold at each position, read off the position embedding's gradient.
 *
 * The embeddings' layer norm hands back du[t] = rstd (h - mean h - xhat mean(h xhat)), which is orthogonal to ones and
 * to xhat, and so to u = E[token] + P[t] + S[type] that went in. In a batch of one sentence du[t] is row t of the
 * position embedding's gradient, so every position holds one linear equation that its token fulfils to rounding and
 * another token fulfils by chance; the layer norm's epsilon blurs it a little. Unlike the span check this asks nothing
 * of how many tokens there are. Noise blurs the equation by as much as its own level, which the gradient shows.
 */
#ifndef DLG_ANALYTIC_TOKENS_POSITION_CHECK_H
#define DLG_ANALYTIC_TOKENS_POSITION_CHECK_H

#include "gradient/gradient.h"

#include <stdint.h>

typedef struct dlg_position_check dlg_position_check;

/**
 * Look at positions 0 .. length-1 of a batch of one sentence. @param types (length) of its tokens; NULL: all the first
 * *out is NULL on failure. Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_position_check_create(dlg_position_check **out, const dlg_gradient *, size_t length,
                                                  const size_t *types, dlg_error *);

/** One of one's own, to name tokens in. *out is NULL on failure. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_position_check_copy(dlg_position_check **out, const dlg_position_check *, dlg_error *);

/** How many positions it looks at. */
size_t dlg_position_check_length(const dlg_position_check *);

/** Accepts NULL. */
void dlg_position_check_free(dlg_position_check *);

/** Whether that token's equation is fulfilled as well as the noise lets it be. */
bool dlg_position_check_admits(const dlg_position_check *, uint32_t token, size_t position);

/** The same where any is admitted there; else, and of no check, NULL, all are. */
bool dlg_position_check_allows(const dlg_position_check *, uint32_t token, size_t position);

/** How many tokens are admitted at a position; at best, next to an undefended gradient, one. */
size_t dlg_position_check_count(const dlg_position_check *, size_t position);

/** Other evidence names the token at a position: admit no other. */
void dlg_position_check_name(dlg_position_check *, size_t position, uint32_t token);

/** The token whose equation is fulfilled best. */
uint32_t dlg_position_check_best(const dlg_position_check *, size_t position);

#endif
