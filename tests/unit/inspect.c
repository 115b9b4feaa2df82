/** What can be read off a gradient: every fact of plain ones, and what a defence leaves and hides. */
#include "leak/inspect.h"

#include "defend/defence.h"
#include "leak/pooled.h"
#include "math/blas.h"
#include "math/random.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, MASK = 4, VOCABULARY = 400, POSITIONS = 160, CLASSES = 4, MOST_ROWS = 256, MOST_LABELS = 64 };

static const dlg_markers markers = {CLS, SEP, MASK};

/* A step that a participant made, and its gradient. */
typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
    size_t n_rows, n_labels;
    uint32_t fed[MOST_ROWS];
    size_t labels[MOST_LABELS];
} shared;

static dlg_model *preset(dlg_task task, bool tied)
{
    const dlg_config config = {.task = task, .vocabulary_size = VOCABULARY, .hidden_size = 64, .n_layers = 2, .n_heads = 2,
                               .intermediate_size = 128, .max_positions = POSITIONS, .n_token_types = 2, .n_labels = CLASSES,
                               .layer_norm_eps = 1e-12, .initializer_range = 0.05, .tied_decoder = tied};
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, "small", &config, 1, NULL), DLG_OK);
    return model;
}

/* A trained model, or NULL where there is none. */
static dlg_model *trained(const char *name)
{
    dlg_model *model = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/fixtures/%s", DLG_SHARED, name);
    if (dlg_model_open(&model, path, NULL)) return NULL;
    return model;
}

/* Words that differ from each other within a step, and between seeds. */
static uint32_t word(const dlg_model *model, size_t i, size_t seed)
{
    return (uint32_t)(10 + (37 * i + 101 * seed) % (model->config.vocabulary_size - 10));
}

/* Sentences of these lengths; every stride-th inner token is masked, up to n_labels, and its label repeats every `distinct`. */
static void share(shared *s, dlg_model *model, size_t n_sentences, const size_t *lengths, size_t n_labels, size_t stride, size_t distinct)
{
    dlg_batch batch = {0};
    size_t rows[MOST_LABELS];
    *s = (shared){.model = model};
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, s->n_rows++) {
            const bool inner = t > 0 && t + 1 < lengths[b];
            s->fed[s->n_rows] = t == 0 ? CLS : inner ? word(model, s->n_rows, 0) : SEP;
            if (!inner || t % stride || s->n_labels == n_labels) continue;
            rows[s->n_labels] = s->n_rows;
            s->fed[s->n_rows] = MASK;
            s->labels[s->n_labels] = word(model, s->n_labels % distinct, 7);
            s->n_labels++;
        }
    assert_int_equal(s->n_labels, n_labels);
    assert_int_equal(dlg_batch_create(&batch, model->config.task, n_sentences, lengths, NULL), DLG_OK);
    if (model->config.task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(&batch, n_labels, rows, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, model, &(dlg_step){&batch, s->fed, s->labels}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

/* The same with classes. */
static void share_classes(shared *s, dlg_model *model, size_t n_sentences, const size_t *lengths, const size_t *classes)
{
    dlg_batch batch = {0};
    *s = (shared){.model = model, .n_labels = n_sentences};
    memcpy(s->labels, classes, n_sentences * sizeof *classes);
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, s->n_rows++)
            s->fed[s->n_rows] = t == 0 ? CLS : t + 1 < lengths[b] ? word(model, s->n_rows, 3) : SEP;
    assert_int_equal(dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, model, &(dlg_step){&batch, s->fed, classes}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

static void release(shared *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_model_free(s->model);
}

static void defend(shared *s, const char *spec)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(dlg_defence_apply(&defence, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), 1, NULL), DLG_OK);
    }
}

static void scale(shared *s, double factor)
{
    for (size_t i = 0; i < s->gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&s->model->parameters[i]); k++)
            s->gradient.owned[i][k] = (dlg_real)(factor * (double)s->gradient.owned[i][k]);
}

static dlg_inspection inspect(const shared *s)
{
    dlg_inspection found;
    dlg_error err;
    if (dlg_inspect(&found, &s->gradient, markers, &err)) fail_msg("%s", err.message);
    return found;
}

/* ---- what must be found ---- */

static void assert_labels(const dlg_inspection *found, const shared *s)
{
    bool used[MOST_LABELS] = {false};
    assert_int_equal(found->n_labels, s->n_labels);
    for (size_t i = 0; i < s->n_labels; i++) {
        size_t j = 0;
        while (j < s->n_labels && (used[j] || s->labels[j] != found->labels[i])) j++;
        if (j == s->n_labels) fail_msg("label %zu is none, or too often", found->labels[i]);
        used[j] = true;
    }
}

static bool was_fed(const shared *s, uint32_t token)
{
    bool is_there = false;
    for (size_t i = 0; i < s->n_rows; i++) is_there = is_there || s->fed[i] == token;
    return is_there;
}

static void assert_tokens(const dlg_inspection *found, const shared *s)
{
    for (size_t i = 0; i < found->tokens.n; i++) {
        if (!was_fed(s, found->tokens.tokens[i])) fail_msg("token %u was not fed", found->tokens.tokens[i]);
        assert_true(!i || found->tokens.tokens[i] > found->tokens.tokens[i - 1]);
    }
    for (size_t i = 0; i < s->n_rows; i++) {
        bool is_there = false;
        for (size_t j = 0; j < found->tokens.n; j++) is_there = is_there || found->tokens.tokens[j] == s->fed[i];
        if (!is_there) fail_msg("token %u was fed and is not found", s->fed[i]);
    }
}

static void assert_text(const dlg_inspection *found, const shared *s)
{
    assert_non_null(found->text);
    assert_int_equal(found->length, s->n_rows);
    assert_memory_equal(found->text, s->fed, s->n_rows * sizeof *s->fed);
}

static void assert_single(const shared *s)
{
    dlg_inspection found = inspect(s);
    assert_int_equal(found.length_ground.sure, DLG_CERTAIN);
    assert_text(&found, s);
    assert_int_equal(found.text_ground.sure, DLG_CERTAIN);
    assert_true(found.fits && found.fits_ground.sure == DLG_CERTAIN);
    assert_int_equal(found.n_sentences, 1);
    assert_int_equal(found.n_sentences_most, 1);
    assert_int_equal(found.sentences_ground.sure, DLG_CERTAIN);
    assert_int_equal(found.lengths[0], s->n_rows);
    assert_int_equal(found.lengths_ground.sure, DLG_CERTAIN);
    assert_labels(&found, s);
    assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
    assert_tokens(&found, s);
    size_t n_masked = 0;
    for (size_t t = 0; t < s->n_rows; t++)
        if (s->fed[t] == MASK) assert_int_equal(found.masked[n_masked++], t);
    assert_int_equal(found.n_masked, n_masked);
    assert_true(fabs(found.scale - 1) < 1e-3);
    assert_false(found.is_defended);
    assert_true(found.traces.noise == 0 && !found.traces.is_pruned && found.traces.rounding == DLG_NOT_ROUNDED);
    dlg_inspection_release(&found);
}

static void one_sentence(void **state)
{
    (void)state;
    shared s;
    const size_t length = 20;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    assert_single(&s);
    release(&s);
    share(&s, preset(DLG_MASKED_LM, false), 1, &length, 3, 5, 3);
    assert_single(&s);
    release(&s);
}

/* 32 masks, five labels that come again; more tokens than the model is wide. */
static void many_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"trained-model", "trained-mini"};
    shared s;
    const size_t length = 101;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 32, 3, 27);
    assert_single(&s);
    release(&s);
    for (size_t i = 0; i < 2; i++) {
        dlg_model *model = trained(names[i]);
        if (!model) continue;
        share(&s, model, 1, &length, 32, 3, 27);
        dlg_inspection found = inspect(&s);
        assert_labels(&found, &s);
        assert_text(&found, &s);
        assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
        dlg_inspection_release(&found);
        release(&s);
    }
}

static void ranks(void **state)
{
    (void)state;
    shared s;
    const size_t length = 20;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    dlg_inspection found = inspect(&s);
    assert_int_equal(found.n_ranks, 13);
    for (size_t i = 0; i < found.n_ranks; i++) {
        assert_true(found.ranks[i].rank.is_clear);
        const bool is_key = strstr(found.ranks[i].parameter->name, "key") != NULL; /* softmax does not see a shift: one less */
        if (i < 6) assert_int_equal(found.ranks[i].rank.rank, 20 - is_key);
    }
    assert_string_equal(found.ranks[12].parameter->name, "cls.predictions.transform.dense.weight");
    assert_int_equal(found.ranks[12].rank.rank, 3);
    dlg_inspection_release(&found);
    release(&s);
}

static void a_batch(void **state)
{
    (void)state;
    shared s;
    const size_t lengths[] = {14, 11, 8};
    share(&s, preset(DLG_MASKED_LM, true), 3, lengths, 6, 4, 6);
    dlg_inspection found = inspect(&s);
    assert_int_equal(found.length, 14);
    assert_true(found.fits);
    assert_true(found.n_sentences == 3 && found.n_sentences_most >= 3);
    assert_int_equal(found.sentences_ground.sure, DLG_LIKELY);
    assert_null(found.text);
    assert_labels(&found, &s);
    assert_tokens(&found, &s);
    for (size_t i = 0; i < 3; i++) assert_int_equal(found.lengths[i], lengths[i]);
    assert_int_equal(found.lengths_ground.sure, DLG_GUESSED);
    dlg_inspection_release(&found);
    release(&s);
}

static void classes(void **state)
{
    (void)state;
    static const size_t lengths[] = {9, 12, 7, 10, 8, 11, 6, 9}, labels[] = {3, 0, 3, 1, 1, 1, 2, 3};
    for (size_t n = 1; n <= 8; n++) {
        dlg_model *model = trained("trained-cls/model");
        for (int is_trained = 0; is_trained < 1 + (model != NULL); is_trained++) {
            shared s;
            share_classes(&s, is_trained ? model : preset(DLG_SEQUENCE_CLASSIFICATION, true), n, lengths, labels);
            dlg_inspection found = inspect(&s);
            assert_int_equal(found.n_sentences, n);
            assert_int_equal(found.n_sentences_most, n);
            assert_labels(&found, &s);
            /* Random weights make sentences so much alike that single precision no longer tells more than a few apart. */
            if (is_trained ? n <= 6 : n <= 3) {
                assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
                assert_true(fabs(found.scale - 1) < 0.01);
            }
            assert_tokens(&found, &s);
            assert_int_equal(found.text != NULL, n == 1);
            dlg_inspection_release(&found);
            release(&s);
        }
    }
}

/* ---- defended ---- */

static dlg_inspection inspect_defended(const char *spec, size_t length)
{
    shared s;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    defend(&s, spec);
    dlg_inspection found = inspect(&s);
    assert_int_equal(found.length, length);
    assert_true(found.is_defended);
    assert_labels(&found, &s);
    assert_true(found.labels_ground.sure >= DLG_GUESSED);
    release(&s);
    return found;
}

static void rounded(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        dlg_rounding rounding;
    } cases[] = {{"fp16", DLG_ROUNDED_F16}, {"bf16", DLG_ROUNDED_BF16}, {"int8", DLG_ROUNDED_LEVELS}};
    for (size_t i = 0; i < 3; i++) {
        dlg_inspection found = inspect_defended(cases[i].spec, 20);
        assert_int_equal(found.traces.rounding, cases[i].rounding);
        assert_false(found.traces.is_pruned);
        assert_true(found.traces.noise == 0);
        if (found.traces.rounding == DLG_ROUNDED_LEVELS) assert_true(found.traces.n_levels > 64 && found.traces.n_levels <= 127);
        dlg_inspection_release(&found);
    }
}

static void pruned(void **state)
{
    (void)state;
    dlg_inspection found = inspect_defended("prune:0.4", 20);
    assert_true(found.traces.is_pruned);
    assert_true(fabs(found.traces.zeros - 0.4) < 0.01);
    assert_int_equal(found.traces.rounding, DLG_NOT_ROUNDED);
    dlg_inspection_release(&found);
}

static void noisy(void **state)
{
    (void)state;
    dlg_inspection found = inspect_defended("gaussian:1e-4", 20);
    assert_true(fabs(found.traces.noise / 1e-4 - 1) < 0.05 && fabs(found.traces.kurtosis - 3) < 0.3);
    for (size_t i = 0; i < found.n_ranks; i++) assert_false(found.ranks[i].rank.is_clear && found.ranks[i].rank.rank > 20);
    dlg_inspection_release(&found);
    found = inspect_defended("laplace:1e-4", 20);
    assert_true(fabs(found.traces.noise / (sqrt(2) * 1e-4) - 1) < 0.05 && fabs(found.traces.kurtosis - 6) < 1);
    dlg_inspection_release(&found);
}

/* Where the text fills all positions nothing shows noise. */
static void nothing_behind(void **state)
{
    (void)state;
    shared s;
    dlg_traces traces;
    const size_t all = POSITIONS;
    share(&s, preset(DLG_MASKED_LM, true), 1, &all, 3, 5, 3);
    assert_int_equal(dlg_traces_find(&traces, &s.gradient, POSITIONS, NULL), DLG_OK);
    assert_int_equal(traces.n_behind, 0);
    assert_true(traces.noise == 0 && traces.kurtosis == 0);
    release(&s);
}

static void clipped(void **state)
{
    (void)state;
    shared s;
    const size_t length = 20;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    dlg_inspection found = inspect(&s);
    const double norm = found.traces.norm;
    assert_false(found.traces.is_norm_round);
    dlg_inspection_release(&found);
    scale(&s, 0.5 / norm);
    found = inspect(&s);
    assert_true(found.traces.is_norm_round);
    assert_labels(&found, &s);
    assert_true(fabs(found.scale * norm / 0.5 - 1) < 1e-3);
    assert_int_equal(found.scale_ground.sure, DLG_CERTAIN);
    dlg_inspection_release(&found);
    release(&s);
}

static void nothing_to_see(void **state)
{
    (void)state;
    shared s;
    const size_t length = 20;
    share(&s, preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    for (size_t i = 0; i < s.gradient.n; i++)
        dlg_random_normal_fill(s.gradient.owned[i], dlg_parameter_items(&s.model->parameters[i]), 1e-2, 5, (uint32_t)i);
    dlg_inspection found = inspect(&s);
    assert_true(found.text_ground.sure == DLG_UNSEEN && found.masked_ground.sure == DLG_UNSEEN);
    assert_true(found.labels_ground.sure < DLG_CERTAIN && found.tokens_ground.sure < DLG_CERTAIN);
    dlg_inspection_release(&found);
    release(&s);
}

static dlg_status inspect_again(void *argument, dlg_error *err)
{
    const shared *s = argument;
    dlg_inspection found;
    const dlg_status status = dlg_inspect(&found, &s->gradient, markers, err);
    dlg_inspection_release(&found);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    shared s;
    const size_t lengths[] = {9, 7}, labels[] = {1, 3};
    share(&s, preset(DLG_MASKED_LM, true), 1, lengths, 2, 3, 2);
    assert_true(fail_every_allocation(inspect_again, &s) > 30);
    release(&s);
    share_classes(&s, preset(DLG_SEQUENCE_CLASSIFICATION, true), 2, lengths, labels);
    assert_true(fail_every_allocation(inspect_again, &s) > 30);
    release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sentence), cmocka_unit_test(many_labels), cmocka_unit_test(ranks),   cmocka_unit_test(a_batch),
        cmocka_unit_test(classes),      cmocka_unit_test(rounded),     cmocka_unit_test(pruned),  cmocka_unit_test(noisy),
        cmocka_unit_test(clipped),      cmocka_unit_test(nothing_behind), cmocka_unit_test(nothing_to_see), cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
