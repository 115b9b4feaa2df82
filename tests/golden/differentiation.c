/*
 * Loss, every weight gradient, and each distance with its derivative, against float64 PyTorch: our own small cases (see
 * README.md for the recipe) and, where it is there, the larger shared ones.
 */
#include "base/file.h"
#include "case.h"
#include "close.h"
#include "matching/objective.h"
#include "npz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* after the four above */
#include <cmocka.h>

static const double tolerance = sizeof(dlg_real) == sizeof(double) ? 1e-9 : 1e-4;

static bool is_key_bias(const dlg_roles *roles, size_t n_layers, const dlg_parameter *p)
{
    for (size_t i = 0; i < n_layers; i++)
        if (roles->blocks[i].key.bias == p) return true;
    return false;
}

static void check_gradients(const dlg_case *c)
{
    const dlg_step step = {&c->batch, c->fed, c->labels, NULL, NULL, NULL};
    dlg_gradient ours;
    double loss;
    assert_int_equal(dlg_gradient_share(&ours, &loss, c->model, &step, NULL), DLG_OK);
    bool ok = dlg_is_near("loss", loss, c->loss, tolerance);
    for (size_t i = 0; i < ours.n; i++) {
        const dlg_parameter *p = &c->model->parameters[i];
        const size_t n = dlg_parameter_items(p);
        const bool is_zero_but_for_rounding = is_key_bias(&c->model->roles, c->model->config.n_layers, p);
        double *want = malloc(n * sizeof *want);
        for (size_t k = 0; k < n; k++) want[k] = is_zero_but_for_rounding ? 0 : (double)c->gradient.values[i][k];
        ok &= dlg_is_close(p->name, n, ours.values[i], want, is_zero_but_for_rounding ? 1e-6 : tolerance);
        free(want);
    }
    assert_true(ok);
    dlg_gradient_release(&ours);
}

static void check_distance(const dlg_case *c, const char *check, const char *name)
{
    const size_t H = c->model->config.hidden_size, n_rows = c->batch.n_rows, n_labels = c->batch.n_predicted;
    char key[32];
    size_t n_items;
    dlg_objective *objective;
    const dlg_distance *distance;
    assert_int_equal(dlg_distance_find(&distance, name, NULL), DLG_OK);
    assert_int_equal(dlg_objective_create(&objective, &c->gradient, &c->batch, n_labels, distance, NULL), DLG_OK);
    snprintf(key, sizeof key, "%s_grad", name);
    double *padded_x = npz_read(check, "x", &n_items), *padded_dx = npz_read(check, key, &n_items);
    double *want_d = npz_read(check, name, &n_items);
    assert_non_null(padded_x);
    assert_non_null(padded_dx);
    assert_non_null(want_d);
    dlg_real *x = malloc(n_rows * H * sizeof *x), *dx = malloc(n_rows * H * sizeof *dx);
    double *want_dx = malloc(n_rows * H * sizeof *want_dx);
    for (size_t i = 0; i < n_rows * H; i++) {
        const size_t from = c->padded_row[i / H] * H + i % H;
        x[i] = (dlg_real)padded_x[from];
        want_dx[i] = padded_dx[from];
    }
    dlg_real *share = calloc(n_labels * n_labels, sizeof *share);
    for (size_t i = 0; i < n_labels; i++) share[i * n_labels + i] = 1;
    const dlg_soft_labels labels = {n_labels, c->labels, share, NULL, NULL, false};
    const size_t allocations = dlg_allocation_count();
    const double d = dlg_objective_evaluate(objective, &labels, x, dx);
    assert_int_equal(dlg_allocation_count(), allocations);
    assert_true(dlg_is_near(name, d, *want_d, tolerance));
    assert_true(dlg_is_close(key, n_rows * H, dx, want_dx, tolerance));
    free(padded_x);
    free(padded_dx);
    free(want_d);
    free(x);
    free(dx);
    free(want_dx);
    free(share);
    dlg_objective_free(objective);
}

static void check_case(const char *directory, bool is_ours)
{
    dlg_case c;
    if (!dlg_case_open(&c, directory)) {
        assert_false(is_ours);
        printf("skipped: %s is not there\n", directory);
        skip();
    }
    char *check = dlg_path_join(directory, "case.check.npz");
    check_gradients(&c);
    check_distance(&c, check, "l2");
    check_distance(&c, check, "relative");
    check_distance(&c, check, "cosine");
    check_distance(&c, check, "l2_l1");
    dlg_free(check);
    dlg_case_close(&c);
}

static void test_mlm(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/mlm", true);
}

static void test_cls(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/cls", true);
}

static void test_untied(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/untied", true);
}

static void test_relu(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/relu", true);
}

static void test_distilbert(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/distilbert", true);
}

static void test_distilbert_classifier(void **state)
{
    (void)state;
    check_case(DLG_SOURCE "/tests/golden/distilbert_cls", true);
}

static void test_shared_mlm(void **state)
{
    (void)state;
    check_case(DLG_SHARED "/fixtures/golden-mlm", false);
}

static void test_shared_cls(void **state)
{
    (void)state;
    check_case(DLG_SHARED "/fixtures/golden-cls", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mlm),        cmocka_unit_test(test_cls),
                                       cmocka_unit_test(test_untied),     cmocka_unit_test(test_relu),
                                       cmocka_unit_test(test_distilbert), cmocka_unit_test(test_distilbert_classifier),
                                       cmocka_unit_test(test_shared_mlm), cmocka_unit_test(test_shared_cls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
