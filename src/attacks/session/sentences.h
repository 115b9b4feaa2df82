/**
 * Sentences that were read: the rows that were predicted in them, their labels and the loss are solved for
 * (analytic/labels/predicted_rows.h), and the gradient that they make is compared with the shared one.
 */
#ifndef DLG_ATTACKS_SESSION_SENTENCES_H
#define DLG_ATTACKS_SESSION_SENTENCES_H

#include "attacks/session/attack.h"

/** What an attack was given, and whether a text explains the gradient by now. */
typedef struct {
    dlg_attack_result *out;
    dlg_analysis *analysis;
    const dlg_gradient *gradient; /**< the analysis' */
    const dlg_knowledge *knowledge;
    const dlg_attack_options *options;
    const dlg_attack_observer *observer;
    bool explained;
} dlg_attempt;

/**
 * Where these sentences explain the gradient they are the result, `explained` is set and the end DLG_EXPLAINED. Where
 * they do not they are the result all the same if they are a part of the batch, but for one that is alone: its labels
 * are left to a descent.
 * @param[in] fed their tokens, one sentence after the other @param[in] types of these; NULL: all of the first
 * @param part how much of the batch they are, zero: not known
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ESHAPE.
 */
DLG_MUST_USE dlg_status dlg_sentences_explain(dlg_attempt *, size_t n_sentences, const size_t *lengths,
                                              const uint32_t *fed, const size_t *types, const dlg_part *part,
                                              dlg_error *);

#endif
