/** Sentences out of the tokens that each row may hold: discrete moves put a nearly right text right, the descent before them finds one. */
#include "leak/assembly.h"

#include "leak/moves.h"
#include "small_model.h"
#include "small_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SENTENCES = 2, LENGTH = 7, ROWS = SENTENCES * LENGTH, CHOICES = 3, CLS = 2, SEP = 3, MASK = 4, LABELS = 2 };

static const size_t lengths[SENTENCES] = {LENGTH, LENGTH};
static size_t masked[LABELS] = {3, LENGTH + 4}, labels[LABELS] = {7, 70};
static uint32_t fed[ROWS], token[ROWS * CHOICES];
static size_t first[ROWS + 1];
static const dlg_choices choices = {ROWS, first, token};
static small_step step;
static dlg_recovery recovery;
static dlg_attack_options options;
static dlg_attack_result result;

/* Every row may hold its own token, that of the other sentence, and one that nowhere stands. */
static void list_choices(void)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        const uint32_t t = i % LENGTH;
        fed[i] = t == 0 ? CLS : t == LENGTH - 1 ? SEP : i == masked[0] || i == masked[1] ? MASK : 10 + 6 * i;
    }
    for (size_t i = 0; i < ROWS; i++) {
        const size_t other = (i + LENGTH) % ROWS;
        first[i + 1] = first[i];
        token[first[i + 1]++] = (uint32_t)(8 + i);
        if (fed[other] != fed[i]) token[first[i + 1]++] = fed[other];
        token[first[i + 1]++] = fed[i];
    }
}

static int begin(void **state)
{
    (void)state;
    list_choices();
    small_step_share(&step, small_step_model(150, 32, 16), SENTENCES, lengths, fed, LABELS, masked, labels);
    const dlg_knowledge known = {.n_sentences = SENTENCES, .lengths = (size_t *)(uintptr_t)lengths, .n_labels = LABELS, .labels = labels,
                                 .n_rows = LABELS, .rows = masked, .placed = true, .markers = {CLS, SEP, MASK}};
    recovery = (dlg_recovery){0};
    result = (dlg_attack_result){0};
    options = (dlg_attack_options){.max_iterations = 50, .max_starts = 8};
    assert_int_equal(dlg_distance_find(&options.distance, "l2", NULL), DLG_OK);
    assert_int_equal(dlg_minimiser_find(&options.minimiser, "lbfgs", NULL), DLG_OK);
    assert_int_equal(dlg_recovery_begin(&recovery, &result, &step.gradient, &known, &options, NULL, NULL), DLG_OK);
    dlg_placement_start(&recovery.placement, true);
    memcpy(recovery.fed, fed, sizeof fed);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dlg_recovery_end(&recovery);
    dlg_attack_result_release(&result);
    small_step_release(&step);
    return 0;
}

static void improve(size_t n_tried)
{
    assert_int_equal(dlg_moves_improve(&recovery, &choices, n_tried, NULL), DLG_OK);
}

static void replaces(void **state)
{
    (void)state;
    recovery.fed[2] = 10;
    recovery.fed[LENGTH + 5] = (uint32_t)(8 + LENGTH + 5);
    improve(12);
    assert_memory_equal(recovery.fed, fed, sizeof fed);
    assert_true(dlg_recovery_is_explained(&recovery));
}

static void swaps_between_sentences(void **state)
{
    (void)state;
    recovery.fed[1] = fed[LENGTH + 1];
    recovery.fed[LENGTH + 1] = fed[1];
    improve(12);
    assert_memory_equal(recovery.fed, fed, sizeof fed);
}

static void swaps_heads(void **state)
{
    (void)state;
    for (size_t t = 1; t < 3; t++) {
        recovery.fed[t] = fed[LENGTH + t];
        recovery.fed[LENGTH + t] = fed[t];
    }
    improve(24);
    assert_memory_equal(recovery.fed, fed, sizeof fed);
}

static void leaves_the_right_text(void **state)
{
    (void)state;
    improve(24);
    assert_memory_equal(recovery.fed, fed, sizeof fed);
    assert_true(result.evaluations <= 2);
}

static void tries_no_more_than_that(void **state)
{
    (void)state;
    uint32_t wrong[ROWS];
    recovery.fed[2] = 10;
    memcpy(wrong, recovery.fed, sizeof wrong);
    improve(0);
    assert_memory_equal(recovery.fed, wrong, sizeof wrong);
}

static void assembles(void **state)
{
    (void)state;
    bool explained;
    memset(recovery.fed, 0, sizeof fed);
    assert_int_equal(dlg_assemble(&recovery, &choices, options.max_starts, &explained, NULL), DLG_OK);
    assert_true(explained);
    assert_memory_equal(recovery.fed, fed, sizeof fed); /* the labels' places say which sentence is which */
}

static dlg_status improve_again(void *argument, dlg_error *err)
{
    (void)argument;
    return dlg_moves_improve(&recovery, &choices, 2, err);
}

static dlg_status assemble_again(void *argument, dlg_error *err)
{
    bool explained;
    (void)argument;
    return dlg_assemble(&recovery, &choices, 1, &explained, err);
}

static void without_memory(void **state)
{
    (void)state;
    assert_true(fail_every_allocation(improve_again, NULL) >= 1);
    assert_true(fail_every_allocation(assemble_again, NULL) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replaces, begin, end),
        cmocka_unit_test_setup_teardown(swaps_between_sentences, begin, end),
        cmocka_unit_test_setup_teardown(swaps_heads, begin, end),
        cmocka_unit_test_setup_teardown(leaves_the_right_text, begin, end),
        cmocka_unit_test_setup_teardown(tries_no_more_than_that, begin, end),
        cmocka_unit_test_setup_teardown(assembles, begin, end),
        cmocka_unit_test_setup_teardown(without_memory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
