/** What a gradient says before any optimisation, all together; and what of that which was told is refused. */
#include "analytic/knowledge.h"

#include "base/memory.h"
#include "known_step.h"
#include "analytic/infer.h"
#include "analysed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t *copy(size_t n, const size_t *from)
{
    size_t *numbers = dlg_allocate(n, sizeof *numbers);
    assert_non_null(numbers);
    memcpy(numbers, from, n * sizeof *numbers);
    return numbers;
}

static void infers_masked(void **state)
{
    (void)state;
    shared_step s;
    dlg_knowledge k = {0};
    known_share_masked(&s);
    assert_int_equal(analysed_knowledge(&k, &s.gradient, NULL), DLG_OK);
    assert_int_equal(k.n_sentences, 1);
    assert_int_equal(k.sentences_from, DLG_INFERRED);
    assert_int_equal(k.lengths[0], LENGTH);
    assert_int_equal(k.lengths_from, DLG_INFERRED);
    assert_numbers(k.n_labels, k.labels, N_MASKS, sorted);
    assert_int_equal(k.labels_from, DLG_INFERRED);
    assert_numbers(k.n_rows, k.rows, N_MASKS, positions);
    assert_int_equal(k.rows_from, DLG_INFERRED);
    assert_true(k.masks_are_seen);
    assert_false(k.placed);
    dlg_knowledge_release(&k);
    assert_null(k.labels);
    step_release(&s);
}

/* The span check is blind there: the word embedding's gradient shows where masks stand. */
static void infers_masked_under_noise(void **state)
{
    (void)state;
    shared_step s;
    dlg_knowledge k = {0};
    known_share_masked(&s);
    step_defend(&s, "gaussian:1e-4", 1);
    assert_int_equal(analysed_knowledge(&k, &s.gradient, NULL), DLG_OK);
    assert_true(k.masks_are_seen);
    assert_int_equal(k.rows_from, DLG_INFERRED);
    assert_numbers(k.n_labels, k.labels, N_MASKS, sorted);
    assert_numbers(k.n_rows, k.rows, N_MASKS, positions);
    dlg_knowledge_release(&k);
    step_release(&s);
}

static void infers_class(void **state)
{
    (void)state;
    shared_step s;
    dlg_knowledge k = {0};
    known_share_classified(&s, 1, &(size_t){2});
    assert_int_equal(analysed_knowledge(&k, &s.gradient, NULL), DLG_OK);
    assert_int_equal(k.lengths[0], LENGTH);
    assert_numbers(k.n_labels, k.labels, 1, &(size_t){2});
    assert_numbers(k.n_rows, k.rows, 1, &(size_t){0});
    assert_true(k.placed);
    dlg_knowledge_release(&k);
    step_release(&s);
}

static void keeps_what_is_told(void **state)
{
    (void)state;
    static const size_t told_rows[] = {2, 5, 7, 9};
    shared_step s;
    known_share_masked(&s);
    dlg_knowledge k = {.n_sentences = 1,
                       .lengths = copy(1, &(size_t){LENGTH}),
                       .n_labels = N_MASKS,
                       .labels = copy(N_MASKS, sorted),
                       .n_rows = 4,
                       .rows = copy(4, told_rows),
                       .lengths_from = DLG_TOLD,
                       .labels_from = DLG_TOLD,
                       .rows_from = DLG_TOLD};
    assert_int_equal(analysed_knowledge(&k, &s.gradient, NULL), DLG_OK);
    assert_numbers(k.n_rows, k.rows, 4, told_rows);
    assert_numbers(k.n_labels, k.labels, N_MASKS, sorted);
    assert_int_equal(k.rows_from, DLG_TOLD);
    dlg_knowledge_release(&k);
    step_release(&s);
}

static void check_refused(const shared_step *s, size_t told_length, size_t n_rows, size_t first_row, size_t first_label,
                          const char *object)
{
    dlg_error err = {0};
    dlg_knowledge k = {.n_sentences = 1,
                       .lengths = copy(1, &told_length),
                       .n_labels = N_MASKS,
                       .labels = copy(N_MASKS, sorted),
                       .n_rows = n_rows,
                       .rows = copy(N_MASKS, positions),
                       .rows_from = DLG_TOLD};
    k.rows[0] = first_row;
    k.labels[0] = first_label;
    assert_int_equal(analysed_knowledge(&k, &s->gradient, &err), DLG_ESHAPE);
    assert_int_equal(err.status, DLG_ESHAPE);
    if (!strstr(err.message, object) || strchr(err.message, '\n'))
        fail_msg("want a line with \"%s\", found \"%s\"", object, err.message);
    dlg_knowledge_release(&k);
}

/* The span check would look at positions that the model has not. */
static void refuses_a_length_before_it_looks(void **state)
{
    (void)state;
    shared_step s;
    known_share_masked(&s);
    dlg_error err = {0};
    const size_t length = 2 * POSITIONS;
    dlg_knowledge k = {.n_sentences = 1, .lengths = copy(1, &length)};
    assert_int_equal(analysed_knowledge(&k, &s.gradient, &err), DLG_ESHAPE);
    assert_non_null(strstr(err.message, "length of sentence 1"));
    dlg_knowledge_release(&k);
    step_release(&s);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    shared_step s;
    known_share_masked(&s);
    check_refused(&s, LENGTH, 2, 2, 77, "want a masked position for each of 3 labels, found 2");
    check_refused(&s, POSITIONS + 1, N_MASKS, 2, 77, "length of sentence 1: want at most 32 tokens, found 33");
    check_refused(&s, LENGTH, N_MASKS, LENGTH, 77, "masked position 12: want one of the 12 tokens");
    check_refused(&s, LENGTH, N_MASKS, 2, VOCABULARY, "label 200: want one below 200");
    step_release(&s);
}

static void refuses_nothing_to_see(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_knowledge k = {0};
    shared_step s;
    s = (shared_step){.model = known_model(DLG_MASKED_LM)};
    assert_int_equal(dlg_gradient_create(&s.gradient, s.model, NULL), DLG_OK);
    assert_int_equal(dlg_infer_length(&s.gradient), 0);
    assert_int_equal(analysed_knowledge(&k, &s.gradient, &err), DLG_EFORMAT);
    assert_non_null(strstr(err.message, "no length can be inferred"));
    dlg_knowledge_release(&k);
    step_release(&s);
}

/* More labels than positions that could hold them: told, that is a mistake of the user's; else the gradient's. */
static void refuses_too_many_labels(void **state)
{
    (void)state;
    dlg_error err = {0};
    shared_step s;
    known_share_masked(&s);
    dlg_knowledge k = {.n_sentences = 1,
                       .lengths = copy(1, &(size_t){N_MASKS - 1}),
                       .n_labels = N_MASKS,
                       .labels = copy(N_MASKS, sorted),
                       .lengths_from = DLG_INFERRED,
                       .labels_from = DLG_INFERRED};
    assert_int_equal(analysed_knowledge(&k, &s.gradient, &err), DLG_EFORMAT);
    assert_non_null(strstr(err.message, "want a masked position for each of 3 labels, found 2"));
    dlg_knowledge_release(&k);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infers_masked),
        cmocka_unit_test(infers_masked_under_noise),
        cmocka_unit_test(infers_class),
        cmocka_unit_test(keeps_what_is_told),
        cmocka_unit_test(refuses_a_length_before_it_looks),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_nothing_to_see),
        cmocka_unit_test(refuses_too_many_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
