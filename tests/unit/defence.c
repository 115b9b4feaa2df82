/** Defences: how they are written, and each on a handful of numbers worked out by hand. */
#include "defend/defence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void specs_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *name;
        double strength;
    } good[] = {
        {"gaussian:1e-3", "gaussian", 1e-3},
        {"gaussian:0", "gaussian", 0},
        {"laplace:.5", "laplace", 0.5},
        {"fp16", "fp16", 0},
        {"bf16", "bf16", 0},
        {"int8", "int8", 0},
        {"prune:0.9", "prune", 0.9},
        {"prune:1", "prune", 1},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        dlg_error err = {0};
        dlg_defence defence;
        assert_int_equal(dlg_defence_parse(&defence, good[i].spec, &err), DLG_OK);
        assert_string_equal(defence.kind->name, good[i].name);
        assert_true(defence.strength == good[i].strength);
    }
}

static void wrong_specs_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *message;
    } bad[] = {
        {"", "found \"\""},
        {"noise:1", "want gaussian:STD, laplace:SCALE, fp16, bf16, int8 or prune:FRACTION, found \"noise:1\""},
        {"gauss:1", "want gaussian:STD, "},
        {"gaussianx:1", "want gaussian:STD, "},
        {"Gaussian:1", "want gaussian:STD, "},
        {"fp16:", "defence fp16: want no number, found \"fp16:\""},
        {"int8:8", "want no number"},
        {"gaussian", "defence gaussian:STD: want a number from 0 to 1e+06, found \"gaussian\""},
        {"gaussian:", "want a number"},
        {"gaussian:-1", "want a number"},
        {"gaussian:1e400", "want a number"},
        {"gaussian:1x", "want a number"},
        {"gaussian: 1", "want a number"},
        {"gaussian:nan", "want a number"},
        {"gaussian:-nan", "want a number"},
        {"gaussian:1:2", "want a number"},
        {"prune:1.01", "defence prune:FRACTION: want a number from 0 to 1, found \"prune:1.01\""},
        {"prune:90%", "want a number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dlg_error err = {0};
        dlg_defence defence;
        assert_int_equal(dlg_defence_parse(&defence, bad[i].spec, &err), DLG_EARG);
        assert_null(defence.kind);
        assert_non_null(strstr(err.message, bad[i].message));
    }
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, "noise", NULL), DLG_EARG);
}

/** Parse one spec and apply it to a tensor called "t" with seed 1. */
static void apply(const char *spec, dlg_real *values, size_t n)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    assert_int_equal(dlg_defence_apply(&defence, 1, "t", values, n, 1, NULL), DLG_OK);
}

static void check(const char *spec, const dlg_real *before, const dlg_real *wanted, size_t n)
{
    dlg_real values[16];
    memcpy(values, before, n * sizeof *values);
    apply(spec, values, n);
    for (size_t i = 0; i < n; i++) assert_true(fabs((double)(values[i] - wanted[i])) <= 1e-7 * fabs((double)wanted[i]));
}

static void by_hand(void **state)
{
    (void)state;
    static const dlg_real mixed[8] = {3, -1, 0.5F, -4, 1, 2, -1, 0};
    check("prune:0", mixed, mixed, 8);
    check("prune:0.124", mixed, mixed, 8);                                         /* 0.99 of an entry */
    check("prune:0.25", mixed, (const dlg_real[8]){3, -1, 0, -4, 1, 2, -1, 0}, 8); /* the zero counts */
    /* of three ones the first two */
    check("prune:0.5", mixed, (const dlg_real[8]){3, 0, 0, -4, 0, 2, -1, 0}, 8);
    check("prune:0.875", mixed, (const dlg_real[8]){0, 0, 0, -4, 0, 0, 0, 0}, 8);
    check("prune:1", mixed, (const dlg_real[8]){0}, 8);
    check("fp16", (const dlg_real[4]){0.1F, 1e-9F, 1e6F, -2}, (const dlg_real[4]){0x1.998p-4F, 0, 65504, -2}, 4);
    check("bf16", (const dlg_real[3]){0.1F, 1e-9F, -1.00390625F}, (const dlg_real[3]){0x1.9ap-4F, 0x1.12p-30F, -1}, 3);
    check("int8", (const dlg_real[5]){-127, 1.4F, 1.5F, 2.5F, -0.4F}, (const dlg_real[5]){-127, 1, 2, 2, 0}, 5);
    check("int8", (const dlg_real[3]){0, 0, 0}, (const dlg_real[3]){0, 0, 0}, 3);
    check("gaussian:0", mixed, mixed, 8);
    check("laplace:0", mixed, mixed, 8);
    /* an empty tensor */
    for (size_t i = 0; dlg_defence_classes[i]; i++) dlg_defence_classes[i]->apply(NULL, 0, 0.5, 1, 1);
}

/** Where a decimal fraction means a whole number of entries, that many go, although 0.29 * 100 < 29 in doubles. */
static void fractions_are_decimal(void **state)
{
    (void)state;
    for (int percent = 0; percent <= 100; percent++) {
        dlg_real values[100];
        for (int i = 0; i < 100; i++) values[i] = (dlg_real)(i * 37 % 100 + 1);
        const dlg_defence_class *prune = NULL;
        for (size_t i = 0; dlg_defence_classes[i]; i++)
            if (!strcmp(dlg_defence_classes[i]->name, "prune")) prune = dlg_defence_classes[i];
        assert_non_null(prune);
        prune->apply(values, 100, percent / 100.0, 0, 0);
        int n_zero = 0;
        for (int i = 0; i < 100; i++) n_zero += values[i] == 0;
        assert_int_equal(n_zero, percent);
    }
}

static void what_stops_being_finite_is_named(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_defence chain[2];
    dlg_real values[3] = {1, (dlg_real)INFINITY, 2};
    assert_int_equal(dlg_defence_parse(&chain[0], "fp16", NULL), DLG_OK);
    assert_int_equal(dlg_defence_apply(chain, 1, "cls.bias", values, 3, 1, &err), DLG_ENONFINITE);
    assert_string_equal(err.message, "cls.bias: want finite numbers after defence fp16, found inf at entry 1");
    /* no defence, nothing done */
    assert_int_equal(dlg_defence_apply(chain, 0, "cls.bias", values, 3, 1, &err), DLG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_read),
        cmocka_unit_test(wrong_specs_are_refused_by_name),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(fractions_are_decimal),
        cmocka_unit_test(what_stops_being_finite_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
