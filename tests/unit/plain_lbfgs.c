/**
 * L-BFGS without a line search on a quadratic: there in as many steps as exact arithmetic would take, and back from a
 * bad point.
 */
#include "optimise/minimise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 300 };

typedef struct {
    size_t n_evaluations, n_accepted, most;
    double last, wall; /* f is no number below the wall */
} follower;

/* f = sum c_i x_i^2 / 2, c from 1 to 2 */
static double evaluate(void *payload, const double *x, double *dx)
{
    follower *f = payload;
    double sum = 0;
    f->n_evaluations++;
    for (size_t i = 0; i < N; i++) {
        const double c = 1 + (double)i / N;
        if (x[i] < f->wall) return NAN;
        dx[i] = c * x[i];
        sum += c * x[i] * x[i] / 2;
    }
    return sum;
}

static bool accept(void *payload, const double *x, double d)
{
    follower *f = payload;
    (void)x;
    f->n_accepted++;
    f->last = d;
    return f->n_accepted >= f->most;
}

static void goes_down(void **state)
{
    (void)state;
    follower f = {.most = 15, .wall = -INFINITY};
    const dlg_function function = {N, evaluate, accept, &f};
    dlg_minimise_end end;
    double x[N];
    for (size_t i = 0; i < N; i++) x[i] = 1 + (double)(i % 7);
    const dlg_minimiser *found;
    assert_int_equal(dlg_minimiser_find(&found, "lbfgs_plain", NULL), DLG_OK);
    assert_ptr_equal(found, &dlg_plain_lbfgs);
    assert_int_equal(dlg_plain_lbfgs.run(&end, &function, x, NULL), DLG_OK);
    assert_int_equal(end, DLG_ENDED_BY_CALLER);
    assert_true(f.last < 1e-9);
    assert_int_equal(f.n_evaluations, f.n_accepted); /* one a step */
    f.most = 400;                                    /* more steps than there is history, and nothing left to find */
    assert_int_equal(dlg_plain_lbfgs.run(&end, &function, x, NULL), DLG_OK);
    assert_true(f.last < 1e-20);
}

static void turns_back(void **state)
{
    (void)state;
    follower f = {.most = 100, .wall = 0.5};
    const dlg_function function = {N, evaluate, accept, &f};
    dlg_minimise_end end;
    double x[N];
    for (size_t i = 0; i < N; i++) x[i] = 1;
    assert_int_equal(dlg_plain_lbfgs.run(&end, &function, x, NULL), DLG_OK);
    assert_int_equal(end, DLG_NO_DESCENT);
    assert_int_equal(f.n_evaluations, f.n_accepted + 1);
    for (size_t i = 0; i < N; i++) assert_true(x[i] >= 0.5); /* the last that was accepted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(goes_down), cmocka_unit_test(turns_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
