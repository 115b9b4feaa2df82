/** Replacements at the end of an attack over noise: what is wrong is put right, and nothing else is touched. */
#include "attacks/session/token_substitution.h"

#include "known_step.h"
#include "math/blas.h"
#include "scarce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROW = 3, OTHER = 190 };

static const size_t exchanged[N_MASKS] = {1, 0, 2}, rotated[N_MASKS] = {1, 2, 0};

typedef struct {
    shared_step step;
    dlg_analysis *analysis;
    dlg_session recovery;
    dlg_attack_result result;
    dlg_attack_options options;
    dlg_attack_observer observer;
    size_t questions, allowed; /* whether it is interrupted, and how often it is not */
} scene;

static scene s;

static bool interrupted(void *payload)
{
    (void)payload;
    return s.questions++ >= s.allowed;
}

/* A recovery that holds the right text of a noisy gradient, with the labels in their places. */
static int begin(void **state)
{
    (void)state;
    size_t length = LENGTH, rows[N_MASKS], own[N_MASKS];
    memset(&s, 0, sizeof s);
    known_share_masked(&s.step);
    step_defend(&s.step, "gaussian:1e-4", 1);
    memcpy(rows, positions, sizeof rows);
    memcpy(own, labels, sizeof own);
    const dlg_knowledge knowledge = {.n_sentences = 1,
                                     .lengths = &length,
                                     .n_labels = N_MASKS,
                                     .labels = own,
                                     .n_rows = N_MASKS,
                                     .rows = rows,
                                     .special = special,
                                     .masks_are_seen = true,
                                     .lengths_from = DLG_INFERRED};
    s.options.distance = &dlg_l2;
    s.observer.interrupted = interrupted;
    s.allowed = SIZE_MAX;
    dlg_session *r = &s.recovery;
    assert_int_equal(dlg_analysis_create(&s.analysis, &s.step.gradient, special, NULL), DLG_OK);
    assert_int_equal(dlg_session_begin(r, &s.result, s.analysis, &knowledge, &s.options, &s.observer, NULL), DLG_OK);
    assert_true(r->is_defended);
    dlg_label_assignment_start(&r->placement, true);
    dlg_session_hold_known_rows(r);
    for (size_t i = 0; i < LENGTH; i++) {
        r->fed[i] = s.step.fed[i];
        r->evidence[i] = (dlg_evidence){DLG_FROM_DESCENT, 0, 0.5, 0, 0, NAN};
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    dlg_session_end(&s.recovery);
    dlg_analysis_free(s.analysis);
    dlg_attack_result_release(&s.result);
    step_release(&s.step);
    return 0;
}

static double distance_of(const uint32_t *fed)
{
    dlg_session *r = &s.recovery;
    uint32_t before[LENGTH];
    memcpy(before, r->fed, sizeof before);
    memcpy(r->fed, fed, sizeof before);
    const double d = dlg_session_distance_of_tokens(r);
    memcpy(r->fed, before, sizeof before);
    return d;
}

/* It leaves these tokens and labels, as they were fed and put back, and their D. */
static void assert_leaves(dlg_rows_tried rows, const uint32_t *fed)
{
    dlg_session *r = &s.recovery;
    assert_int_equal(dlg_token_substitution_try(r, rows, NULL), DLG_OK);
    const double d = r->d_tokens;
    for (size_t i = 0; i < LENGTH; i++) assert_int_equal(r->fed[i], fed[i]);
    for (size_t j = 0; j < N_MASKS; j++) {
        assert_int_equal(r->tokens[positions[j]], labels[j]);
        assert_true(r->predicted[positions[j]]);
    }
    const double wanted = distance_of(fed);
    assert_true(fabs(d - wanted) <= 1e-6 * wanted);
}

static void put_labels(const size_t *row_of)
{
    dlg_label_assignment *p = &s.recovery.placement;
    memset(p->share, 0, N_MASKS * N_MASKS * sizeof *p->share);
    for (size_t j = 0; j < N_MASKS; j++) {
        p->row_of[j] = row_of[j];
        p->share[row_of[j] * N_MASKS + j] = 1;
    }
}

static void changes_nothing_that_is_right(void **state)
{
    (void)state;
    assert_leaves(DLG_ALL_ROWS, s.step.fed);
    assert_int_equal(s.recovery.evidence[ROW].n_choices, 0);
    assert_true(s.recovery.evidence[ROW].cosine > 0); /* and no evidence is lost */
}

static void puts_a_token_right(void **state)
{
    (void)state;
    for (uint32_t wrong = 20; wrong < VOCABULARY; wrong += 15)
        for (size_t row = 0; row < LENGTH; row++) {
            if (s.recovery.is_known[row]) continue;
            s.recovery.fed[row] = wrong;
            assert_leaves(DLG_DOUBTFUL_ROWS, s.step.fed);
        }
    assert_int_equal(s.recovery.evidence[ROW].source, DLG_FROM_DESCENT);
    assert_true(isnan(s.recovery.evidence[ROW].cosine)); /* that of the other token */
}

static void puts_labels_back(void **state)
{
    (void)state;
    put_labels(exchanged);
    assert_leaves(DLG_DOUBTFUL_ROWS, s.step.fed);
    put_labels(rotated);
    assert_leaves(DLG_DOUBTFUL_ROWS, s.step.fed);
}

static void leaves_labels_that_are_known(void **state)
{
    (void)state;
    put_labels(exchanged);
    s.recovery.knowledge->placed = true;
    assert_int_equal(dlg_token_substitution_try(&s.recovery, DLG_DOUBTFUL_ROWS, NULL), DLG_OK);
    assert_memory_equal(s.recovery.placement.row_of, exchanged, sizeof exchanged);
}

/* Not even where the token in it is wrong. */
static void never_touches_a_known_row(void **state)
{
    (void)state;
    s.recovery.fed[ROW] = OTHER;
    s.recovery.is_known[ROW] = true;
    assert_int_equal(dlg_token_substitution_try(&s.recovery, DLG_ALL_ROWS, NULL), DLG_OK);
    assert_int_equal(s.recovery.fed[ROW], OTHER);
    assert_int_equal(s.recovery.fed[0], CLS);
    assert_int_equal(s.recovery.fed[LENGTH - 1], SEP);
    for (size_t i = 0; i < N_MASKS; i++) assert_int_equal(s.recovery.fed[positions[i]], MASK);
}

/* A row whose token has good evidence is tried only if all rows are to be. */
static void certain_rows_last(void **state)
{
    (void)state;
    uint32_t wrong[LENGTH];
    memcpy(wrong, s.step.fed, sizeof wrong);
    wrong[ROW] = s.recovery.fed[ROW] = OTHER;
    for (size_t i = 0; i < LENGTH; i++) s.recovery.is_known[i] |= i != ROW;
    s.recovery.evidence[ROW] = (dlg_evidence){DLG_FROM_READING, 1, NAN, NAN, 0, NAN};
    assert_leaves(DLG_DOUBTFUL_ROWS, wrong);
    assert_leaves(DLG_ALL_ROWS, s.step.fed);
}

/* The position check says what may stand in a row; where the token is in doubt a label may too, whatever it says. */
static void asks_the_position_check(void **state)
{
    (void)state;
    dlg_session *r = &s.recovery;
    uint32_t wrong[LENGTH];
    memcpy(wrong, s.step.fed, sizeof wrong);
    wrong[ROW] = r->fed[ROW] = OTHER;
    assert_int_equal(dlg_position_check_create(&r->check, &s.step.gradient, LENGTH, NULL, NULL), DLG_OK);
    dlg_position_check_name(r->check, ROW, OTHER);
    for (size_t i = 0; i < LENGTH; i++) r->is_known[i] |= i != ROW;
    r->evidence[ROW] = (dlg_evidence){DLG_FROM_READING, 1, NAN, NAN, 0, NAN};
    assert_leaves(DLG_ALL_ROWS, wrong);
    r->evidence[ROW] = (dlg_evidence){DLG_FROM_DESCENT, 0, 0.5, 0, 0, NAN};
    wrong[ROW] = (uint32_t)labels[0];
    assert_leaves(DLG_ALL_ROWS, wrong);
    dlg_position_check_name(r->check, ROW, s.step.fed[ROW]);
    assert_leaves(DLG_ALL_ROWS, s.step.fed);
    assert_int_equal(r->evidence[ROW].n_choices, 1);
}

/* However early it is interrupted, what is there is a text and its own D, and no worse than it was. */
static void ends_when_interrupted(void **state)
{
    (void)state;
    dlg_session *r = &s.recovery;
    size_t n_right = 0, last_evaluations = 0;
    for (s.allowed = 0; s.allowed < 500; s.allowed += s.allowed / 2 + 1) {
        memcpy(r->fed, s.step.fed, LENGTH * sizeof *r->fed);
        r->fed[ROW] = OTHER;
        put_labels(exchanged);
        const double before = dlg_session_distance_of_tokens(r);
        s.questions = 0;
        s.result.evaluations = 0;
        assert_int_equal(dlg_token_substitution_try(r, DLG_DOUBTFUL_ROWS, NULL), DLG_OK);
        assert_true(s.result.evaluations <= s.allowed); /* asked before each, and before the derivative */
        assert_true(s.result.evaluations >= last_evaluations);
        last_evaluations = s.result.evaluations;
        const double d = r->d_tokens, again = dlg_session_distance_of_tokens(r);
        assert_true(d <= before * (1 + 1e-6) && fabs(d - again) <= 1e-6 * again);
        n_right += !memcmp(r->fed, s.step.fed, LENGTH * sizeof *r->fed);
    }
    assert_true(n_right > 0);
    assert_true(last_evaluations > 20);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    (void)argument;
    return dlg_token_substitution_try(&s.recovery, DLG_DOUBTFUL_ROWS, err);
}

static void without_memory(void **state)
{
    (void)state;
    assert_int_equal(fail_every_allocation(attempt, NULL), 4);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_nothing_that_is_right, begin, end),
        cmocka_unit_test_setup_teardown(puts_a_token_right, begin, end),
        cmocka_unit_test_setup_teardown(puts_labels_back, begin, end),
        cmocka_unit_test_setup_teardown(leaves_labels_that_are_known, begin, end),
        cmocka_unit_test_setup_teardown(never_touches_a_known_row, begin, end),
        cmocka_unit_test_setup_teardown(certain_rows_last, begin, end),
        cmocka_unit_test_setup_teardown(asks_the_position_check, begin, end),
        cmocka_unit_test_setup_teardown(ends_when_interrupted, begin, end),
        cmocka_unit_test_setup_teardown(without_memory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
