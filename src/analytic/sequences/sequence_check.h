/**
 * Whether a whole sentence was in the batch (DAGER, Petrov et al. 2024, arXiv:2405.15586, section 4.2): its rows before
 * layer 1 lie in the row space of layer 1's query, key and value gradients. Where layer 1 is the last, only predicted
 * rows have query gradients, and only they are asked, of that one; where there is no layer 1, of the head's first
 * weight. Each sentence is judged by itself, whatever the others are: a batch is not assembled at once but sentence by
 * sentence.
 *
 * The same may be asked inside layer 0, between the two weights of its feed-forward part. There every row is asked, of
 * four times as many numbers, so that a sentence is the better the fewer of its tokens are wrong, which guides a search
 * well; but rows with hardly a gradient are lost in rounding, so that it cannot say whether a sentence is right.
 */
#ifndef DLG_ANALYTIC_SEQUENCES_SEQUENCE_CHECK_H
#define DLG_ANALYTIC_SEQUENCES_SEQUENCE_CHECK_H

#include "analytic/tokens/candidates.h"
#include "vocab/special_tokens.h"

typedef struct dlg_sequence_check dlg_sequence_check;

/**
 * Borrows gradient and candidates, which say what sentences are made of. *out is NULL on failure. Errors: DLG_ENOMEM,
 * DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_sequence_check_create(dlg_sequence_check **out, const dlg_gradient *,
                                                  const dlg_candidates *, dlg_special_tokens, bool inside, dlg_error *);

/** Accepts NULL. */
void dlg_sequence_check_free(dlg_sequence_check *);

/**
 * Rank of the row space: as many different rows were asked in the batch. 0 where the check sees nothing, for there are
 * too many.
 */
size_t dlg_sequence_check_rank(const dlg_sequence_check *);

/**
 * How far each of n sentences lies outside, as a part of what sets it apart from the found ones: 0 for one that was
 * there, about 1 for another, whatever for a found one.
 * @param[in] index (n, length) of the candidates in candidates->token, by position @param[out] outside (n)
 */
void dlg_sequence_check_outside(dlg_sequence_check *, size_t n, size_t length, const size_t *index, double *outside);

/**
 * Whether the sentence was there: none of its rows lies further outside than rounding leaves it (row_rounding.h), which
 * is little beside what sets the sentence apart from the found ones. So one found before is not there again. Another
 * whose rows are combinations of those that were there, to rounding, cannot be told from them. Not asked inside.
 */
bool dlg_sequence_check_has(dlg_sequence_check *, size_t length, const size_t *index);

/**
 * Take a sentence as found: from now on others are judged by what of their rows is not of the found ones.
 * @return how many of its rows were asked
 */
size_t dlg_sequence_check_found(dlg_sequence_check *, size_t length, const size_t *index);

#endif
