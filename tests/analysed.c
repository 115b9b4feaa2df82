#include "analysed.h"

#include "shared_step.h"

dlg_status analysed_knowledge(dlg_knowledge *knowledge, const dlg_gradient *gradient, dlg_error *err)
{
    dlg_analysis *analysis;
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, err);
    if (!status) status = dlg_knowledge_infer(knowledge, analysis, err);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_inspection(dlg_inspection *found, const dlg_gradient *gradient, dlg_error *err)
{
    dlg_analysis *analysis;
    *found = (dlg_inspection){0};
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, err);
    if (!status) status = dlg_inspect(found, analysis, err);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_layout(dlg_batch_layout *layout, const dlg_gradient *gradient, size_t n_sentences)
{
    dlg_analysis *analysis;
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, NULL);
    if (!status) status = dlg_infer_layout(layout, analysis, n_sentences, NULL);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_span_check(dlg_span_check **check, const dlg_gradient *gradient, size_t n_tokens)
{
    dlg_analysis *analysis;
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, NULL);
    if (!status) status = dlg_analysis_span_check(check, analysis, n_tokens, NULL);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_input_space(dlg_input_space **space, const dlg_gradient *gradient, const dlg_batch *batch,
                                dlg_error *err)
{
    dlg_analysis *analysis;
    const dlg_spectrum *inputs;
    *space = NULL;
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, err);
    if (!status) status = dlg_analysis_inputs(&inputs, analysis, batch->n_rows, err);
    if (!status) status = dlg_input_space_create(space, gradient->model, inputs, batch, err);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_attack(const dlg_attack_class *attack, dlg_attack_result *result, const dlg_gradient *gradient,
                           const dlg_knowledge *knowledge, const dlg_attack_options *options,
                           const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_analysis *analysis;
    *result = (dlg_attack_result){0};
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, err);
    if (!status) status = dlg_attack_class_run(attack, result, analysis, knowledge, options, observer, err);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_candidates(dlg_candidates *candidates, const dlg_gradient *gradient, size_t n_positions)
{
    dlg_analysis *analysis;
    const dlg_spectrum *inputs;
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, NULL);
    if (!status) status = dlg_analysis_inputs(&inputs, analysis, SIZE_MAX, NULL);
    if (!status) status = dlg_candidates_find(candidates, gradient->model, inputs, n_positions, 1, NULL);
    dlg_analysis_free(analysis);
    return status;
}

dlg_status analysed_predicted_rows(dlg_predicted_rows *found, const dlg_gradient *gradient, size_t n_sentences,
                                   const size_t *lengths, const uint32_t *fed, dlg_error *err)
{
    const dlg_forward_text text = {n_sentences, lengths, fed, 0, NULL, NULL};
    dlg_analysis *analysis;
    const dlg_spectrum *head;
    *found = (dlg_predicted_rows){0};
    dlg_status status = dlg_analysis_create(&analysis, gradient, special, err);
    if (!status) status = dlg_analysis_head(&head, analysis, SIZE_MAX, err);
    if (!status) status = dlg_predicted_rows_find(found, gradient, head, dlg_analysis_forward(analysis), &text, err);
    dlg_analysis_free(analysis);
    return status;
}
