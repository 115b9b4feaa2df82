/**
 * What is counted in a gradient's numbers: zeros, smallest and largest entries, whatever their signs and however many
 * there are.
 */
#include "analytic/noise/defence_traces.h"

#include "analytic/noise/noise_model.h"
#include "math/blas.h"
#include "math/random.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 70, HIDDEN = 32, VOCABULARY = 50, POSITIONS = 16 };

static double smallest_of(size_t n, const dlg_real *g)
{
    double least = 0;
    for (size_t i = 0; i < n; i++)
        if (g[i] != 0 && (least == 0 || fabs((double)g[i]) < least)) least = fabs((double)g[i]);
    return least;
}

/* Of any number of entries, which need not fill a vector, from any address. */
static void smallest_entry(void **state)
{
    (void)state;
    dlg_real g[MOST + 3] = {0};
    assert_true(dlg_smallest_entry(MOST, g) == 0);
    g[5] = (dlg_real)-0.0;
    assert_true(dlg_smallest_entry(MOST, g) == 0);
    dlg_random_normal_fill(g, MOST + 3, 1, 1, 1);
    for (size_t i = 0; i < MOST; i += 3) g[i] = i % 2 ? (dlg_real)-0.0 : 0;
    for (size_t first = 0; first < 3; first++)
        for (size_t n = 0; n <= MOST; n++) {
            assert_true(dlg_smallest_entry(n, g + first) == smallest_of(n, g + first));
            if (!n) continue;
            const dlg_real kept = g[first + n - 1];
            g[first + n - 1] = (dlg_real)-1e-40;
            assert_true(dlg_smallest_entry(n, g + first) == fabs((double)g[first + n - 1]));
            g[first + n - 1] = kept;
        }
}

/* A model and a gradient of normal numbers in every tensor. */
static dlg_model *draw(dlg_gradient *gradient)
{
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    dlg_model *model = step_model(&config, 1);
    assert_int_equal(dlg_gradient_create(gradient, model, NULL), DLG_OK);
    for (size_t i = 0; i < gradient->n; i++)
        dlg_random_normal_fill(gradient->owned[i], dlg_parameter_items(&model->parameters[i]), 0.01, 1, (uint32_t)i);
    return model;
}

static bool is_weight(const dlg_parameter *p)
{
    return p->n_rows > 1 && strstr(p->name, ".weight") && !strstr(p->name, "embeddings");
}

static void norm_of_all(void **state)
{
    (void)state;
    dlg_gradient gradient;
    dlg_model *model = draw(&gradient);
    dlg_defence_traces one;
    double norm2 = 0;
    for (size_t i = 0; i < gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&model->parameters[i]); k++)
            norm2 += (double)gradient.values[i][k] * (double)gradient.values[i][k];
    dlg_blas_start(1);
    assert_int_equal(dlg_defence_traces_find(&one, &gradient, 0, NULL), DLG_OK);
    assert_true(fabs(one.norm / sqrt(norm2) - 1) < 1e-12);
    for (int n_threads = 2; n_threads <= 4; n_threads++) {
        dlg_defence_traces several;
        dlg_blas_start(n_threads);
        assert_int_equal(dlg_defence_traces_find(&several, &gradient, 0, NULL), DLG_OK);
        assert_true(several.norm == one.norm && several.zeros == one.zeros && several.n_matrices == one.n_matrices);
        assert_true(several.n_at_bound == one.n_at_bound && several.is_pruned == one.is_pruned &&
                    several.rounding == one.rounding);
    }
    dlg_blas_start(0);
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
}

/* The bound is reached from both sides: once above and twice below make three. */
static void entries_at_a_bound(void **state)
{
    (void)state;
    dlg_gradient gradient;
    dlg_model *model = draw(&gradient);
    dlg_defence_traces found;
    size_t n_weights = 0;
    for (size_t i = 0; i < gradient.n; i++) {
        if (!is_weight(&model->parameters[i])) continue;
        n_weights++;
        gradient.owned[i][0] = gradient.owned[i][7] = -1;
    }
    assert_int_equal(dlg_defence_traces_find(&found, &gradient, 0, NULL), DLG_OK);
    assert_int_equal(found.n_matrices, n_weights);
    assert_int_equal(found.n_at_bound, 0);
    for (size_t i = 0; i < gradient.n; i++)
        if (is_weight(&model->parameters[i])) gradient.owned[i][dlg_parameter_items(&model->parameters[i]) - 1] = 1;
    assert_int_equal(dlg_defence_traces_find(&found, &gradient, 0, NULL), DLG_OK);
    assert_int_equal(found.n_at_bound, n_weights);
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
}

/* A zero with a sign is one too. */
static void share_of_zeros(void **state)
{
    (void)state;
    dlg_gradient gradient;
    dlg_model *model = draw(&gradient);
    dlg_defence_traces found;
    assert_int_equal(dlg_defence_traces_find(&found, &gradient, 0, NULL), DLG_OK);
    assert_true(found.zeros == 0 && !found.is_pruned);
    for (size_t i = 0; i < gradient.n; i++) {
        const size_t n = dlg_parameter_items(&model->parameters[i]);
        for (size_t k = 0; k < n && is_weight(&model->parameters[i]); k += 4)
            gradient.owned[i][k] = k % 8 ? (dlg_real)-0.0 : 0;
    }
    assert_int_equal(dlg_defence_traces_find(&found, &gradient, 0, NULL), DLG_OK);
    assert_true(found.zeros == 0.25 && found.is_pruned && found.rounding == DLG_NOT_ROUNDED);
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_entry),
        cmocka_unit_test(norm_of_all),
        cmocka_unit_test(entries_at_a_bound),
        cmocka_unit_test(share_of_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
