/** How much of the truth an attack recovered: computed when it has ended, from its result and the truth. */
#ifndef DLG_SCORES_H
#define DLG_SCORES_H

#include "dlg/attack.h"
#include "dlg/status.h"
#include "dlg/truth.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What both texts have: as a part of the found text, of the wanted one, and the harmonic mean of the two. */
typedef struct {
    double precision, recall, f1;
} dlg_rouge_score;

typedef struct {
    dlg_rouge_score one, two; /**< words and pairs of neighbouring words, as often as both texts have them */
    dlg_rouge_score longest;  /**< the longest common subsequence of words */
} dlg_rouge;

typedef struct {
    size_t n_right, n_tokens;    /**< tokens in their place, labels put back, of all, begin and end included */
    size_t n_exact, n_sentences; /**< sentences all of whose tokens are right, of all */
    /** tokens that both sides have, wherever they stand, of those of the side that has more */
    size_t n_in_bag, n_bag;
    size_t n_labels_right, n_labels; /**< the same of the labels: tokens behind the masks, or classes */
    dlg_rouge rouge;                 /**< mean over the sentences, without special tokens */
    dlg_rouge rouge_special;         /**< with them: begin and end are words then, which every attack gets right */
} dlg_scores;

/**
 * Match the sentences of both sides, whose order leaves no trace in a gradient, and compare each with its own.
 * Errors: DLG_EARG before the attack has run; DLG_ESHAPE, naming the truth's file, for one that the model cannot have
 * made; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_score(dlg_scores *out, const dlg_attack *, const dlg_truth *,
                                                    dlg_error *);

#ifdef __cplusplus
}
#endif

#endif
