/**
 * The participant's masks: which tokens a masked LM is to predict, and what is fed in their place (Devlin et al. 2019,
 * section 3.1).
 */
#ifndef DLG_GRADIENT_MASKING_H
#define DLG_GRADIENT_MASKING_H

#include "dlg/truth.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double rate; /**< of the tokens between begin and end; 0.15 in BERT */
    dlg_mask_style style;
    uint32_t mask;          /**< the mask token */
    size_t vocabulary_size; /**< random tokens are below */
} dlg_masking;

/**
 * Choose max(1, round(rate (n - 2))) of the n - 2 inner positions of one sentence, each set equally likely. The choice
 * depends on (seed, sentence, n) and the style alone.
 * @param n           at least 3, of a pair 5
 * @param middle      of a pair: the end between its texts, which is never chosen; else 0
 * @param sentence    its index in the batch
 * @param[in,out] fed (n) the sentence's ids; chosen ones are replaced
 * @param[out] labels (n) the chosen positions' ids are written, others left as they are
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_masking_apply(const dlg_masking *, uint64_t seed, size_t sentence, size_t n, size_t middle,
                                          uint32_t *fed, int64_t *labels, dlg_error *);

#endif
