/** Rows that the word and the position embeddings' gradients share name the tokens, also under a defence. */
#include "analytic/tokens/word_position_match.h"

#include "scarce.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 14, HIDDEN = 64, VOCABULARY = 2000, POSITIONS = 64, N_MASKS = 3 };

/* The same label twice, and one that was fed as well, at position 2. */
static const size_t masked[N_MASKS] = {5, 6, 9}, labels[N_MASKS] = {300, 300, 162};

static shared_step step;

static int share(void **state)
{
    (void)state;
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    step_begin(&step, step_model(&config, 1), 1, &(size_t){LENGTH});
    for (uint32_t i = 0; i < LENGTH; i++) step.fed[i] = 20 + 71 * i;
    step.fed[LENGTH - 1] = step.fed[3]; /* a token may occur twice */
    for (size_t i = 0; i < N_MASKS; i++) step.fed[masked[i]] = MASK;
    memcpy(step.labels, labels, sizeof labels);
    step_share(&step, N_MASKS, masked);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    return 0;
}

/* What is named is right, and the masks are. @return how many are named */
static size_t named(size_t n_predicted)
{
    dlg_position_check *check;
    dlg_word_position_match read;
    size_t n = 0, positions[LENGTH];
    const dlg_decoder_part part = {n_predicted, N_MASKS, labels};
    assert_int_equal(dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_word_position_match_find(&read, &step.gradient, check, LENGTH, &part, NULL), DLG_OK);
    for (size_t t = 0; t < LENGTH; t++) {
        n += read.is_named[t];
        if (read.is_named[t]) assert_int_equal(read.token[t], step.fed[t]);
    }
    if (n) assert_int_equal(dlg_word_position_match_positions(&read, MASK, positions), N_MASKS);
    for (size_t i = 0; n && i < N_MASKS; i++) assert_int_equal(positions[i], masked[i]);
    dlg_word_position_match_release(&read);
    dlg_position_check_free(check);
    return n;
}

static void names_tokens(void **state)
{
    (void)state;
    assert_true(named(N_MASKS) >= LENGTH - 1);
}

/* As long as two equal labels look like one. */
static void with_too_few_directions(void **state)
{
    (void)state;
    assert_true(named(N_MASKS - 1) >= LENGTH - 1);
}

static void under_noise(void **state)
{
    (void)state;
    step_defend(&step, "gaussian:1e-4", 3);
    assert_true(named(N_MASKS) >= LENGTH - 2);
}

static void under_pruning(void **state)
{
    (void)state;
    step_defend(&step, "prune:0.5", 3);
    assert_true(named(N_MASKS) >= LENGTH - 2);
}

static void under_integers(void **state)
{
    (void)state;
    step_defend(&step, "int8", 3);
    assert_true(named(N_MASKS) >= LENGTH - 2);
}

/* Nothing can be told, and nothing is. */
static void under_too_much_noise(void **state)
{
    (void)state;
    step_defend(&step, "gaussian:10", 3);
    assert_int_equal(named(N_MASKS), 0);
}

/* Each position's row is a sum of the others and the decoder's directions. */
static void where_there_is_no_room(void **state)
{
    (void)state;
    assert_int_equal(named(HIDDEN - LENGTH), 0);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_position_check *check;
    dlg_word_position_match read = {0};
    const dlg_decoder_part part = {N_MASKS, N_MASKS, labels};
    (void)argument;
    dlg_status status = dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, err);
    if (!status) status = dlg_word_position_match_find(&read, &step.gradient, check, LENGTH, &part, err);
    if (status) assert_null(read.token);
    dlg_word_position_match_release(&read);
    dlg_position_check_free(check);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    assert_true(fail_every_allocation(attempt, NULL) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_tokens, share, release),
        cmocka_unit_test_setup_teardown(with_too_few_directions, share, release),
        cmocka_unit_test_setup_teardown(under_noise, share, release),
        cmocka_unit_test_setup_teardown(under_pruning, share, release),
        cmocka_unit_test_setup_teardown(under_integers, share, release),
        cmocka_unit_test_setup_teardown(under_too_much_noise, share, release),
        cmocka_unit_test_setup_teardown(where_there_is_no_room, share, release),
        cmocka_unit_test_setup_teardown(without_memory, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
