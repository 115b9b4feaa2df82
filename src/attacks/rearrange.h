/** Changes of word order that LAMP tries (Balunovic et al. 2022, arXiv:2202.08827). */
#ifndef DLG_ATTACKS_REARRANGE_H
#define DLG_ATTACKS_REARRANGE_H

#include "math/random.h"

typedef enum {
    DLG_SWAP,      /**< two words change places */
    DLG_MOVE,      /**< one word goes to another place */
    DLG_MOVE_SPAN, /**< so do several that follow each other */
    DLG_ROTATE,    /**< what a sentence begins with goes to its end */
    DLG_REARRANGEMENTS
} dlg_rearrangement;

/** Rearrange order[0 .. n-1], n >= 2, at random places; something always changes. */
void dlg_rearrange(size_t *order, size_t n, dlg_rearrangement, dlg_random *);

/**
 * Rearrange the rows `free_row` (n) among themselves; as they are where n < 2.
 * @param kind DLG_REARRANGEMENTS: any order at all @param[out] order at these rows: which row of before stands there
 * @param scratch (n)
 */
void dlg_rearrange_rows(size_t *order, size_t n, const size_t *free_row, dlg_rearrangement kind, size_t *scratch,
                        dlg_random *);

#endif
