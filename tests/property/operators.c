/*
 * Every operator's five sweeps against each other and against differences, on random numbers (sweeps.h says what is
 * compared). faults.c shows that these checks notice a wrong sweep.
 */
#include "sweeps.h"

#include "math/blas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 5 };

static void sweeps_agree(void **state)
{
    (void)state;
    bool ok = true;
    double worst[SWEEP_CHECKS] = {0};
    for (size_t i = 0; i < rig_count(); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            rig r;
            rig_create(&r, i, seed);
            for (size_t k = 0; k < SWEEP_CHECKS; k++) {
                const double off = sweep_checks[k].off_by(&r);
                worst[k] = off > worst[k] ? off : worst[k];
                if (off <= sweep_checks[k].tolerance) continue;
                printf("%s, seed %d: %s is off by %.2e, want at most %.0e\n", r.name, (int)seed, sweep_checks[k].name,
                       off, sweep_checks[k].tolerance);
                ok = false;
            }
            rig_release(&r);
        }
    for (size_t k = 0; k < SWEEP_CHECKS; k++)
        printf("%-12s off by %.1e at most, allowed %.0e\n", sweep_checks[k].name, worst[k], sweep_checks[k].tolerance);
    assert_true(ok);
}

/* dlg_linear_weight_gradient gives out, in any rows, what the direction took. */
static void weight_gradient_by_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig_count(); i++) {
        rig r;
        rig_create(&r, i, 1);
        rig_evaluate(&r, 0, 0);
        const size_t n_in = r.weight_direction.n_in;
        for (size_t first = 0; first < r.weight_direction.n_out; first++) {
            dlg_real rows[RIG_ITEMS];
            const size_t n_rows = r.weight_direction.n_out - first;
            dlg_linear_weight_gradient(r.linear, first, n_rows, rows);
            for (size_t k = 0; k < n_rows * n_in; k++) {
                const double off = (double)rows[k] - (double)r.parameters[0].gradient[first * n_in + k];
                assert_true(off < 1e-5 && off > -1e-5);
            }
        }
        rig_release(&r);
    }
}

/* Without a direction a linear layer moves along its bias and its input alone, and takes no gradient of the weight. */
static void linear_without_direction(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig_count(); i++) {
        rig r;
        rig_create(&r, i, 2);
        if (r.linear) {
            r.linear->direction = NULL;
            for (size_t k = 0; k < r.parameters[0].n; k++) r.parameters[0].along[k] = 0;
            for (size_t k = 0; k < SWEEP_CHECKS; k++)
                if (k != SWEEP_GRADIENT) assert_true(sweep_checks[k].off_by(&r) <= sweep_checks[k].tolerance);
        }
        rig_release(&r);
    }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(sweeps_agree), cmocka_unit_test(weight_gradient_by_rows),
                                       cmocka_unit_test(linear_without_direction)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
