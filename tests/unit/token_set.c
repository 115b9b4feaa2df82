/**
 * The set of tokens that went in: all of them and no others off an exact gradient; over a defence none that was not
 * there is claimed, and of a gradient that has none, none.
 */
#include "analytic/tokens/token_set.h"

#include "base/memory.h"
#include "math/random.h"
#include "scarce.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 400, HIDDEN = 64, POSITIONS = 32, SENTENCES = 2, N_MASKS = 3, FED_LABEL = 62, CASES = 3 };

typedef enum { TIED, UNTIED, CLASSIFIER, KINDS } kind;

static const size_t lengths[SENTENCES] = {9, 7}, masked[N_MASKS] = {3, 6, 12};

/* Weights as BERT starts with, after which the decoder says much the same of every row; larger ones; and very large. */
typedef enum { SMALL, LARGER, LARGEST, RANGES } range;

static const double deviations[RANGES] = {0.02, 0.05, 0.2};

/* Two sentences; one label of the masked LM was fed as well. */
static void share(shared_step *s, kind k, range r, uint64_t seed)
{
    static const size_t tokens[N_MASKS] = {300, FED_LABEL, 350}, classes[SENTENCES] = {1, 2};
    dlg_config config =
        step_config(k == CLASSIFIER ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    config.tied_decoder = k == TIED;
    config.initializer_range = deviations[r];
    step_begin(s, step_model(&config, seed), SENTENCES, lengths);
    for (uint32_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = 20 + 21 * i;
    for (size_t i = 0; i < N_MASKS && k != CLASSIFIER; i++) s->fed[masked[i]] = MASK;
    if (k == CLASSIFIER) memcpy(s->labels, classes, sizeof classes);
    else memcpy(s->labels, tokens, sizeof tokens);
    step_share(s, k == CLASSIFIER ? 0 : N_MASKS, masked);
}

static dlg_token_evidence evidence_of(const shared_step *s, kind k, dlg_blur blur)
{
    return (dlg_token_evidence){.n_predicted = s->batch.n_predicted,
                                .n_labels = k == CLASSIFIER ? 0 : N_MASKS,
                                .labels = s->labels,
                                .blur = blur};
}

static dlg_token_set find(const shared_step *s, const dlg_token_evidence *known)
{
    dlg_token_set set;
    assert_int_equal(dlg_token_set_find(&set, &s->gradient, known, NULL), DLG_OK);
    for (size_t i = 1; i < set.n; i++) assert_true(set.tokens[i - 1] < set.tokens[i]);
    return set;
}

static bool was_fed(const shared_step *s, uint32_t token)
{
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (s->fed[i] == token) return true;
    return false;
}

static bool is_label(const shared_step *s, uint32_t token)
{
    for (size_t i = 0; i < N_MASKS; i++)
        if (s->labels[i] == token) return true;
    return false;
}

static bool has(const dlg_token_set *set, uint32_t token)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->tokens[i] == token) return true;
    return false;
}

/* What was fed, and nothing else. */
static void assert_all(const shared_step *s, const dlg_token_evidence *known)
{
    dlg_token_set set = find(s, known);
    for (uint32_t v = 0; v < VOCABULARY; v++) assert_int_equal(has(&set, v), was_fed(s, v));
    assert_true(set.is_clear);
    dlg_free(set.tokens);
}

/* The same without any label, and that something may be missing. */
static void assert_all_but_labels(const shared_step *s, const dlg_token_evidence *known)
{
    dlg_token_set set = find(s, known);
    for (uint32_t v = 0; v < VOCABULARY; v++) assert_int_equal(has(&set, v), was_fed(s, v) && !is_label(s, v));
    assert_false(set.is_clear);
    dlg_free(set.tokens);
}

static void assert_none(const shared_step *s, const dlg_token_evidence *known)
{
    const dlg_token_set set = find(s, known);
    assert_int_equal(set.n, 0);
    assert_false(set.is_clear);
    dlg_free(set.tokens);
}

static void of_an_exact_gradient(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++)
        for (range r = k == TIED ? LARGEST : SMALL; r < RANGES; r++)
            for (uint64_t seed = 1; seed <= CASES; seed++) {
                shared_step s;
                share(&s, k, r, seed);
                const dlg_token_evidence known = evidence_of(&s, k, DLG_SHARP);
                assert_all(&s, &known);
                step_release(&s);
            }
}

/* Labels' rows alone show a direction: where the predictions of all rows are much the same, and where there are fewer
 * than is said. */
static void without_labels_where_they_alone_show_a_direction(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        shared_step s;
        share(&s, TIED, SMALL, seed);
        dlg_token_evidence known = evidence_of(&s, TIED, DLG_SHARP);
        assert_all_but_labels(&s, &known);
        step_release(&s);
        share(&s, TIED, LARGEST, seed);
        known = evidence_of(&s, TIED, DLG_SHARP);
        known.n_predicted++;
        assert_all_but_labels(&s, &known);
        step_release(&s);
    }
}

static void of_rounded_entries(void **state)
{
    (void)state;
    static const struct {
        const char *defence;
        double rounding;
    } cases[] = {{"fp16", 0x1p-11}, {"bf16", 0x1p-8}};
    for (size_t i = 0; i < 2; i++)
        for (kind k = 0; k < KINDS; k++)
            for (uint64_t seed = 1; seed <= CASES; seed++) {
                shared_step s;
                share(&s, k, LARGEST, seed);
                step_defend(&s, cases[i].defence, 3);
                dlg_token_evidence known = evidence_of(&s, k, DLG_SHARP);
                known.rounding = cases[i].rounding;
                assert_all(&s, &known);
                step_release(&s);
            }
}

/* Next to a tied decoder a label that was fed is not found: its row is the decoder's as well. */
static void of_blurred_entries(void **state)
{
    (void)state;
    static const struct {
        const char *defence;
        dlg_blur blur;
    } cases[] = {{"gaussian:1e-4", DLG_NOISY}, {"prune:0.5", DLG_GRID}, {"prune:0.9", DLG_GRID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (kind k = 0; k < KINDS; k++)
            for (uint64_t seed = 1; seed <= CASES; seed++) {
                shared_step s;
                share(&s, k, LARGER, seed);
                step_defend(&s, cases[i].defence, 3);
                const dlg_token_evidence known = evidence_of(&s, k, cases[i].blur);
                if (k == TIED) assert_all_but_labels(&s, &known);
                else assert_all(&s, &known);
                step_release(&s);
            }
}

/* Of noise as large as the gradient, and of nothing but noise. */
static void nothing_of_noise(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++) {
        shared_step s;
        share(&s, k, LARGER, 1);
        const dlg_token_evidence known = evidence_of(&s, k, DLG_NOISY);
        step_defend(&s, "gaussian:1", 3);
        assert_none(&s, &known);
        for (size_t i = 0; i < s.gradient.n; i++)
            dlg_random_normal_fill(s.gradient.owned[i], dlg_parameter_items(&s.model->parameters[i]), 0.01, 5,
                                   (uint32_t)i);
        assert_none(&s, &known);
        step_release(&s);
    }
}

/* A file without the word embedding's gradient; a tied decoder of which neither rank nor labels are known. */
static void nothing_without_evidence(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++) {
        shared_step s;
        share(&s, k, LARGEST, 1);
        const dlg_token_evidence known = evidence_of(&s, k, DLG_SHARP), no_rank = {.blur = DLG_SHARP},
                                 no_label = {.n_predicted = N_MASKS, .blur = DLG_NOISY};
        if (k == TIED) {
            assert_none(&s, &no_rank);
            assert_none(&s, &no_label);
        }
        s.gradient.values[s.model->roles.words - s.model->parameters] = NULL;
        assert_none(&s, &known);
        step_release(&s);
    }
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    shared_step s;
    dlg_token_set set;
    dlg_error err = {0};
    share(&s, TIED, LARGEST, 1);
    const dlg_token_evidence known = evidence_of(&s, TIED, DLG_SHARP);
    dlg_real *g = s.gradient.owned[s.model->roles.words - s.model->parameters];
    for (size_t i = 0; i < VOCABULARY * HIDDEN; i++) g[i] = INFINITY;
    assert_int_equal(dlg_token_set_find(&set, &s.gradient, &known, &err), DLG_ENONFINITE);
    assert_int_equal(err.status, DLG_ENONFINITE);
    assert_null(set.tokens);
    step_release(&s);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    const shared_step *s = argument;
    const dlg_blur blurs[] = {DLG_SHARP, DLG_NOISY};
    dlg_status status = DLG_OK;
    for (size_t i = 0; !status && i < 2; i++) {
        const dlg_token_evidence known = evidence_of(s, TIED, blurs[i]);
        dlg_token_set set;
        status = dlg_token_set_find(&set, &s->gradient, &known, err);
        if (status) assert_null(set.tokens);
        dlg_free(set.tokens);
    }
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    shared_step s;
    share(&s, TIED, LARGEST, 1);
    assert_true(fail_every_allocation(attempt, &s) > 10);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_exact_gradient),      cmocka_unit_test(without_labels_where_they_alone_show_a_direction),
        cmocka_unit_test(of_rounded_entries),        cmocka_unit_test(of_blurred_entries),
        cmocka_unit_test(nothing_of_noise),          cmocka_unit_test(nothing_without_evidence),
        cmocka_unit_test(refuses_what_is_no_number), cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
