/** What a gradient says before any optimisation: length, labels, masked positions; and what of that which was told is refused. */
#include "leak/knowledge.h"

#include "base/memory.h"
#include "defend/defence.h"
#include "leak/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, MASK = 4, LENGTH = 12, N_MASKS = 3, VOCABULARY = 200, CLASSES = 3, POSITIONS = 32 };

static const dlg_markers markers = {CLS, SEP, MASK};
static const size_t positions[N_MASKS] = {2, 5, 9}, labels[N_MASKS] = {77, 150, 77}, sorted[N_MASKS] = {77, 77, 150};

/* One sentence's step, and its gradient. */
typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
} shared;

static void create_model(dlg_model **out, dlg_task task)
{
    const dlg_config config = {.task = task, .vocabulary_size = VOCABULARY, .hidden_size = 64, .n_layers = 2, .n_heads = 2,
                               .intermediate_size = 128, .max_positions = POSITIONS, .n_token_types = 2, .n_labels = CLASSES,
                               .layer_norm_eps = 1e-12, .initializer_range = 0.02, .tied_decoder = true};
    assert_int_equal(dlg_model_preset(out, "small", &config, 1, NULL), DLG_OK);
}

static void share_masked(shared *s)
{
    const size_t length = LENGTH;
    dlg_batch batch = {0};
    uint32_t fed[LENGTH];
    create_model(&s->model, DLG_MASKED_LM);
    for (uint32_t i = 0; i < LENGTH; i++) fed[i] = 20 + 7 * i;
    fed[0] = CLS;
    fed[LENGTH - 1] = SEP;
    for (size_t i = 0; i < N_MASKS; i++) fed[positions[i]] = MASK;
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, 1, &length, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, N_MASKS, positions, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &(dlg_step){&batch, fed, labels}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

static void share_classified(shared *s, size_t n_sentences, const size_t *classes)
{
    const size_t lengths[] = {LENGTH, LENGTH, LENGTH};
    dlg_batch batch = {0};
    uint32_t fed[3 * LENGTH];
    create_model(&s->model, DLG_SEQUENCE_CLASSIFICATION);
    for (uint32_t i = 0; i < 3 * LENGTH; i++) fed[i] = i % LENGTH == 0 ? CLS : i % LENGTH == LENGTH - 1 ? SEP : 20 + 5 * i;
    assert_int_equal(dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &(dlg_step){&batch, fed, classes}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

static void release(shared *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_model_free(s->model);
}

static void defend(shared *s, const char *spec, uint64_t seed)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(dlg_defence_apply(&defence, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), seed, NULL), DLG_OK);
    }
}

static size_t *copy(size_t n, const size_t *from)
{
    size_t *numbers = dlg_allocate(n, sizeof *numbers);
    assert_non_null(numbers);
    memcpy(numbers, from, n * sizeof *numbers);
    return numbers;
}

static void assert_numbers(size_t n, const size_t *found, size_t n_wanted, const size_t *wanted)
{
    assert_int_equal(n, n_wanted);
    for (size_t i = 0; i < n; i++) assert_int_equal(found[i], wanted[i]);
}

/* The labels next to what other evidence says. @return how many */
static size_t infer_labels(size_t *found, const dlg_gradient *gradient, size_t expected, bool is_certain)
{
    dlg_label_fit fit;
    const dlg_label_evidence known = {.most = LENGTH, .expected = expected, .is_certain = is_certain};
    assert_int_equal(dlg_infer_labels(found, &fit, gradient, LENGTH, &known, markers, NULL), DLG_OK);
    return fit.n_labels;
}

/* ---- the pieces ---- */

static void length(void **state)
{
    (void)state;
    shared s;
    share_masked(&s);
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    release(&s);
    share_classified(&s, 1, &(size_t){1});
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    release(&s);
}

static void length_under_noise(void **state)
{
    (void)state;
    shared s;
    share_masked(&s);
    defend(&s, "gaussian:1e-4", 1);
    assert_int_equal(dlg_infer_length(&s.gradient), LENGTH);
    release(&s);
}

/* Two sentences of a masked LM, or a classifier's, as long as they are told to be. */
static void share_two(shared *s, dlg_task task, size_t first, size_t second)
{
    const size_t lengths[] = {first, second}, rows[] = {2, first + 3}, named[] = {77, 150}, classes[] = {1, 1};
    dlg_batch batch = {0};
    uint32_t fed[2 * POSITIONS];
    create_model(&s->model, task);
    for (uint32_t i = 0; i < first + second; i++) fed[i] = 20 + i * 37 % 160;
    fed[0] = fed[first] = CLS;
    fed[first - 1] = fed[first + second - 1] = SEP;
    for (size_t i = 0; i < 2 && task == DLG_MASKED_LM; i++) fed[rows[i]] = MASK;
    assert_int_equal(dlg_batch_create(&batch, task, 2, lengths, NULL), DLG_OK);
    if (task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(&batch, 2, rows, NULL), DLG_OK);
    const dlg_step step = {&batch, fed, task == DLG_MASKED_LM ? named : classes};
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &step, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

/* No row is left that shows what noise there is; that these are no noise their sums show. */
static void length_of_all_positions(void **state)
{
    (void)state;
    for (size_t last = POSITIONS - 2; last <= POSITIONS; last++) {
        shared s;
        share_two(&s, DLG_MASKED_LM, last, 9);
        assert_int_equal(dlg_infer_length(&s.gradient), last);
        release(&s);
    }
}

static void check_layout(const shared *s, size_t told, size_t first, size_t second)
{
    dlg_batch_layout layout;
    assert_int_equal(dlg_infer_layout(&layout, &s->gradient, told, markers, NULL), DLG_OK);
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
            shared s;
            share_two(&s, tasks[i], 9, 14);
            check_layout(&s, told, 14, 9);
            release(&s);
            share_two(&s, tasks[i], 11, 11);
            check_layout(&s, told, 11, 11);
            release(&s);
        }
}

/* One sentence if that is told; and next to noise, where nothing shows more. */
static void layout_of_one(void **state)
{
    (void)state;
    shared s;
    dlg_batch_layout found;
    share_two(&s, DLG_MASKED_LM, 9, 14);
    assert_int_equal(dlg_infer_layout(&found, &s.gradient, 1, markers, NULL), DLG_OK);
    assert_numbers(found.n_sentences, found.lengths, 1, &(size_t){14});
    dlg_free(found.lengths);
    defend(&s, "gaussian:1e-2", 1);
    assert_int_equal(dlg_infer_layout(&found, &s.gradient, 2, markers, NULL), DLG_OK);
    assert_int_equal(found.n_sentences, 2);
    assert_false(found.lengths_are_seen);
    dlg_free(found.lengths);
    release(&s);
}

static void masked_labels(void **state)
{
    (void)state;
    shared s;
    size_t found[LENGTH], n;
    share_masked(&s);
    n = infer_labels(found, &s.gradient, 0, false);
    assert_numbers(n, found, N_MASKS, sorted);
    n = infer_labels(found, &s.gradient, N_MASKS, true);
    assert_numbers(n, found, N_MASKS, sorted);
    /* An expected number that does not fit is not taken, unless it is certain. */
    n = infer_labels(found, &s.gradient, 2, false);
    assert_numbers(n, found, N_MASKS, sorted);
    n = infer_labels(found, &s.gradient, 2 * N_MASKS, true);
    assert_int_equal(n, 2 * N_MASKS);
    release(&s);
}

static void classes(void **state)
{
    (void)state;
    for (size_t c = 0; c < CLASSES; c++) {
        shared s;
        size_t found;
        share_classified(&s, 1, &c);
        assert_int_equal(dlg_infer_classes(&found, 1, &s.gradient, LENGTH, markers, NULL), DLG_OK);
        assert_int_equal(found, c);
        release(&s);
    }
}

static void span_check(void **state)
{
    (void)state;
    shared s;
    dlg_span_check *check;
    size_t found[LENGTH];
    double scratch[LENGTH];
    share_masked(&s);
    assert_int_equal(dlg_span_check_create(&check, &s.gradient, LENGTH, NULL), DLG_OK);
    assert_numbers(dlg_span_check_positions(check, MASK, LENGTH, found, scratch), found, N_MASKS, positions);
    assert_true(dlg_span_check_outside(check, MASK, positions[0]) < 1e-3);
    assert_true(dlg_span_check_outside(check, MASK, positions[0] + 1) > 0.1);
    /* A token that is there once, and one that is nowhere. */
    assert_numbers(dlg_span_check_positions(check, 20 + 7 * 6, LENGTH, found, scratch), found, 1, &(size_t){6});
    assert_int_equal(dlg_span_check_positions(check, 199, LENGTH, found, scratch), 0);
    dlg_span_check_free(check);
    release(&s);
}

/* Where one token stands at two positions of a batch and [MASK] at one, [MASK] at the other is nearly a combination of the three. */
static void span_check_of_near_combinations(void **state)
{
    (void)state;
    enum { AT = 3, OTHER = 7 };
    const size_t lengths[] = {LENGTH, LENGTH};
    shared s;
    dlg_batch batch = {0};
    dlg_span_check *check;
    size_t found[LENGTH];
    double scratch[LENGTH];
    uint32_t fed[2 * LENGTH];
    create_model(&s.model, DLG_MASKED_LM);
    dlg_real *shift = (dlg_real *)(uintptr_t)dlg_model_parameter(s.model, "bert.embeddings.LayerNorm.bias")->value;
    for (size_t i = 0; i < 64; i++) shift[i] = (dlg_real)(i % 2 ? 0.05 : -0.02);
    for (uint32_t i = 0; i < 2 * LENGTH; i++) fed[i] = i % LENGTH == 0 ? CLS : i % LENGTH == LENGTH - 1 ? SEP : 20 + 5 * i;
    fed[AT] = fed[LENGTH + AT + 1] = MASK;
    fed[OTHER] = fed[LENGTH + AT];
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, 2, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, 2, (const size_t[]){AT, LENGTH + AT + 1}, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s.gradient, NULL, s.model, &(dlg_step){&batch, fed, labels}, NULL), DLG_OK);
    dlg_batch_release(&batch);
    assert_int_equal(dlg_span_check_create(&check, &s.gradient, 2 * LENGTH, NULL), DLG_OK);
    assert_true(dlg_span_check_outside(check, MASK, AT) < 1e-10);
    assert_in_range((size_t)(1e9 * dlg_span_check_outside(check, MASK, OTHER)), 1, 1000000);
    assert_numbers(dlg_span_check_positions(check, MASK, LENGTH, found, scratch), found, 2, (const size_t[]){AT, AT + 1});
    dlg_span_check_free(check);
    release(&s);
}

/* ---- all together ---- */

static void infers_masked(void **state)
{
    (void)state;
    shared s;
    dlg_knowledge k = {0};
    share_masked(&s);
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, NULL), DLG_OK);
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
    release(&s);
}

/* The span check is blind there: the word embedding's gradient shows where masks stand. */
static void infers_masked_under_noise(void **state)
{
    (void)state;
    shared s;
    dlg_knowledge k = {0};
    share_masked(&s);
    defend(&s, "gaussian:1e-4", 1);
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, NULL), DLG_OK);
    assert_true(k.masks_are_seen);
    assert_int_equal(k.rows_from, DLG_INFERRED);
    assert_numbers(k.n_labels, k.labels, N_MASKS, sorted);
    assert_numbers(k.n_rows, k.rows, N_MASKS, positions);
    dlg_knowledge_release(&k);
    release(&s);
}

static void infers_class(void **state)
{
    (void)state;
    shared s;
    dlg_knowledge k = {0};
    share_classified(&s, 1, &(size_t){2});
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, NULL), DLG_OK);
    assert_int_equal(k.lengths[0], LENGTH);
    assert_numbers(k.n_labels, k.labels, 1, &(size_t){2});
    assert_numbers(k.n_rows, k.rows, 1, &(size_t){0});
    assert_true(k.placed);
    dlg_knowledge_release(&k);
    release(&s);
}

static void keeps_what_is_told(void **state)
{
    (void)state;
    static const size_t told_rows[] = {2, 5, 7, 9};
    shared s;
    share_masked(&s);
    dlg_knowledge k = {.n_sentences = 1, .lengths = copy(1, &(size_t){LENGTH}), .n_labels = N_MASKS, .labels = copy(N_MASKS, sorted),
                       .n_rows = 4, .rows = copy(4, told_rows), .lengths_from = DLG_TOLD, .labels_from = DLG_TOLD, .rows_from = DLG_TOLD};
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, NULL), DLG_OK);
    assert_numbers(k.n_rows, k.rows, 4, told_rows);
    assert_numbers(k.n_labels, k.labels, N_MASKS, sorted);
    assert_int_equal(k.rows_from, DLG_TOLD);
    dlg_knowledge_release(&k);
    release(&s);
}

static void check_refused(const shared *s, size_t told_length, size_t n_rows, size_t first_row, size_t first_label, const char *object)
{
    dlg_error err = {0};
    dlg_knowledge k = {.n_sentences = 1, .lengths = copy(1, &told_length), .n_labels = N_MASKS, .labels = copy(N_MASKS, sorted),
                       .n_rows = n_rows, .rows = copy(N_MASKS, positions), .rows_from = DLG_TOLD};
    k.rows[0] = first_row;
    k.labels[0] = first_label;
    assert_int_equal(dlg_knowledge_infer(&k, &s->gradient, markers, &err), DLG_ESHAPE);
    assert_int_equal(err.status, DLG_ESHAPE);
    if (!strstr(err.message, object) || strchr(err.message, '\n')) fail_msg("want a line with \"%s\", found \"%s\"", object, err.message);
    dlg_knowledge_release(&k);
}

/* The span check would look at positions that the model has not. */
static void refuses_a_length_before_it_looks(void **state)
{
    (void)state;
    shared s;
    share_masked(&s);
    dlg_error err = {0};
    const size_t length = 2 * POSITIONS;
    dlg_knowledge k = {.n_sentences = 1, .lengths = copy(1, &length)};
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, &err), DLG_ESHAPE);
    assert_non_null(strstr(err.message, "length of sentence 1"));
    dlg_knowledge_release(&k);
    release(&s);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    shared s;
    share_masked(&s);
    check_refused(&s, LENGTH, 2, 2, 77, "want a masked position for each of 3 labels, found 2");
    check_refused(&s, POSITIONS + 1, N_MASKS, 2, 77, "length of sentence 1: want at most 32 tokens, found 33");
    check_refused(&s, LENGTH, N_MASKS, LENGTH, 77, "masked position 12: want one of the 12 tokens");
    check_refused(&s, LENGTH, N_MASKS, 2, VOCABULARY, "label 200: want one below 200");
    release(&s);
}

static void refuses_nothing_to_see(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_knowledge k = {0};
    shared s;
    create_model(&s.model, DLG_MASKED_LM);
    assert_int_equal(dlg_gradient_create(&s.gradient, s.model, NULL), DLG_OK);
    assert_int_equal(dlg_infer_length(&s.gradient), 0);
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, &err), DLG_EFORMAT);
    assert_non_null(strstr(err.message, "no length can be inferred"));
    dlg_knowledge_release(&k);
    release(&s);
}

/* More labels than positions that could hold them: told, that is a mistake of the user's; else the gradient's. */
static void refuses_too_many_labels(void **state)
{
    (void)state;
    dlg_error err = {0};
    shared s;
    share_masked(&s);
    dlg_knowledge k = {.n_sentences = 1, .lengths = copy(1, &(size_t){N_MASKS}), .n_labels = N_MASKS, .labels = copy(N_MASKS, sorted),
                       .lengths_from = DLG_INFERRED, .labels_from = DLG_INFERRED};
    assert_int_equal(dlg_knowledge_infer(&k, &s.gradient, markers, &err), DLG_EFORMAT);
    assert_non_null(strstr(err.message, "want a masked position for each of 3 labels, found 1"));
    dlg_knowledge_release(&k);
    release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length),
        cmocka_unit_test(length_under_noise),
        cmocka_unit_test(length_of_all_positions),
        cmocka_unit_test(layout),
        cmocka_unit_test(layout_of_one),
        cmocka_unit_test(masked_labels),
        cmocka_unit_test(classes),
        cmocka_unit_test(span_check),
        cmocka_unit_test(span_check_of_near_combinations),
        cmocka_unit_test(infers_masked),
        cmocka_unit_test(infers_masked_under_noise),
        cmocka_unit_test(infers_class),
        cmocka_unit_test(keeps_what_is_told),
        cmocka_unit_test(refuses_a_length_before_it_looks), cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_nothing_to_see), cmocka_unit_test(refuses_too_many_labels),
    };
    return cmocka_run_group_tests_name("knowledge", tests, NULL, NULL);
}
