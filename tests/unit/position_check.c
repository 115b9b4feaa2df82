/** The position check: the tokens that were there are admitted, alone without a defence and among few others with one. */
#include "leak/position_check.h"

#include "base/memory.h"
#include "defend/defence.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 24, HIDDEN = 16, VOCABULARY = 2000, POSITIONS = 64, LABEL = 77, MASKED = 5, TYPES = 2 };

static dlg_model *model;
static dlg_gradient gradient;
static uint32_t fed[LENGTH];

/* A sentence longer than the model is wide, where no other check sees anything. */
static int share(void **state)
{
    (void)state;
    const dlg_config config = {.task = DLG_MASKED_LM, .vocabulary_size = VOCABULARY, .hidden_size = HIDDEN, .n_layers = 2, .n_heads = 2,
                               .intermediate_size = 32, .max_positions = POSITIONS, .n_token_types = TYPES, .layer_norm_eps = 1e-12,
                               .initializer_range = 0.2, .tied_decoder = true};
    const size_t length = LENGTH, masked = MASKED, label = LABEL;
    dlg_batch batch = {0};
    for (uint32_t i = 0; i < LENGTH; i++) fed[i] = 20 + 71 * i;
    fed[LENGTH - 1] = fed[3]; /* a token may occur twice */
    if (dlg_model_preset(&model, "small", &config, 1, NULL)) return 1;
    if (dlg_batch_create(&batch, DLG_MASKED_LM, 1, &length, NULL) || dlg_batch_predict(&batch, 1, &masked, NULL)) return 1;
    const dlg_status status = dlg_gradient_share(&gradient, NULL, model, &(dlg_step){&batch, fed, &label}, NULL);
    dlg_batch_release(&batch);
    return status != DLG_OK;
}

static int release(void **state)
{
    (void)state;
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
    return 0;
}

static void defend(const char *spec)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < gradient.n; i++) {
        const dlg_parameter *p = &model->parameters[i];
        assert_int_equal(dlg_defence_apply(&defence, 1, p->name, gradient.owned[i], dlg_parameter_items(p), 3, NULL), DLG_OK);
    }
}

/* Every token that was there is admitted. @return how many are, mean over the positions */
static double admitted(void)
{
    dlg_position_check *check;
    size_t n = 0;
    assert_int_equal(dlg_position_check_create(&check, &gradient, LENGTH, NULL), DLG_OK);
    for (size_t t = 0; t < LENGTH; t++) {
        size_t here = 0;
        assert_true(dlg_position_check_admits(check, fed[t], t));
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
    assert_int_equal(dlg_position_check_create(&check, &gradient, LENGTH, NULL), DLG_OK);
    for (size_t t = 0; t < LENGTH; t++) assert_int_equal(dlg_position_check_best(check, t), fed[t]);
    dlg_position_check_free(check);
    assert_true(admitted() < 1.2);
}

static void under_pruning(void **state)
{
    (void)state;
    defend("prune:0.5"); /* takes the zeros behind the sentence first */
    assert_true(admitted() < 1.2);
}

static void under_strong_pruning(void **state)
{
    (void)state;
    defend("prune:0.8"); /* then half of the sentence's own */
    assert_true(admitted() < VOCABULARY);
}

static void under_noise(void **state)
{
    (void)state;
    defend("gaussian:1e-4");
    assert_true(admitted() < VOCABULARY / 4.0);
}

static void under_rounding(void **state)
{
    (void)state;
    defend("bf16");
    assert_true(admitted() < VOCABULARY / 20.0);
}

static void under_integers(void **state)
{
    (void)state;
    defend("int8");
    assert_true(admitted() < VOCABULARY * 0.75);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_position_check *check;
    (void)argument;
    const dlg_status status = dlg_position_check_create(&check, &gradient, LENGTH, err);
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
        cmocka_unit_test_setup_teardown(under_pruning, share, release),
        cmocka_unit_test_setup_teardown(under_strong_pruning, share, release),
        cmocka_unit_test_setup_teardown(under_noise, share, release),
        cmocka_unit_test_setup_teardown(under_rounding, share, release),
        cmocka_unit_test_setup_teardown(under_integers, share, release),
        cmocka_unit_test_setup_teardown(without_memory, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
