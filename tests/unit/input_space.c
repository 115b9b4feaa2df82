/**
 * The space of the inputs: the embeddings that were there lie in it, others do not, and its two directions are each
 * other's adjoints.
 */
#include "analytic/tokens/input_space.h"

#include "math/blas.h"
#include "math/random.h"
#include "scarce.h"
#include "analysed.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SENTENCES = 2, ROWS = 11, HIDDEN = 32, VOCABULARY = 100, LAYER_NORM_PARAMETERS = 2 };

static const size_t lengths[SENTENCES] = {6, 5};
static shared_step step;
static dlg_real words[ROWS * HIDDEN];

/* A trained layer norm has a scale and a shift. */
static void bend_layer_norm(const dlg_model *model)
{
    static const char *const names[LAYER_NORM_PARAMETERS] = {"bert.embeddings.LayerNorm.weight",
                                                             "bert.embeddings.LayerNorm.bias"};
    for (size_t i = 0; i < LAYER_NORM_PARAMETERS; i++) {
        dlg_real *value = (dlg_real *)(uintptr_t)dlg_model_parameter(model, names[i])->value;
        for (size_t j = 0; j < HIDDEN; j++) value[j] += (dlg_real)(0.3 * sin((double)(j + 1) * (double)(i + 1)));
    }
}

static int share(void **state)
{
    (void)state;
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, 16);
    dlg_model *model = step_model(&config, 1);
    bend_layer_norm(model);
    step_begin(&step, model, SENTENCES, lengths);
    for (uint32_t i = 0; i < ROWS; i++) {
        step.fed[i] = 9 * i + 1;
        memcpy(words + i * HIDDEN, dlg_model_word_embeddings(model) + (size_t)step.fed[i] * HIDDEN,
               HIDDEN * sizeof *words);
    }
    step.labels[0] = 7;
    step.labels[1] = 70;
    step_share(&step, SENTENCES, (const size_t[]){2, 8});
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    return 0;
}

/* ||x - the nearest point in the space|| / ||x||. There and back once more changes nothing. */
static double outside(dlg_input_space *space, const dlg_real *x)
{
    dlg_real nearest[ROWS * HIDDEN];
    double z[ROWS * HIDDEN], again[ROWS * HIDDEN], off = 0;
    assert_true(dlg_input_space_size(space) < ROWS * HIDDEN);
    dlg_input_space_project(space, x, z);
    dlg_input_space_embed(space, z, nearest);
    dlg_input_space_project(space, nearest, again);
    for (size_t i = 0; i < dlg_input_space_size(space); i++) assert_true(fabs(z[i] - again[i]) < 1e-4);
    for (size_t i = 0; i < ROWS * HIDDEN; i++) off += pow((double)x[i] - (double)nearest[i], 2);
    return sqrt(off / dlg_dot(ROWS * HIDDEN, x, x));
}

static void holds_the_embeddings(void **state)
{
    (void)state;
    dlg_input_space *space;
    dlg_real other[ROWS * HIDDEN];
    dlg_random_normal_fill(other, ROWS * HIDDEN, 0.2, 5, dlg_random_stream("other"));
    assert_int_equal(analysed_input_space(&space, &step.gradient, &step.batch, NULL), DLG_OK);
    assert_non_null(space);
    assert_true(dlg_input_space_size(space) <= ROWS * (ROWS + 2));
    assert_true(outside(space, words) < 1e-3);
    assert_true(outside(space, other) > 0.3);
    dlg_input_space_free(space);
}

/* <dx, J dz> = <J^T dx, dz>, J dz = embed(z + dz) - embed(z) */
static void pulls_back(void **state)
{
    (void)state;
    dlg_input_space *space;
    dlg_real dx[ROWS * HIDDEN], at[ROWS * HIDDEN], moved[ROWS * HIDDEN];
    double z[ROWS * HIDDEN] = {0}, pulled[ROWS * HIDDEN], there = 0, here = 0;
    assert_int_equal(analysed_input_space(&space, &step.gradient, &step.batch, NULL), DLG_OK);
    dlg_random_normal_fill(dx, ROWS * HIDDEN, 1, 6, dlg_random_stream("derivative"));
    dlg_input_space_pull_back(space, dx, pulled);
    dlg_input_space_embed(space, z, at);
    for (size_t i = 0; i < dlg_input_space_size(space); i++) {
        z[i] = sin((double)i);
        here += z[i] * pulled[i];
    }
    dlg_input_space_embed(space, z, moved);
    for (size_t i = 0; i < ROWS * HIDDEN; i++) there += (double)dx[i] * ((double)moved[i] - (double)at[i]);
    assert_true(fabs(here - there) < 1e-4 * (1 + fabs(here)));
    dlg_input_space_free(space);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_input_space *space;
    (void)argument;
    const dlg_status status = analysed_input_space(&space, &step.gradient, &step.batch, err);
    dlg_input_space_free(space);
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
        cmocka_unit_test_setup_teardown(holds_the_embeddings, share, release),
        cmocka_unit_test_setup_teardown(pulls_back, share, release),
        cmocka_unit_test_setup_teardown(without_memory, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
