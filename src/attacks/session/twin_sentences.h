/**
 * Sentences that stand in a classifier's batch more than once, with other classes: they are read once, and the labels
 * of their row say how often they were there (analytic/labels/predicted_rows.h).
 */
#ifndef DLG_ATTACKS_SESSION_TWIN_SENTENCES_H
#define DLG_ATTACKS_SESSION_TWIN_SENTENCES_H

#include "analytic/labels/predicted_rows.h"

/** Sentences, one after the other. Zero-initialise; release with dlg_twin_sentences_release. */
typedef struct {
    size_t n, *lengths, *types; /**< types: NULL: all of the first */
    uint32_t *fed;
} dlg_twin_sentences;

/** The sentences that were read and, behind them, their twins, whose rows and labels become solved rows like others.
 * Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_twin_sentences_add(dlg_twin_sentences *out, dlg_predicted_rows *solved, size_t n,
                                               const size_t *lengths, const uint32_t *fed, const size_t *types,
                                               dlg_error *);

/** Accepts a zeroed one. */
void dlg_twin_sentences_release(dlg_twin_sentences *);

#endif
