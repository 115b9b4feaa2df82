/**
 * A whole sentence read off one of its places: context_equations.h solved for which candidates stand around it.
 *
 * The equations are far more than the candidates that take part, and no m_j is negative, which makes least squares
 * sparse by itself. Levenberg and Marquardt's steps, each a least-squares problem without negative numbers, begin where
 * all candidates of a position are about alike and end at a sentence in a few of them. Positions before the place hold
 * one candidate each, which is one equation more for each of them; an end says besides that nothing stands behind it.
 *
 * A place that stands in several sentences has a solution for each. Those that are found are made none by deflation
 * (Farrell, Birkisson & Funke 2015, SIAM J. Sci. Comput. 37): the sum of squares is multiplied by 1 + 1 / (distance to
 * the found one), so that the next descent ends elsewhere.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_CONTEXT_READING_H
#define DLG_ANALYTIC_SEQUENCES_CONTEXT_READING_H

#include "analytic/sequences/sequences.h"
#include "analytic/tokens/candidates.h"
#include "gradient/gradient.h"
#include "vocab/special_tokens.h"

typedef struct dlg_context_reading dlg_context_reading;

/**
 * Borrows model and candidates. *out is NULL on failure, and where the equations see nothing. Errors: DLG_ENOMEM,
 * DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_context_reading_create(dlg_context_reading **out, const dlg_gradient *,
                                                   const dlg_candidates *, dlg_special_tokens, dlg_error *);

/** Accepts NULL. */
void dlg_context_reading_free(dlg_context_reading *);

/**
 * Try the next place: those that were there for certain and are in no found sentence, the furthest back first; then
 * ends; then, a few times each, ends that gave a sentence, and what else there is.
 * @param[out] is_over no place is left to try; of NULL none ever is
 * @param[out] length of the sentence that comes nearest, 0: none @param[out] index (n_positions) of its candidates
 * Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_context_reading_next(dlg_context_reading *, const dlg_sequences *found, bool *is_over,
                                                 size_t *length, size_t *index, dlg_error *);

#endif
