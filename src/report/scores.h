/** How much of the truth an attack recovered: computed when it has ended, from its result and the truth file. */
#ifndef DLG_REPORT_SCORES_H
#define DLG_REPORT_SCORES_H

#include "io/truth.h"
#include "leak/attack.h"

typedef struct {
    size_t n_right, n_tokens;    /**< tokens in their place, labels put back, of all, [CLS] and [SEP] included */
    size_t n_exact, n_sentences; /**< sentences all of whose tokens are right, of all */
} dlg_scores;

/**
 * Compare sentence by sentence, in order. Where lengths differ the longer one counts, and so does a sentence that only one side has: too
 * many tokens are as wrong as too few.
 */
dlg_scores dlg_scores_compute(const dlg_attack_result *, const dlg_truth *);

/** n_right / n_tokens. */
double dlg_scores_token_accuracy(dlg_scores);

/** Whether everything is right. */
bool dlg_scores_exact_match(dlg_scores);

#endif
