/** Whole sentences of a batch, each made of the candidates of its positions. */
#ifndef DLG_ANALYTIC_SEQUENCES_SEQUENCES_H
#define DLG_ANALYTIC_SEQUENCES_SEQUENCES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Sentences, as indices into candidates->token. Zero-initialise but for n_positions; release with
 * dlg_sequences_release.
 */
typedef struct {
    size_t n, n_positions;
    size_t *lengths; /**< (n) */
    size_t *index;   /**< (n, n_positions) */
    double *outside; /**< (n) how badly each fits what it was judged by: 0 for not at all badly */
} dlg_sequences;

/** Append one. Errors: DLG_ENOMEM; the sequences are then as they were. */
DLG_MUST_USE dlg_status dlg_sequences_add(dlg_sequences *, size_t length, const size_t *index, double outside,
                                          dlg_error *);

/** Whether this sentence is among them. */
bool dlg_sequences_has(const dlg_sequences *, size_t length, const size_t *index);

/** Accepts a zeroed one. */
void dlg_sequences_release(dlg_sequences *);

#endif
