/*
 * The whole objective on small models of every kind: its derivative against differences, for every distance, and that
 * an evaluation is repeatable and allocates nothing.
 */
#include "close.h"
#include "math/blas.h"
#include "math/tolerance.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const distances[] = {"l2", "relative", "cosine", "l2_l1", "tag"};
enum { DISTANCES = sizeof distances / sizeof *distances };

/* D with one number moved by `by` */
static double moved(attack *a, dlg_real *number, double by)
{
    dlg_real dx[MAX_ROWS * HIDDEN];
    const dlg_real before = *number;
    *number = (dlg_real)((double)before + by);
    const double d = dlg_objective_evaluate(a->objective, &a->labels, a->x, dx);
    *number = before;
    return d;
}

/* Absolute differences have kinks, and a shorter step meets fewer of them. */
static void check_derivative(size_t kind, const char *distance_name, bool has_kinks, double noise, uint64_t seed)
{
    const double step = IS_DOUBLE ? (has_kinks ? 1e-7 : 1e-5) : 5e-3;
    const double tolerance = IS_DOUBLE ? (has_kinks ? 1e-5 : 1e-6) : has_kinks ? 5e-2 : 2e-2;
    attack a;
    open_attack(&a, kind, distance_name, noise, seed);
    const size_t n_shares = a.step.batch.n_predicted * MAX_LABELS;
    dlg_real dx[MAX_ROWS * HIDDEN], dshare[MAX_ROWS * MAX_LABELS];
    double want_dx[MAX_ROWS * HIDDEN], want_dshare[MAX_ROWS * MAX_LABELS];
    size_t n_dense, n_targets;
    dlg_objective_targets(a.objective, &n_dense, &n_targets);
    /* With noise those are dense that have fewer rows than inputs: the head's. */
    assert_true(noise > 0 ? n_dense > 0 && n_dense < n_targets : n_dense == 0);
    dlg_objective_evaluate(a.objective, &a.labels, a.x, dx);
    dlg_objective_label_derivative(a.objective, dshare);
    for (size_t i = 0; i < a.n; i++) want_dx[i] = (moved(&a, &a.x[i], step) - moved(&a, &a.x[i], -step)) / (2 * step);
    for (size_t i = 0; i < n_shares; i++)
        want_dshare[i] = (moved(&a, &a.share[i], step) - moved(&a, &a.share[i], -step)) / (2 * step);
    if (!dlg_is_close("dD/dx", a.n, dx, want_dx, tolerance) ||
        !dlg_is_close("dD/dY", n_shares, dshare, want_dshare, tolerance))
        fail_msg("%s, %s, noise %g, seed %d", kinds[kind].name, distance_name, noise, (int)seed);
    close_attack(&a);
}

static void derivative_of_every_distance(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++)
            /* the gradients of a network with kinks jump, and differences across a jump are no derivatives */
            for (uint64_t seed = 1; seed <= 2 && kinds[kind].activation != DLG_RELU; seed++) {
                check_derivative(kind, distances[i], i > 2, 0, seed);
                check_derivative(kind, distances[i], i > 2, 0.1, seed);
            }
}

/* At the words that were fed, with the labels known, nothing is left of D but rounding; a target drops what a float
 * would not hold. */
static void nothing_is_left_at_the_truth(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++) {
            attack a;
            open_attack(&a, kind, distances[i], 0, 1);
            const shared_step *v = &a.step;
            const dlg_real *table = dlg_model_word_embeddings(v->model);
            const size_t n = v->batch.n_predicted;
            dlg_real dx[MAX_ROWS * HIDDEN], certain[MAX_ROWS * MAX_ROWS] = {0};
            for (size_t k = 0; k < n; k++) certain[k * n + k] = 1;
            for (size_t k = 0; k < a.n; k++) a.x[k] = table[v->fed[k / HIDDEN] * HIDDEN + k % HIDDEN];
            const dlg_soft_labels labels = {n, v->labels, certain, NULL, NULL, false};
            const double d = dlg_objective_evaluate(a.objective, &labels, a.x, dx),
                         scale = dlg_objective_scale(a.objective);
            const double rounding =
                (IS_DOUBLE ? 1e-10 : 1) * dlg_distance_rounding(a.distance, DLG_SINGLE_ROUNDOFF, HIDDEN, 2);
            if (!(d >= -1e-12 * scale && d < rounding * scale))
                fail_msg("%s, %s: D is %g of %g", kinds[kind].name, distances[i], d, scale);
            close_attack(&a);
        }
}

/* What D is where g = 0: the norms that are compared, their number, 1, or squares and absolutes. */
static void scale_of_every_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < DISTANCES; i++) {
        attack a;
        double norms = 0, absolutes = 0, n = 0;
        open_attack(&a, 1, distances[i], 0.1, 1);
        for (size_t k = 0; k < a.step.gradient.n; k++) {
            const dlg_parameter *p = &a.step.model->parameters[k];
            if (strstr(p->name, "key.bias") || strstr(p->name, "word_embeddings")) continue;
            norms += dlg_dot(dlg_parameter_items(p), a.step.gradient.values[k], a.step.gradient.values[k]);
            absolutes += dlg_sum_of_absolutes(dlg_parameter_items(p), a.step.gradient.values[k]);
            n++;
        }
        const double want[DISTANCES] = {norms, n, 1, norms + 0.01 * absolutes, 0},
                     scale = dlg_objective_scale(a.objective);
        if (i < 4) assert_true(dlg_is_near(distances[i], scale, want[i], 1e-12));
        /* weights from 0.01 to nearly 0 */
        else assert_true(scale > norms + 0.002 * absolutes && scale < norms + 0.008 * absolutes);
        close_attack(&a);
    }
}

static void evaluation_is_repeatable_and_allocates_nothing(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++) {
            attack a, b;
            dlg_real first[MAX_ROWS * HIDDEN], again[MAX_ROWS * HIDDEN], other[MAX_ROWS * HIDDEN];
            open_attack(&a, kind, distances[i], i ? 0.1 : 0, 1);
            open_attack(&b, kind, distances[i], i ? 0.1 : 0, 1);
            const size_t allocations = dlg_allocation_count();
            const double d = dlg_objective_evaluate(a.objective, &a.labels, a.x, first);
            moved(&a, a.x, 1);
            const double d_again = dlg_objective_evaluate(a.objective, &a.labels, a.x, again);
            const double d_other = dlg_objective_evaluate(b.objective, &b.labels, b.x, other);
            assert_int_equal(dlg_allocation_count(), allocations);
            assert_memory_equal(&d, &d_again, sizeof d);
            assert_memory_equal(&d, &d_other, sizeof d);
            assert_memory_equal(first, again, a.n * sizeof *first);
            assert_memory_equal(first, other, a.n * sizeof *first);
            close_attack(&a);
            close_attack(&b);
        }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivative_of_every_distance),
        cmocka_unit_test(nothing_is_left_at_the_truth),
        cmocka_unit_test(scale_of_every_distance),
        cmocka_unit_test(evaluation_is_repeatable_and_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
