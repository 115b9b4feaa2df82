/** Single questions to the analysis of a gradient, for tests that have no other; of `special` in shared_step.h. */
#ifndef DLG_TESTS_ANALYSED_H
#define DLG_TESTS_ANALYSED_H

#include "analytic/infer.h"
#include "analytic/inspect.h"
#include "analytic/labels/infer_labels.h"
#include "analytic/labels/predicted_rows.h"
#include "analytic/tokens/input_space.h"
#include "attacks/session/attack.h"

dlg_status analysed_knowledge(dlg_knowledge *, const dlg_gradient *, dlg_error *);
dlg_status analysed_inspection(dlg_inspection *, const dlg_gradient *, dlg_error *);
dlg_status analysed_layout(dlg_batch_layout *, const dlg_gradient *, size_t n_sentences);
dlg_status analysed_span_check(dlg_span_check **, const dlg_gradient *, size_t n_tokens);
dlg_status analysed_input_space(dlg_input_space **, const dlg_gradient *, const dlg_batch *, dlg_error *);
dlg_status analysed_attack(const dlg_attack_class *, dlg_attack_result *, const dlg_gradient *, const dlg_knowledge *,
                           const dlg_attack_options *, const dlg_attack_observer *, dlg_error *);

/** Before the word embedding's gradient narrows them. */
dlg_status analysed_candidates(dlg_candidates *, const dlg_gradient *, size_t n_positions);

/** Nothing is known of which they probably are. */
dlg_status analysed_predicted_rows(dlg_predicted_rows *, const dlg_gradient *, size_t n_sentences,
                                   const size_t *lengths, const uint32_t *fed, dlg_error *);

#endif
