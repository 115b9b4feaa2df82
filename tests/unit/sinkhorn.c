/** Labels on their way to their places: what they make of a point, its derivative, and where they end. */
#include "attacks/session/sinkhorn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 5, MAY_HOLD = 3, LABELS = 2, WIDTH = 4, N = MAY_HOLD * LABELS };

static const size_t row[MAY_HOLD] = {1, 2, 4}, label[LABELS] = {7, 9};
static const dlg_real mask[WIDTH] = {(dlg_real)0.5, -1, 2, (dlg_real)0.25};

typedef struct {
    dlg_arena arena;
    dlg_label_assignment placement;
    dlg_sinkhorn soft;
} scene;

static void carve(scene *s)
{
    dlg_label_assignment_carve(&s->placement, &s->arena);
    dlg_sinkhorn_carve(&s->soft, &s->arena);
}

static void open_scene(scene *s, const dlg_real *embedding)
{
    memset(s, 0, sizeof *s);
    s->placement = (dlg_label_assignment){.n_rows = MAY_HOLD, .n_labels = LABELS, .label = label};
    s->soft = (dlg_sinkhorn){.placement = &s->placement, .row = row, .width = WIDTH, .mask = embedding, .factor = 2};
    carve(s);
    assert_int_equal(dlg_arena_reserve(&s->arena, "test", NULL), DLG_OK);
    carve(s);
    dlg_label_assignment_start(&s->placement, false);
}

static void fill(dlg_real *y)
{
    for (size_t i = 0; i < ROWS * WIDTH; i++) y[i] = (dlg_real)sin(1 + 3 * (double)i);
}

/* A smooth function of point and shares, and its derivatives. */
static double function(const scene *s, const dlg_real *point, dlg_real *dx, dlg_real *ds)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        sum += (double)point[i] * (double)point[i] * (1 + (double)i / 7);
        dx[i] = (dlg_real)(2 * (double)point[i] * (1 + (double)i / 7));
    }
    for (size_t i = 0; i < N; i++) {
        const double share = (double)s->placement.share[i];
        sum += share * share * (double)(i + 1);
        ds[i] = (dlg_real)(2 * share * (double)(i + 1));
    }
    return sum;
}

static double value_at(scene *s, const double *z)
{
    dlg_real point[ROWS * WIDTH], dx[ROWS * WIDTH], ds[N];
    fill(point);
    dlg_sinkhorn_apply(&s->soft, z, point);
    return function(s, point, dx, ds);
}

static void check_derivative(const dlg_real *embedding)
{
    static const double step = 1e-2;
    double z[N] = {0.1, -0.2, 0.4, 0.3, -0.5, 0}, dz[N];
    dlg_real y[ROWS * WIDTH], point[ROWS * WIDTH], dx[ROWS * WIDTH], ds[N];
    scene s;
    open_scene(&s, embedding);
    fill(point);
    fill(y);
    dlg_sinkhorn_apply(&s.soft, z, point);
    const double before = function(&s, point, dx, ds);
    dlg_sinkhorn_pull_back(&s.soft, point, dx, ds, dz);
    for (size_t i = 0; i < N; i++) {
        const double at = z[i];
        z[i] = at + step;
        const double up = value_at(&s, z);
        z[i] = at - step;
        const double down = value_at(&s, z);
        z[i] = at;
        if (fabs((up - down) / (2 * step) - dz[i]) > 5e-3 * (1 + fabs(dz[i])))
            fail_msg("dz[%zu]: want %g, found %g", i, (up - down) / (2 * step), dz[i]);
    }
    /* Along y, all at once. */
    double along = 0;
    dlg_real moved[ROWS * WIDTH], other_dx[ROWS * WIDTH], other_ds[N];
    for (size_t i = 0; i < ROWS * WIDTH; i++) {
        moved[i] = y[i] + (dlg_real)(1e-3 * cos((double)i));
        along += (double)dx[i] * 1e-3 * cos((double)i);
    }
    dlg_sinkhorn_apply(&s.soft, z, moved);
    assert_true(fabs(function(&s, moved, other_dx, other_ds) - before - along) < 0.02 * fabs(along) + 1e-4);
    dlg_arena_release(&s.arena);
}

static void derivative(void **state)
{
    (void)state;
    check_derivative(mask);
    check_derivative(NULL);
}

/* Where nothing is known every label stands everywhere; a row is [MASK] as far as any label stands there. */
static void spreads_and_blends(void **state)
{
    (void)state;
    const double z[N] = {0};
    dlg_real y[ROWS * WIDTH], point[ROWS * WIDTH];
    scene s;
    open_scene(&s, mask);
    fill(y);
    fill(point);
    dlg_sinkhorn_apply(&s.soft, z, point);
    for (size_t i = 0; i < N; i++) assert_true(fabs((double)s.placement.share[i] - 1.0 / MAY_HOLD) < 1e-6);
    const double w = (double)LABELS / MAY_HOLD;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < WIDTH; k++) {
            const bool may = i == 1 || i == 2 || i == 4;
            const double at = (double)y[i * WIDTH + k], wanted = may ? at + w * ((double)mask[k] - at) : at;
            assert_true(fabs((double)point[i * WIDTH + k] - wanted) < 1e-5);
        }
    assert_false(dlg_sinkhorn_is_sharp(&s.soft));
    dlg_arena_release(&s.arena);
}

/* Whatever the logits: every label is there once, and no row holds more than one. */
static void every_label_once(void **state)
{
    (void)state;
    const double logits[][N] = {{0, 0, 0, 0, 0, 0}, {3, 3, 0, 0, 0, 0}, {8, 8, 8, 8, -8, -8}, {-9, 2, 5, 1, 30, 29}};
    dlg_real point[ROWS * WIDTH];
    scene s;
    open_scene(&s, mask);
    for (size_t n = 0; n < sizeof logits / sizeof *logits; n++) {
        fill(point);
        dlg_sinkhorn_apply(&s.soft, logits[n], point);
        for (size_t j = 0; j < LABELS; j++) {
            double sum = 0;
            for (size_t i = 0; i < MAY_HOLD; i++) sum += (double)s.placement.share[i * LABELS + j];
            assert_true(fabs(sum - 1) < 1e-5);
        }
        for (size_t i = 0; i < MAY_HOLD; i++) {
            double sum = 0;
            for (size_t j = 0; j < LABELS; j++) sum += (double)s.placement.share[i * LABELS + j];
            assert_true(sum < 1 + 1e-5);
        }
    }
    dlg_arena_release(&s.arena);
}

/* Two rows for two labels: none is left without one. */
static void no_row_to_spare(void **state)
{
    (void)state;
    const double z[N] = {1, 0, 0, 0.5};
    dlg_real point[ROWS * WIDTH], y[ROWS * WIDTH], ds[N] = {1, -2, (dlg_real)0.5, 3}, scratch[N];
    double dz[N];
    scene s;
    open_scene(&s, mask);
    s.placement.n_rows = LABELS;
    fill(point);
    dlg_sinkhorn_apply(&s.soft, z, point);
    for (size_t i = 0; i < LABELS; i++) {
        assert_true(fabs((double)(s.placement.share[i * LABELS] + s.placement.share[i * LABELS + 1]) - 1) < 1e-5);
        for (size_t k = 0; k < WIDTH; k++) assert_true(fabs((double)(point[row[i] * WIDTH + k] - mask[k])) < 1e-5);
    }
    fill(y);
    dlg_sinkhorn_pull_back(&s.soft, point, y, ds, dz);
    for (size_t i = 0; i < LABELS * LABELS; i++) assert_true(isfinite(dz[i]));
    assert_true(fabs(dz[0] + dz[1]) < 1e-6); /* what a row gains of one label it loses of the other */
    dlg_sinkhorn_settle(&s.soft, scratch);
    assert_int_equal(s.placement.row_of[0], 0);
    dlg_arena_release(&s.arena);
}

/* Where the same label stands twice it does not matter which of the two is where. */
static void equal_labels_are_one(void **state)
{
    (void)state;
    static const size_t equal[LABELS] = {7, 7};
    const double far[N] = {9, 9, -9, -9, 9, 9};
    dlg_real point[ROWS * WIDTH];
    scene s;
    open_scene(&s, mask);
    fill(point);
    dlg_sinkhorn_apply(&s.soft, far, point);
    assert_false(dlg_sinkhorn_is_sharp(&s.soft));
    s.placement.label = equal;
    assert_true(dlg_sinkhorn_is_sharp(&s.soft));
    dlg_arena_release(&s.arena);
}

static void settles(void **state)
{
    (void)state;
    /* Both labels would rather have row 2; the first one more so. */
    const double z[N] = {0, 1, 4, 2, 0, 0}, far[N] = {0, 9, 9, 0, 0, 0};
    dlg_real point[ROWS * WIDTH], scratch[N];
    scene s;
    open_scene(&s, mask);
    fill(point);
    dlg_sinkhorn_apply(&s.soft, z, point);
    assert_false(dlg_sinkhorn_is_sharp(&s.soft));
    dlg_sinkhorn_settle(&s.soft, scratch);
    assert_true(s.placement.placed);
    assert_int_equal(s.placement.row_of[0], 1);
    assert_int_equal(s.placement.row_of[1], 0);
    dlg_sinkhorn_apply(&s.soft, far, point);
    assert_true(dlg_sinkhorn_is_sharp(&s.soft));
    dlg_arena_release(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivative),      cmocka_unit_test(spreads_and_blends),   cmocka_unit_test(every_label_once),
        cmocka_unit_test(no_row_to_spare), cmocka_unit_test(equal_labels_are_one), cmocka_unit_test(settles),
    };
    return cmocka_run_group_tests_name("soft_placement", tests, NULL, NULL);
}
