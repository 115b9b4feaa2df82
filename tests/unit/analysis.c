/** The analysis: each piece is found once, however often and by whomever it is asked for. */
#include "analytic/analysis.h"

#include "analytic/inspect.h"
#include "attacks/table.h"
#include "base/memory.h"
#include "math/blas.h"
#include "scarce.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static dlg_status ask_all(dlg_analysis *a, dlg_error *err)
{
    const dlg_defence_traces *traces;
    const dlg_spectrum *inputs, *head;
    const dlg_candidates *candidates;
    const dlg_position_check *check;
    const dlg_label_restoration *restoration;
    size_t n_inputs, n_attended, n_head_rows;
    dlg_status status = dlg_analysis_traces(&traces, a, err);
    if (!status) status = dlg_analysis_count_inputs(&n_inputs, a, err);
    if (!status) status = dlg_analysis_count_attended(&n_attended, a, err);
    if (!status) status = dlg_analysis_inputs(&inputs, a, SIZE_MAX, err);
    if (!status) status = dlg_analysis_candidates(&candidates, a, STEP_LENGTH, err);
    if (!status) status = dlg_analysis_position_check(&check, a, STEP_LENGTH, err);
    if (!status) status = dlg_analysis_count_head_rows(&n_head_rows, a, err);
    if (!status) status = dlg_analysis_head(&head, a, SIZE_MAX, err);
    if (!status && dlg_analysis_gradient(a)->model->config.task == DLG_SEQUENCE_CLASSIFICATION)
        status = dlg_analysis_restoration(&restoration, a, err);
    if (!status) assert_true(n_inputs == STEP_LENGTH && n_attended == STEP_LENGTH && n_head_rows == 1);
    if (!status) assert_true(candidates->sees && dlg_position_check_length(check) == STEP_LENGTH);
    return status;
}

/* What is there already costs no memory, and so no work. */
static void once(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t i = 0; i < 2; i++) {
        shared_step s;
        dlg_analysis *a;
        step_share_sentence(&s, tasks[i]);
        assert_int_equal(dlg_analysis_create(&a, &s.gradient, special, NULL), DLG_OK);
        size_t length;
        assert_int_equal(dlg_analysis_length(&length, a, NULL), DLG_OK);
        assert_int_equal(length, STEP_LENGTH);
        assert_int_equal(ask_all(a, NULL), DLG_OK);
        const size_t before = dlg_allocation_count();
        assert_int_equal(ask_all(a, NULL), DLG_OK);
        assert_int_equal(dlg_allocation_count(), before);
        dlg_analysis_free(a);
        step_release(&s);
    }
}

/* What was inspected is attacked with the same pieces, and nothing of it has changed. */
static void shared_by_all(void **state)
{
    (void)state;
    shared_step s;
    dlg_analysis *a;
    step_share_sentence(&s, DLG_MASKED_LM);
    const dlg_attack_options options = {.distance = dlg_attacks[0]->distance,
                                        .minimiser = dlg_attacks[0]->minimiser,
                                        .max_iterations = 1,
                                        .max_starts = 1};
    assert_int_equal(dlg_analysis_create(&a, &s.gradient, special, NULL), DLG_OK);
    for (int round = 0; round < 2; round++) {
        dlg_inspection found;
        dlg_knowledge knowledge = {0};
        dlg_attack_result result;
        assert_int_equal(dlg_inspect(&found, a, NULL), DLG_OK);
        assert_non_null(found.text);
        assert_memory_equal(found.text, s.fed, STEP_LENGTH * sizeof *s.fed);
        assert_int_equal(dlg_knowledge_infer(&knowledge, a, NULL), DLG_OK);
        assert_int_equal(dlg_attack_class_run(dlg_attacks[0], &result, a, &knowledge, &options, NULL, NULL), DLG_OK);
        assert_int_equal(result.end, DLG_EXPLAINED);
        assert_memory_equal(result.state.fed, s.fed, STEP_LENGTH * sizeof *s.fed);
        dlg_attack_result_release(&result);
        dlg_knowledge_release(&knowledge);
        dlg_inspection_release(&found);
    }
    dlg_analysis_free(a);
    step_release(&s);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    const shared_step *s = argument;
    dlg_analysis *a;
    dlg_status status = dlg_analysis_create(&a, &s->gradient, special, err);
    if (!status) status = ask_all(a, err);
    dlg_analysis_free(a);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    shared_step s;
    step_share_sentence(&s, DLG_MASKED_LM);
    assert_true(fail_every_allocation(attempt, &s) > 10);
    step_release(&s);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),
        cmocka_unit_test(shared_by_all),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
