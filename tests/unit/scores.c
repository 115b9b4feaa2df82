/** Scores: what counts as right, and that too long, too short, too many and too few are all wrong. */
#include "report/scores.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The two sides: sentences end to end, first[] says where each begins. */
static dlg_scores compare(size_t n_found, size_t *found_first, const uint32_t *found, size_t n_true, size_t *true_first, uint32_t *ids)
{
    const dlg_attack_result result = {.state = {.tokens = found}, .n_sentences = n_found, .first = found_first};
    const dlg_truth truth = {.n_sentences = n_true, .first = true_first, .ids = ids};
    return dlg_scores_compute(&result, &truth);
}

static void assert_scores(dlg_scores scores, size_t n_right, size_t n_tokens, size_t n_exact, size_t n_sentences)
{
    assert_int_equal(scores.n_right, n_right);
    assert_int_equal(scores.n_tokens, n_tokens);
    assert_int_equal(scores.n_exact, n_exact);
    assert_int_equal(scores.n_sentences, n_sentences);
    assert_true(dlg_scores_token_accuracy(scores) == (double)n_right / (double)n_tokens);
    assert_true(dlg_scores_exact_match(scores) == (n_exact == n_sentences));
}

static void one_sentence(void **state)
{
    (void)state;
    size_t first[] = {0, 4};
    uint32_t ids[] = {2, 7, 8, 3};
    const uint32_t right[] = {2, 7, 8, 3}, wrong[] = {2, 7, 9, 3}, shifted[] = {2, 2, 7, 8};
    assert_scores(compare(1, first, right, 1, first, ids), 4, 4, 1, 1);
    assert_scores(compare(1, first, wrong, 1, first, ids), 3, 4, 0, 1);
    assert_scores(compare(1, first, shifted, 1, first, ids), 1, 4, 0, 1);
}

static void other_lengths(void **state)
{
    (void)state;
    size_t first[] = {0, 4}, shorter[] = {0, 3}, longer[] = {0, 5};
    uint32_t ids[] = {2, 7, 8, 3};
    const uint32_t found[] = {2, 7, 8, 3, 3};
    assert_scores(compare(1, shorter, found, 1, first, ids), 3, 4, 0, 1);
    assert_scores(compare(1, longer, found, 1, first, ids), 4, 5, 0, 1);
}

static void batches(void **state)
{
    (void)state;
    size_t first[] = {0, 3, 5};
    uint32_t ids[] = {2, 7, 3, 2, 8};
    const uint32_t half[] = {2, 7, 3, 2, 9}, swapped[] = {2, 8, 2, 7, 3};
    assert_scores(compare(2, first, half, 2, first, ids), 4, 5, 1, 2);
    assert_scores(compare(2, first, swapped, 2, first, ids), 1, 5, 0, 2);
    assert_scores(compare(1, first, half, 2, first, ids), 3, 5, 1, 2); /* a sentence that was not found */
    assert_scores(compare(2, first, half, 1, first, ids), 3, 5, 1, 2); /* one that never was */
}

static void nothing_found(void **state)
{
    (void)state;
    size_t first[] = {0, 4};
    uint32_t ids[] = {2, 7, 8, 3};
    assert_scores(compare(1, first, NULL, 1, first, ids), 0, 4, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sentence),
        cmocka_unit_test(other_lengths),
        cmocka_unit_test(batches),
        cmocka_unit_test(nothing_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
