/** Sentences assembled from the tokens that each position may hold. */
#ifndef DLG_LEAK_ASSEMBLY_H
#define DLG_LEAK_ASSEMBLY_H

#include "leak/choices.h"
#include "leak/recovery.h"

/**
 * Choose a token for every row: x[i] = sum_j A[i][j] E[choice j] descends over A, which are far fewer numbers than x; its largest entries
 * are tokens, which discrete moves improve (dlg_moves_improve). Where every row has one choice nothing but the labels is left to find.
 * @param n_starts from how many random A
 * @param[out] explained whether the tokens' own gradient is the shared one. r->fed and the labels' places are then these; else they are
 *             those of the last start
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_assemble(dlg_recovery *, const dlg_choices *, size_t n_starts, bool *explained, dlg_error *);

#endif
