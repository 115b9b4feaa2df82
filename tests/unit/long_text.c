/**
 * A single text of more tokens than the model is wide, whose row space holds everything: it is read off the position
 * embedding's rows, among the tokens that the word embedding's show. Of a vocabulary so large other tokens fit some
 * rows by chance.
 */
#include "attacks/classes.h"

#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { VOCABULARY = 24000, HIDDEN = 64, LENGTH = 80, N_MASKS = 6 };

static const size_t masked[N_MASKS] = {3, 17, 18, 40, 55, 70};

static void share(shared_step *s, dlg_task task)
{
    dlg_config config = step_config(task, VOCABULARY, HIDDEN, LENGTH);
    const bool is_mlm = task == DLG_MASKED_LM;
    config.initializer_range = 0.05;
    step_begin(s, step_model(&config, 1), 1, &(size_t){LENGTH});
    for (uint32_t i = 1; i + 1 < LENGTH; i++) s->fed[i] = 100 + 97 * (i % 40); /* most of them twice */
    for (size_t i = 0; i < N_MASKS && is_mlm; i++) {
        s->labels[i] = s->fed[masked[i]];
        s->fed[masked[i]] = MASK;
    }
    if (!is_mlm) s->labels[0] = 1;
    step_share(s, is_mlm ? N_MASKS : 0, masked);
}

static void is_read(dlg_task task)
{
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 1, .max_starts = 1};
    shared_step s;
    dlg_attack_result result;
    dlg_knowledge knowledge = {0};
    share(&s, task);
    assert_int_equal(analysed_knowledge(&knowledge, &s.gradient, NULL), DLG_OK);
    assert_int_equal(analysed_attack(&dlg_attack_auto, &result, &s.gradient, &knowledge, &options, NULL, NULL), DLG_OK);
    assert_int_equal(result.end, DLG_EXPLAINED);
    assert_int_equal(result.n_sentences, 1);
    assert_memory_equal(result.state.fed, s.fed, LENGTH * sizeof *s.fed);
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
    step_release(&s);
}

static void of_a_masked_lm(void **state)
{
    (void)state;
    is_read(DLG_MASKED_LM);
}

static void of_a_classifier(void **state)
{
    (void)state;
    is_read(DLG_SEQUENCE_CLASSIFICATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_masked_lm), cmocka_unit_test(of_a_classifier)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
