/**
 * How much of the truth an attack recovered: computed when it has ended, from its result and the truth file, here for
 * every attack.
 */
#ifndef DLG_REPORT_SCORES_H
#define DLG_REPORT_SCORES_H

#include "io/truth.h"
#include "attacks/session/attack.h"
#include "report/rouge.h"
#include "tokenizer/tokenizer.h"

/**
 * Match the sentences of both sides, and compare each with its own. The order within a batch leaves no trace in a
 * gradient, so it counts for nothing: the matching with the most tokens right is taken, and of several the one with the
 * most exact sentences (Hungarian method). Where lengths differ the longer one counts, and so does a sentence that only
 * one side has: too many tokens are as wrong as too few.
 * @param knowledge the result's labels @param tokenizer both sides are decoded with it for ROUGE
 * Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_scores_compute(dlg_scores *out, const dlg_attack_result *, const dlg_knowledge *,
                                           const dlg_truth *, const dlg_tokenizer *, dlg_error *);

/** n_right / n_tokens. */
double dlg_scores_token_accuracy(const dlg_scores *);

/** n_in_bag / n_bag; never less than the token accuracy. */
double dlg_scores_bag_similarity(const dlg_scores *);

/** n_labels_right / n_labels. */
double dlg_scores_label_accuracy(const dlg_scores *);

/** Whether every token of every sentence is right. */
bool dlg_scores_exact_match(const dlg_scores *);

#endif
