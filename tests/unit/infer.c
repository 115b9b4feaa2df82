/** The pieces of what a gradient says before any optimisation: lengths, labels, classes, the span check. */
#include "analytic/infer.h"
#include "analytic/labels/infer_labels.h"
#include "analytic/tokens/span_check.h"

#include "base/memory.h"
#include "known_step.h"
#include "analysed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The labels next to what other evidence says. @return how many */
static size_t infer_labels(size_t *found, const dlg_gradient *gradient, size_t expected, bool is_certain)
{
    dlg_label_fit fit;
    const dlg_label_evidence known = {.most = LENGTH, .expected = expected, .is_certain = is_certain};
    dlg_forward forward = {.model = gradient->model};
    assert_int_equal(dlg_infer_labels(found, &fit, gradient, &forward, LENGTH, &known, special, NULL), DLG_OK);
    dlg_forward_release(&forward);
    return fit.n_labels;
}

static void length(void **state)
{
    (void)state;
    shared_step s;
    known_share_masked(&s);
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    step_release(&s);
    known_share_classified(&s, 1, &(size_t){1});
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    step_release(&s);
}

static void length_under_noise(void **state)
{
    (void)state;
    shared_step s;
    known_share_masked(&s);
    step_defend(&s, "gaussian:1e-4", 1);
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    step_release(&s);
}

/* Where the noise is near the rows' own size, or little was left of them, the last one may be hidden. */
static void length_that_may_be_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        bool is_likely;
    } cases[] = {{NULL, true},        {"gaussian:1e-5", true}, {"gaussian:3e-3", false},
                 {"prune:0.1", true}, {"prune:0.97", false},   {"int8", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shared_step s;
        bool is_likely;
        known_share_masked(&s);
        if (cases[i].spec) step_defend(&s, cases[i].spec, 1);
        const size_t n = dlg_infer_length(&s.gradient);
        assert_int_equal(dlg_infer_length_is_likely(&is_likely, &s.gradient, n, NULL), DLG_OK);
        assert_int_equal(is_likely, cases[i].is_likely);
        step_release(&s);
    }
}

/* No row is left that shows what noise there is; that these are no noise their sums show. */
static void length_of_all_positions(void **state)
{
    (void)state;
    for (size_t last = POSITIONS - 2; last <= POSITIONS; last++) {
        shared_step s;
        known_share_two(&s, DLG_MASKED_LM, last, 9);
        assert_int_equal(dlg_infer_length(&s.gradient), last);
        step_release(&s);
    }
}

static void check_layout(const shared_step *s, size_t told, size_t first, size_t second)
{
    dlg_batch_layout layout;
    assert_int_equal(analysed_layout(&layout, &s->gradient, told), DLG_OK);
    assert_numbers(layout.n_sentences, layout.lengths, 2, (const size_t[]){first, second});
    assert_true(!layout.sentences_are_seen && layout.lengths_are_seen);
    dlg_free(layout.lengths);
}

static void layout(void **state)
{
    (void)state;
    static const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t i = 0; i < 2; i++)
        for (size_t told = 0; told <= 2; told += 2) {
            shared_step s;
            known_share_two(&s, tasks[i], 9, 14);
            check_layout(&s, told, 14, 9);
            step_release(&s);
            known_share_two(&s, tasks[i], 11, 11);
            check_layout(&s, told, 11, 11);
            step_release(&s);
        }
}

/* One sentence if that is told; and next to noise, where nothing shows more. */
static void layout_of_one(void **state)
{
    (void)state;
    shared_step s;
    dlg_batch_layout found;
    known_share_two(&s, DLG_MASKED_LM, 9, 14);
    assert_int_equal(analysed_layout(&found, &s.gradient, 1), DLG_OK);
    assert_numbers(found.n_sentences, found.lengths, 1, &(size_t){14});
    dlg_free(found.lengths);
    step_defend(&s, "gaussian:1e-2", 1);
    assert_int_equal(analysed_layout(&found, &s.gradient, 2), DLG_OK);
    assert_int_equal(found.n_sentences, 2);
    assert_false(found.lengths_are_seen);
    dlg_free(found.lengths);
    step_release(&s);
}

static void masked_labels(void **state)
{
    (void)state;
    shared_step s;
    size_t found[LENGTH], n;
    known_share_masked(&s);
    n = infer_labels(found, &s.gradient, 0, false);
    assert_numbers(n, found, N_MASKS, sorted);
    n = infer_labels(found, &s.gradient, N_MASKS, true);
    assert_numbers(n, found, N_MASKS, sorted);
    /* An expected number that does not fit is not taken, unless it is certain. */
    n = infer_labels(found, &s.gradient, 2, false);
    assert_numbers(n, found, N_MASKS, sorted);
    n = infer_labels(found, &s.gradient, 2 * N_MASKS, true);
    assert_int_equal(n, 2 * N_MASKS);
    step_release(&s);
}

static void classes(void **state)
{
    (void)state;
    for (size_t c = 0; c < CLASSES; c++) {
        shared_step s;
        size_t found;
        known_share_classified(&s, 1, &c);
        dlg_forward forward = {.model = s.model};
        assert_int_equal(dlg_infer_classes(&found, 1, &s.gradient, &forward, NULL, LENGTH, special, NULL), DLG_OK);
        dlg_forward_release(&forward);
        assert_int_equal(found, c);
        step_release(&s);
    }
}

static void span_check(void **state)
{
    (void)state;
    shared_step s;
    dlg_span_check *check;
    size_t found[LENGTH];
    double scratch[LENGTH];
    known_share_masked(&s);
    assert_int_equal(analysed_span_check(&check, &s.gradient, LENGTH), DLG_OK);
    assert_numbers(dlg_span_check_positions(check, MASK, LENGTH, found, scratch), found, N_MASKS, positions);
    assert_true(dlg_span_check_outside(check, MASK, positions[0]) < 1e-3);
    assert_true(dlg_span_check_outside(check, MASK, positions[0] + 1) > 0.1);
    /* A token that is there once, and one that is nowhere. */
    assert_numbers(dlg_span_check_positions(check, 20 + 7 * 6, LENGTH, found, scratch), found, 1, &(size_t){6});
    assert_int_equal(dlg_span_check_positions(check, 199, LENGTH, found, scratch), 0);
    dlg_span_check_free(check);
    step_release(&s);
}

/* Where one token stands at two positions of a batch and [MASK] at one, [MASK] at the other is nearly a combination of
 * the three. */
static void span_check_of_near_combinations(void **state)
{
    (void)state;
    enum { AT = 3, OTHER = 7 };
    shared_step s;
    dlg_span_check *check;
    size_t found[LENGTH];
    double scratch[LENGTH];
    step_begin(&s, known_model(DLG_MASKED_LM), 2, (const size_t[]){LENGTH, LENGTH});
    dlg_real *shift = (dlg_real *)(uintptr_t)dlg_model_parameter(s.model, "bert.embeddings.LayerNorm.bias")->value;
    for (size_t i = 0; i < 64; i++) shift[i] = (dlg_real)(i % 2 ? 0.05 : -0.02);
    for (uint32_t i = 0; i < s.batch.n_rows; i++)
        if (!s.fed[i]) s.fed[i] = 20 + 5 * i;
    s.fed[AT] = s.fed[LENGTH + AT + 1] = MASK;
    s.fed[OTHER] = s.fed[LENGTH + AT];
    memcpy(s.labels, labels, 2 * sizeof *labels);
    step_share(&s, 2, (const size_t[]){AT, LENGTH + AT + 1});
    assert_int_equal(analysed_span_check(&check, &s.gradient, 2 * LENGTH), DLG_OK);
    assert_true(dlg_span_check_outside(check, MASK, AT) < 1e-10);
    assert_in_range((size_t)(1e9 * dlg_span_check_outside(check, MASK, OTHER)), 1, 1000000);
    assert_numbers(dlg_span_check_positions(check, MASK, LENGTH, found, scratch), found, 2,
                   (const size_t[]){AT, AT + 1});
    dlg_span_check_free(check);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length),
        cmocka_unit_test(length_under_noise),
        cmocka_unit_test(length_that_may_be_hidden),
        cmocka_unit_test(length_of_all_positions),
        cmocka_unit_test(layout),
        cmocka_unit_test(layout_of_one),
        cmocka_unit_test(masked_labels),
        cmocka_unit_test(classes),
        cmocka_unit_test(span_check),
        cmocka_unit_test(span_check_of_near_combinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
