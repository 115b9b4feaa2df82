/**
 * From embeddings to tokens: the nearest rows of the word embedding, by cosine (it finds the token earlier than
 * Euclidean distance does).
 */
#ifndef DLG_ATTACKS_SESSION_NEAREST_H
#define DLG_ATTACKS_SESSION_NEAREST_H

#include "analytic/evidence.h"
#include "analytic/tokens/position_check.h"

#include <stddef.h>
#include <stdint.h>

typedef struct dlg_nearest dlg_nearest;

/**
 * @param table (n_vocabulary, n_columns), borrowed @param n_rows how many embeddings will be decoded at once. *out is
 * NULL on failure.
 */
DLG_MUST_USE dlg_status dlg_nearest_create(dlg_nearest **out, const dlg_real *table, size_t n_vocabulary,
                                           size_t n_columns, size_t n_rows, dlg_error *);

/** Accepts NULL. */
void dlg_nearest_free(dlg_nearest *);

/**
 * @param[in] x (n_rows, n_columns) @param[out] tokens (n_rows) @param[out] evidence (n_rows) that each was found by
 * descent, how near it is and how far the next. Allocates nothing. Rows of the table that are zero are never nearest.
 */
void dlg_nearest_find(const dlg_nearest *, const dlg_real *x, const dlg_position_check *check, uint32_t *tokens,
                      dlg_evidence *evidence);

#endif
