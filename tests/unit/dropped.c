/**
 * Dropout on: the inputs of layer 0 are found with what was dropped of them, batches fall apart into their sentences,
 * embeddings frozen or not; and nothing of it is seen where dropout was off.
 */
#include "analysed.h"
#include "analytic/sequences/dropped_sentences.h"
#include "attacks/classes.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/sparse_fit.h"
#include "scarce.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 200, HIDDEN = 128, POSITIONS = 24, N_SENTENCES = 3, AGAIN = 15 };

static const size_t lengths[N_SENTENCES] = {12, 9, 7};

/* A batch whose sentences begin alike, and one word of which stands at the same place in two. */
static void share(shared_step *s, dlg_task task, size_t n_sentences, double rate)
{
    dlg_config config = step_config(task, WORDS, HIDDEN, POSITIONS);
    size_t rows[N_SENTENCES];
    step_begin(s, step_model(&config, 1), n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 5 * i);
    for (size_t b = 0; b < n_sentences; b++) {
        const size_t first = s->batch.first[b];
        if (b < 2) s->fed[first + 2] = AGAIN;
        if (task == DLG_MASKED_LM) s->fed[first + 4] = MASK;
        rows[b] = first + 4;
        s->labels[b] = task == DLG_MASKED_LM ? 77 : b % 3;
    }
    s->batch.dropout = rate;
    s->batch.dropout_seed = 7;
    step_share(s, task == DLG_MASKED_LM ? n_sentences : 0, rows);
}

static void freeze(shared_step *s, const dlg_parameter *p)
{
    const size_t i = (size_t)(p - s->model->parameters);
    dlg_free(s->gradient.owned[i]);
    s->gradient.owned[i] = NULL;
    s->gradient.values[i] = NULL;
}

static void freeze_embeddings(shared_step *s)
{
    const dlg_roles *roles = &s->model->roles;
    freeze(s, roles->words);
    freeze(s, roles->positions);
    freeze(s, roles->types);
}

/* How many sentences of the step are among those that were found. */
static size_t count_found(const dlg_attack_result *result, const shared_step *s)
{
    size_t n = 0;
    for (size_t b = 0; b < s->batch.n_sentences; b++) {
        const size_t length = s->batch.first[b + 1] - s->batch.first[b];
        for (size_t k = 0; k < result->n_sentences; k++)
            n += result->first[k + 1] - result->first[k] == length &&
                 !memcmp(result->state.fed + result->first[k], s->fed + s->batch.first[b], length * sizeof *s->fed);
    }
    return n;
}

static void assert_recovered(const shared_step *s)
{
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 2, .max_starts = 1};
    dlg_knowledge knowledge = {0};
    dlg_attack_result result;
    dlg_error err = {0};
    if (analysed_knowledge(&knowledge, &s->gradient, &err)) fail_msg("%s", err.message);
    assert_int_equal(analysed_attack(&dlg_attack_auto, &result, &s->gradient, &knowledge, &options, NULL, NULL),
                     DLG_OK);
    assert_int_equal(result.end, DLG_SETTLED);
    assert_true(result.was_dropped);
    assert_int_equal(result.n_sentences, s->batch.n_sentences);
    assert_int_equal(count_found(&result, s), s->batch.n_sentences);
    for (size_t i = 0; i < result.n_rows; i++) {
        assert_int_equal(dlg_attack_confidence(&result, i), DLG_LIKELY);
        if (result.state.fed[i] == MASK) assert_int_equal(result.state.tokens[i], 77); /* the only label there is */
    }
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
}

static void sentences(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n <= N_SENTENCES; n += N_SENTENCES - 1)
            for (int frozen = 0; frozen < 2; frozen++) {
                shared_step s;
                share(&s, tasks[k], n, 0.1);
                if (frozen) freeze_embeddings(&s);
                assert_recovered(&s);
                step_release(&s);
            }
}

/* Every one of them, and none that was not there; the same word at the same place of two sentences is two. */
static void inputs(void **state)
{
    (void)state;
    shared_step s;
    dlg_analysis *a;
    const dlg_dropped_inputs *in;
    size_t n_again = 0;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, N_SENTENCES, 0.15);
    assert_int_equal(dlg_analysis_create(&a, &s.gradient, special, NULL), DLG_OK);
    assert_int_equal(dlg_analysis_dropped_inputs(&in, a, lengths[0], NULL), DLG_OK);
    assert_int_equal(in->rank, s.batch.n_rows);
    assert_int_equal(in->n, s.batch.n_rows);
    for (size_t i = 0; i < in->n; i++) {
        bool is_there = false;
        for (size_t k = 0; k < s.batch.n_rows; k++)
            is_there |= s.fed[k] == in->token[i] && s.batch.position[k] == in->position[i];
        assert_true(is_there);
        n_again += in->token[i] == AGAIN;
        if (i) assert_true(in->position[i] >= in->position[i - 1]);
    }
    assert_int_equal(n_again, 2);
    const double rate = (double)in->n_dropped / (double)(in->n * in->H);
    assert_true(rate > 0.12 && rate < 0.18);
    dlg_analysis_free(a);
    step_release(&s);
}

static void off(void **state)
{
    (void)state;
    shared_step s;
    dlg_analysis *a;
    const dlg_dropped_inputs *in;
    bool was_on = true;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, N_SENTENCES, 0);
    assert_int_equal(dlg_analysis_create(&a, &s.gradient, special, NULL), DLG_OK);
    assert_int_equal(dlg_analysis_dropout(&was_on, a, NULL), DLG_OK);
    assert_false(was_on);
    assert_int_equal(dlg_analysis_dropped_inputs(&in, a, lengths[0], NULL), DLG_OK);
    assert_int_equal(in->n, 0);
    dlg_analysis_free(a);
    step_release(&s);
}

/* It is named, and what stood where is certain, also where the embeddings were frozen. */
static void inspected(void **state)
{
    (void)state;
    shared_step s;
    dlg_inspection found;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, N_SENTENCES, 0.1);
    freeze_embeddings(&s);
    assert_int_equal(analysed_inspection(&found, &s.gradient, NULL), DLG_OK);
    assert_true(found.fits && dlg_causes_have(&found.causes, "dropout"));
    assert_int_equal(found.length, lengths[0]);
    assert_int_equal(found.places.n, s.batch.n_rows - 3); /* [CLS] thrice, and one word twice */
    dlg_inspection_release(&found);
    step_release(&s);
}

/* A plane of four dimensions, and a vector in it of which two numbers are gone. */
static void sparse_fit(void **state)
{
    (void)state;
    enum { K = 2, N = 8 };
    static const double basis[K * N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, -1, 1, -1, 1, -1, 1, -1};
    double unit[K * N], y[N], left[N], scratch[128];
    assert_true(dlg_sparse_fit_scratch(K, N) <= sizeof scratch / sizeof *scratch);
    for (size_t i = 0; i < (size_t)K * N; i++) unit[i] = basis[i] / sqrt(N);
    for (size_t i = 0; i < N; i++) y[i] = i % 2 ? 1 : 3; /* 2 and 1 times the rows, and then */
    y[2] += 5;
    assert_true(dlg_sparse_fit(K, N, unit, y, NULL, 60, false, left, scratch));
    for (size_t i = 0; i < N; i++) assert_true(fabs(left[i] - (i == 2 ? 5 : 0)) < 1e-2);
    const bool counts[N] = {true, true, false, true, true, true, true, true};
    assert_true(dlg_fit_some(K, N, unit, y, counts, left, scratch));
    for (size_t i = 0; i < N; i++) assert_true(fabs(left[i] - (i == 2 ? 5 : 0)) < 1e-9);
}

static dlg_status find(void *argument, dlg_error *err)
{
    const shared_step *s = argument;
    dlg_analysis *a;
    const dlg_dropped_inputs *in;
    dlg_sequences found = {0};
    dlg_status status = dlg_analysis_create(&a, &s->gradient, special, err);
    if (!status) status = dlg_analysis_dropped_inputs(&in, a, lengths[0], err);
    if (!status) status = dlg_dropped_sentences_find(&found, &s->gradient, in, special, err);
    if (!status) assert_int_equal(found.n, s->batch.n_sentences);
    dlg_sequences_release(&found);
    dlg_analysis_free(a);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    shared_step s;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, 1, 0.1);
    assert_true(fail_every_allocation(find, &s) > 10);
    step_release(&s);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_fit), cmocka_unit_test(inputs),    cmocka_unit_test(sentences),
        cmocka_unit_test(off),        cmocka_unit_test(inspected), cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
