/**
 * Each bound of math/tolerance.h lies between what the truth leaves and what the nearest wrong hypothesis does, in the
 * precision of this build and of numbers in single precision; and it grows as it says.
 */
#include "math/tolerance.h"

#include "math/blas.h"
#include "math/real.h"
#include "residuals.h"
#include "scratch.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WORDS = 400, HIDDEN = 96, POSITIONS = 64, LENGTH = 10, LONG = 64, MASKED = 4, FIRST_WORD = 10, MOST = 3 };

static void share_long(shared_step *s, dlg_task task, size_t hidden, size_t n_sentences, size_t length, uint64_t seed)
{
    dlg_config config = step_config(task, WORDS, hidden, POSITIONS);
    const size_t lengths[MOST] = {length, length, length};
    size_t rows[MOST];
    config.initializer_range = 0.05;
    step_begin(s, step_model(&config, seed), n_sentences, lengths);
    for (size_t b = 0; b < n_sentences; b++) {
        for (size_t t = 1; t + 1 < length; t++)
            s->fed[b * length + t] = (uint32_t)(FIRST_WORD + (101 * b + 37 * t + 13 * seed) % (WORDS - FIRST_WORD));
        rows[b] = b * length + MASKED;
        if (task == DLG_MASKED_LM) s->fed[rows[b]] = MASK;
        s->labels[b] = task == DLG_MASKED_LM ? 60 + 7 * b : b % 3; /* each class once all but cancels */
    }
    step_share(s, task == DLG_MASKED_LM ? n_sentences : 0, rows);
}

static void share(shared_step *s, dlg_task task, size_t n_sentences, uint64_t seed)
{
    share_long(s, task, HIDDEN, n_sentences, LENGTH, seed);
}

static void round_to_single(dlg_gradient *gradient)
{
    for (size_t i = 0; i < gradient->n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&gradient->model->parameters[i]); k++)
            gradient->owned[i][k] = (dlg_real)(float)gradient->owned[i][k];
    gradient->roundoff = DLG_SINGLE_ROUNDOFF;
}

/* Two thirds of each bound would do for the truth, and twice as much would not let in what is wrong. */
static void hold(const shared_step *s, const char *what)
{
    residual r[RESIDUALS];
    assert_int_equal(residuals_find(r, &s->gradient, &s->batch, s->fed, s->labels, special, FIRST_WORD, NULL), DLG_OK);
    for (size_t i = 0; i < RESIDUALS; i++)
        if (1.5 * r[i].truth > r[i].bound || r[i].wrong < 2 * r[i].bound)
            fail_msg("%s, %s: the truth leaves %g, the bound is %g, the nearest wrong leaves %g", what, r[i].name,
                     r[i].truth, r[i].bound, r[i].wrong);
}

static void between_truth_and_wrong(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n <= MOST; n += MOST - 1)
            for (uint64_t seed = 1; seed <= 3; seed++) {
                shared_step s;
                share(&s, tasks[k], n, seed);
                assert_true(s.gradient.roundoff == dlg_roundoff);
                hold(&s, DLG_REAL_NAME);
                round_to_single(&s.gradient);
                hold(&s, "rounded");
                step_release(&s);
            }
}

/* What a target drops grows with its rows. */
static void of_many_rows(void **state)
{
    (void)state;
    shared_step s;
    residual r[RESIDUALS];
    share_long(&s, DLG_SEQUENCE_CLASSIFICATION, 512, MOST, LONG, 1);
    assert_int_equal(residuals_find(r, &s.gradient, &s.batch, s.fed, s.labels, special, FIRST_WORD, NULL), DLG_OK);
    assert_true(2 * r[RESIDUAL_REMAINDER].truth < r[RESIDUAL_REMAINDER].bound);
    step_release(&s);
}

static void as_in_single_precision(void **state)
{
    (void)state;
    const double u = DLG_SINGLE_ROUNDOFF;
    assert_true(dlg_roundoff == (sizeof(dlg_real) == sizeof(float) ? u : 0x1p-53));
    for (size_t hidden = 128, depth = 2; hidden <= 768; hidden += 320, depth += 5) {
        assert_true(dlg_tolerance_explained(u, hidden, depth) == 3e-5);
        assert_true(dlg_tolerance_explained_tensor(u, hidden, depth) == 1e-3);
    }
    assert_true(dlg_tolerance_direction(u) == 1e-7);
}

static void tighter_in_double_wider_in_depth(void **state)
{
    (void)state;
    const double u = DLG_SINGLE_ROUNDOFF, v = 0x1p-53;
    double (*const of[])(double) = {
        dlg_tolerance_direction,      dlg_tolerance_floor,   dlg_tolerance_zero,     dlg_tolerance_visible,
        dlg_tolerance_spectrum_end,   dlg_tolerance_mean,    dlg_tolerance_word_row, dlg_tolerance_position_row,
        dlg_tolerance_looked_up,      dlg_tolerance_beside,  dlg_tolerance_bias,     dlg_tolerance_embedding_direction,
        dlg_tolerance_attention_part, dlg_tolerance_tied_row};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) assert_true(of[i](v) < 1e-2 * of[i](u) && of[i](v) >= 1e-12);
    assert_true(dlg_tolerance_row(v, 128) < 1e-4 * dlg_tolerance_row(u, 128));
    assert_true(fabs(dlg_tolerance_row(u, 512) / dlg_tolerance_row(u, 128) - 2) < 1e-12);
    assert_true(dlg_tolerance_explained(v, 128, 2) < dlg_tolerance_explained(u, 128, 2));
    assert_true(dlg_tolerance_explained(v, 128, 2) > dlg_tolerance_remainder(1));
    assert_true(fabs(dlg_tolerance_remainder(400) / dlg_tolerance_remainder(100) - 2) < 1e-12);
    assert_true(fabs(dlg_tolerance_explained(u, 1536, 24) / dlg_tolerance_explained(u, 768, 12) - 2) < 1e-12);
}

/* A file's numbers are no more exact than they were stored, whatever the build and the dtype they lie in. */
static void as_the_numbers_were_stored(void **state)
{
    (void)state;
    for (int is_rounded = 0; is_rounded < 2; is_rounded++)
        for (int is_long = 0; is_long < 2; is_long++) {
            const char *path = scratch_path("bert.g");
            shared_step s;
            dlg_gradient read;
            dlg_safetensors *file;
            share(&s, DLG_MASKED_LM, 1, 1);
            if (is_rounded) round_to_single(&s.gradient);
            assert_int_equal(dlg_gradient_save(&s.gradient, path, is_long ? DLG_F64 : DLG_F32, 0, NULL, NULL), DLG_OK);
            assert_int_equal(dlg_safetensors_open(&file, path, NULL), DLG_OK);
            assert_int_equal(dlg_gradient_open(&read, file, s.model, NULL), DLG_OK);
            assert_true(read.roundoff == (is_long && !is_rounded ? dlg_roundoff : DLG_SINGLE_ROUNDOFF));
            dlg_gradient_release(&read);
            dlg_safetensors_close(file);
            step_release(&s);
        }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(between_truth_and_wrong), cmocka_unit_test(of_many_rows),
                                       cmocka_unit_test(as_in_single_precision),
                                       cmocka_unit_test(as_the_numbers_were_stored),
                                       cmocka_unit_test(tighter_in_double_wider_in_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
