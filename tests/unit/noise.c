/** What D of the right text is about over noise: the noise itself, seen where no text can reach. */
#include "matching/objective.h"

#include "base/memory.h"
#include "math/blas.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 14, HIDDEN = 64, VOCABULARY = 400, POSITIONS = 32, N_MASKS = 2 };

static const size_t masked[N_MASKS] = {4, 9}, labels[N_MASKS] = {300, 162};

static shared_step step;

static void share_on(const dlg_config *config)
{
    step_begin(&step, step_model(config, 1), 1, &(size_t){LENGTH});
    for (uint32_t i = 0; i < LENGTH; i++) step.fed[i] = 20 + 21 * i;
    for (size_t i = 0; i < N_MASKS; i++) step.fed[masked[i]] = MASK;
    memcpy(step.labels, labels, sizeof labels);
    step_share(&step, N_MASKS, masked);
}

static int share(void **state)
{
    (void)state;
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    share_on(&config);
    return 0;
}

/* Of a model without a position or a token type that the sentence does not use: the weight matrices alone show the
 * noise. */
static int share_to_the_end(void **state)
{
    (void)state;
    dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, LENGTH);
    config.n_token_types = 1;
    share_on(&config);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    return 0;
}

/* @param[out] at_truth D of the text that was fed @return what D of it is said to be about, of D of a zero
 * gradient's */
static double noise(double *scale, double *at_truth)
{
    static dlg_real x[LENGTH * HIDDEN];
    const dlg_real share_of[N_MASKS * N_MASKS] = {1, 0, 0, 1}, *table = dlg_model_word_embeddings(step.model);
    const dlg_soft_labels soft = {N_MASKS, labels, share_of, NULL, NULL, false};
    dlg_objective *objective;
    assert_int_equal(dlg_objective_create(&objective, &step.gradient, &step.batch, N_MASKS, &dlg_l2, NULL), DLG_OK);
    for (size_t i = 0; i < LENGTH; i++) memcpy(x + i * HIDDEN, table + step.fed[i] * HIDDEN, HIDDEN * sizeof *x);
    const double found = dlg_objective_noise(objective);
    *scale = dlg_objective_scale(objective);
    *at_truth = dlg_objective_distance(objective, &soft, x);
    dlg_objective_free(objective);
    return found;
}

/* Squares of what the defence added, over all that is compared. */
static double added_by(const char *defence)
{
    dlg_real **before = dlg_allocate(step.gradient.n, sizeof *before);
    assert_non_null(before);
    double sum = 0;
    for (size_t i = 0; i < step.gradient.n; i++) {
        const size_t n = dlg_parameter_items(&step.model->parameters[i]);
        before[i] = dlg_allocate(n, sizeof *before[i]);
        assert_non_null(before[i]);
        memcpy(before[i], step.gradient.values[i], n * sizeof *before[i]);
    }
    step_defend(&step, defence, 3);
    for (size_t i = 0; i < step.gradient.n; i++) {
        const dlg_parameter *p = &step.model->parameters[i];
        const bool is_compared = !strstr(p->name, "key.bias") && !strstr(p->name, "word_embeddings");
        for (size_t k = 0; k < dlg_parameter_items(p) && is_compared; k++) {
            const double by = (double)step.gradient.values[i][k] - (double)before[i][k];
            sum += by * by;
        }
        dlg_free(before[i]);
    }
    dlg_free(before);
    return sum;
}

static void assert_is_near(double found, double wanted)
{
    if (!(fabs(found - wanted) < 0.05 * wanted)) fail_msg("want %g, found %g", wanted, found);
}

static void is_that_of_gaussian_noise(void **state)
{
    (void)state;
    double scale, at_truth;
    const double added = added_by("gaussian:1e-3"), found = noise(&scale, &at_truth);
    assert_is_near(found, added);
    assert_is_near(found, at_truth);
    assert_true(found < 0.5 * scale);
}

/* Noise bends the directions that a text could reach, of the stacked query, key and value above all, and some of the
 * text is left over. */
static void is_no_less_by_the_matrices_alone(void **state)
{
    (void)state;
    double scale, at_truth;
    const double added = added_by("gaussian:1e-3"), found = noise(&scale, &at_truth);
    assert_true(found > 0.95 * added && found < 3 * added);
}

static void is_that_of_weak_noise(void **state)
{
    (void)state;
    double scale, at_truth;
    const double added = added_by("gaussian:1e-5"), found = noise(&scale, &at_truth);
    assert_is_near(found, added); /* D at the text has rounding as well */
}

/* Pruning leaves the rows behind the sentence without a number. */
static void is_no_more_than_pruning_left(void **state)
{
    (void)state;
    double scale, at_truth;
    const double added = added_by("prune:0.5"), found = noise(&scale, &at_truth);
    assert_true(added > 0 && found > 0 && found < 2 * added);
}

static void is_rounding_where_there_is_none(void **state)
{
    (void)state;
    double scale, at_truth;
    const double found = noise(&scale, &at_truth);
    assert_true(found >= 0 && found <= 1e-11 * scale);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_that_of_gaussian_noise, share, release),
        cmocka_unit_test_setup_teardown(is_no_less_by_the_matrices_alone, share_to_the_end, release),
        cmocka_unit_test_setup_teardown(is_that_of_weak_noise, share, release),
        cmocka_unit_test_setup_teardown(is_no_more_than_pruning_left, share, release),
        cmocka_unit_test_setup_teardown(is_rounding_where_there_is_none, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
