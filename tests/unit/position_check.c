/**
 * The position check: the tokens that were there are admitted, alone without a defence and among few others with
 * one.
 */
#include "analytic/tokens/position_check.h"

#include "scarce.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { LENGTH = 24, HIDDEN = 16, VOCABULARY = 2000, POSITIONS = 64, LABEL = 77, MASKED = 5 };

static shared_step step;

/* A sentence longer than the model is wide, where no other check sees anything. */
static void share_with_epsilon(double eps)
{
    dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    config.layer_norm_eps = eps;
    step_begin(&step, step_model(&config, 1), 1, &(size_t){LENGTH});
    for (uint32_t i = 0; i < LENGTH; i++) step.fed[i] = 20 + 71 * i;
    step.fed[LENGTH - 1] = step.fed[3]; /* a token may occur twice */
    step.labels[0] = LABEL;
    step_share(&step, 1, &(size_t){MASKED});
}

static int share(void **state)
{
    (void)state;
    share_with_epsilon(1e-12);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    return 0;
}

/* Every token that was there is admitted. @return how many are, mean over the positions */
static double admitted(void)
{
    dlg_position_check *check;
    size_t n = 0;
    assert_int_equal(dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, NULL), DLG_OK);
    for (size_t t = 0; t < LENGTH; t++) {
        size_t here = 0;
        assert_true(dlg_position_check_admits(check, step.fed[t], t));
        for (uint32_t v = 0; v < VOCABULARY; v++) here += dlg_position_check_admits(check, v, t);
        assert_int_equal(here, dlg_position_check_count(check, t));
        n += here;
    }
    dlg_position_check_free(check);
    return (double)n / LENGTH;
}

static void names_every_token(void **state)
{
    (void)state;
    dlg_position_check *check;
    assert_int_equal(dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, NULL), DLG_OK);
    for (size_t t = 0; t < LENGTH; t++) assert_int_equal(dlg_position_check_best(check, t), step.fed[t]);
    dlg_position_check_free(check);
    assert_true(admitted() < 1.2);
}

/* What the layer norm adds to the variance leaves the token's own equation a little off. */
static void with_a_large_epsilon(void **state)
{
    (void)state;
    for (double eps = 1e-8; eps < 1e-3; eps *= 10) {
        share_with_epsilon(eps);
        assert_true(admitted() < (eps < 5e-7 ? 1.2 : 1.5 + eps / 1e-7));
        step_release(&step);
    }
}

static void under_pruning(void **state)
{
    (void)state;
    step_defend(&step, "prune:0.5", 3); /* takes the zeros behind the sentence first */
    assert_true(admitted() < 1.2);
}

static void under_strong_pruning(void **state)
{
    (void)state;
    step_defend(&step, "prune:0.8", 3); /* then half of the sentence's own */
    assert_true(admitted() < VOCABULARY);
}

static void under_noise(void **state)
{
    (void)state;
    step_defend(&step, "gaussian:1e-4", 3);
    assert_true(admitted() < VOCABULARY / 4.0);
}

static void under_rounding(void **state)
{
    (void)state;
    step_defend(&step, "bf16", 3);
    assert_true(admitted() < VOCABULARY / 20.0);
}

static void under_integers(void **state)
{
    (void)state;
    step_defend(&step, "int8", 3);
    assert_true(admitted() < VOCABULARY * 0.75);
}

/* What other evidence names is the only one that is left, at its position alone. */
static void is_told_a_name(void **state)
{
    (void)state;
    enum { HERE = 7, NAMED = 1234 };
    dlg_position_check *check;
    step_defend(&step, "gaussian:1e-4", 3);
    assert_int_equal(dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, NULL), DLG_OK);
    const size_t before = dlg_position_check_count(check, HERE - 1), after = dlg_position_check_count(check, HERE + 1);
    assert_true(dlg_position_check_count(check, HERE) > 1);
    dlg_position_check_name(check, HERE, NAMED);
    for (uint32_t v = 0; v < VOCABULARY; v++) assert_int_equal(dlg_position_check_admits(check, v, HERE), v == NAMED);
    assert_int_equal(dlg_position_check_count(check, HERE), 1);
    assert_int_equal(dlg_position_check_best(check, HERE), NAMED);
    assert_int_equal(dlg_position_check_count(check, HERE - 1), before);
    assert_int_equal(dlg_position_check_count(check, HERE + 1), after);
    assert_true(dlg_position_check_admits(check, step.fed[HERE - 1], HERE - 1));
    assert_true(dlg_position_check_admits(check, step.fed[HERE + 1], HERE + 1));
    dlg_position_check_free(check);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_position_check *check;
    (void)argument;
    const dlg_status status = dlg_position_check_create(&check, &step.gradient, LENGTH, NULL, err);
    dlg_position_check_free(check);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    assert_true(fail_every_allocation(attempt, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_every_token, share, release),
        cmocka_unit_test(with_a_large_epsilon),
        cmocka_unit_test_setup_teardown(under_pruning, share, release),
        cmocka_unit_test_setup_teardown(under_strong_pruning, share, release),
        cmocka_unit_test_setup_teardown(under_noise, share, release),
        cmocka_unit_test_setup_teardown(under_rounding, share, release),
        cmocka_unit_test_setup_teardown(under_integers, share, release),
        cmocka_unit_test_setup_teardown(is_told_a_name, share, release),
        cmocka_unit_test_setup_teardown(without_memory, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
