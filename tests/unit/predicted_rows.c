/**
 * The predicted rows of a batch and their labels, from its tokens: for random batches, whatever stood in the rows, and
 * for some of their sentences as for all; and that nothing is claimed where the tokens are not the batch's.
 */
#include "analytic/labels/predicted_rows.h"

#include "math/blas.h"
#include "math/random.h"
#include "scarce.h"
#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    VOCABULARY = 150,
    HIDDEN = 48,
    LONGEST = 20,
    MOST_SENTENCES = 4,
    MOST_ROWS = LONGEST * MOST_SENTENCES,
    CLASSES = 3,
    CASES = 15
};

typedef enum { TIED, UNTIED, CLASSIFIER, KINDS } kind;

static size_t below(dlg_random *random, size_t n)
{
    return (size_t)dlg_random_below(random, n);
}

/* A trained layer norm has a scale and a shift. */
static void bend_layer_norms(const dlg_model *model, dlg_random *random)
{
    for (size_t i = 0; i < model->n_parameters; i++) {
        const dlg_parameter *p = &model->parameters[i];
        dlg_real *value = (dlg_real *)(uintptr_t)p->value;
        for (size_t j = 0; strstr(p->name, "LayerNorm") && j < p->n_cols; j++)
            value[j] += (dlg_real)(dlg_random_uniform(random) - 0.5);
    }
}

static void begin_with_classes(shared_step *s, kind k, size_t n_classes, dlg_random *random)
{
    dlg_config config =
        step_config(k == CLASSIFIER ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM, VOCABULARY, HIDDEN, LONGEST);
    size_t lengths[MOST_SENTENCES];
    config.n_labels = n_classes;
    config.tied_decoder = k == TIED;
    dlg_model *model = step_model(&config, random->seed);
    bend_layer_norms(model, random);
    const size_t n_sentences = 1 + below(random, MOST_SENTENCES);
    for (size_t b = 0; b < n_sentences; b++) lengths[b] = 3 + below(random, LONGEST - 2);
    step_begin(s, model, n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++) s->fed[i] = (uint32_t)(5 + below(random, VOCABULARY - 5));
}

static size_t length_of(const shared_step *s, size_t b)
{
    return s->batch.first[b + 1] - s->batch.first[b];
}

static void begin(shared_step *s, kind k, dlg_random *random)
{
    begin_with_classes(s, k, CLASSES, random);
}

/* Every fifth row, and one of each sentence, holds a mask, its own word or another, and one of ten words is its
 * label. */
static void predict(shared_step *s, dlg_random *random)
{
    size_t rows[MOST_ROWS], n = 0;
    for (size_t b = 0; b < s->batch.n_sentences; b++)
        for (size_t i = s->batch.first[b]; i < s->batch.first[b + 1]; i++) {
            if (i > s->batch.first[b] && below(random, 5)) continue;
            const size_t which = below(random, 3);
            s->labels[n] = 20 + below(random, 10);
            if (which == 0) s->fed[i] = MASK;
            if (which == 1) s->labels[n] = s->fed[i];
            rows[n++] = i;
        }
    step_share(s, n, rows);
}

static void share(shared_step *s, kind k, uint32_t seed)
{
    dlg_random random = dlg_random_at(seed, 0);
    begin(s, k, &random);
    if (k != CLASSIFIER) {
        predict(s, &random);
        return;
    }
    for (size_t b = 0; b < s->batch.n_sentences; b++) s->labels[b] = below(&random, CLASSES);
    step_share(s, 0, NULL);
}

static dlg_status try_to_find(dlg_predicted_rows *found, const shared_step *s, dlg_error *err)
{
    size_t lengths[MOST_SENTENCES];
    for (size_t b = 0; b < s->batch.n_sentences; b++) lengths[b] = length_of(s, b);
    return analysed_predicted_rows(found, &s->gradient, s->batch.n_sentences, lengths, s->fed, err);
}

static dlg_predicted_rows find(const shared_step *s)
{
    dlg_predicted_rows found;
    assert_int_equal(try_to_find(&found, s, NULL), DLG_OK);
    return found;
}

static void of_random_batches(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++)
        for (uint32_t seed = 1; seed <= CASES; seed++) {
            shared_step s;
            share(&s, k, seed);
            dlg_predicted_rows found = find(&s);
            if (!found.is_clear || found.n != s.batch.n_predicted)
                print_error("kind %d, seed %u\n", (int)k, (unsigned)seed);
            assert_true(found.is_clear);
            assert_int_equal(found.n, s.batch.n_predicted);
            assert_memory_equal(found.row, s.batch.predicted, found.n * sizeof *found.row);
            assert_memory_equal(found.label, s.labels, found.n * sizeof *found.label);
            dlg_predicted_rows_release(&found);
            step_release(&s);
        }
}

/* Sentence b of the batch alone: its rows and labels, and that it is not all. */
static void assert_sentence(const shared_step *s, kind k, uint32_t seed, size_t b)
{
    const size_t first = s->batch.first[b];
    size_t n = 0;
    dlg_predicted_rows found;
    const size_t length = length_of(s, b);
    assert_int_equal(analysed_predicted_rows(&found, &s->gradient, 1, &length, s->fed + first, NULL), DLG_OK);
    for (size_t i = 0; i < s->batch.n_predicted; i++) {
        if (s->batch.predicted[i] < first || s->batch.predicted[i] >= s->batch.first[b + 1]) continue;
        if (n >= found.n || !found.fits[n]) print_error("kind %d, seed %u, sentence %zu\n", (int)k, (unsigned)seed, b);
        assert_true(n < found.n);
        assert_true(found.fits[n]);
        assert_int_equal(found.row[n], s->batch.predicted[i] - first);
        assert_int_equal(found.label[n++], s->labels[i]);
    }
    assert_int_equal(found.n, n);
    assert_int_equal(found.rank, s->batch.n_predicted);
    assert_int_equal(found.is_clear, n == s->batch.n_predicted);
    dlg_predicted_rows_release(&found);
}

static void of_single_sentences(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++)
        for (uint32_t seed = 1; seed <= CASES; seed++) {
            shared_step s;
            share(&s, k, seed);
            for (size_t b = 0; b < s.batch.n_sentences; b++) assert_sentence(&s, k, seed, b);
            step_release(&s);
        }
}

/* Of two classes both lie in the column space; the sign alone tells them apart. */
static void of_two_classes(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= CASES; seed++) {
        shared_step s;
        dlg_random random = dlg_random_at(seed, 2);
        begin_with_classes(&s, CLASSIFIER, 2, &random);
        for (size_t b = 0; b < s.batch.n_sentences; b++) s.labels[b] = below(&random, 2);
        step_share(&s, 0, NULL);
        for (size_t b = 0; b < s.batch.n_sentences; b++) assert_sentence(&s, CLASSIFIER, seed, b);
        step_release(&s);
    }
}

static void not_of_other_tokens(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++)
        for (uint32_t seed = 1; seed <= CASES; seed++) {
            shared_step s;
            share(&s, k, seed);
            dlg_random random = dlg_random_at(seed, 1);
            /* in every sentence, for one without a predicted row leaves no trace here */
            for (size_t b = 0; b < s.batch.n_sentences; b++) {
                uint32_t *token = &s.fed[s.batch.first[b] + below(&random, length_of(&s, b))];
                *token = *token == 5 ? 6 : 5;
            }
            dlg_predicted_rows found = find(&s);
            if (found.is_clear) print_error("kind %d, seed %u\n", (int)k, (unsigned)seed);
            assert_false(found.is_clear);
            dlg_predicted_rows_release(&found);
            step_release(&s);
        }
}

static void not_of_random_numbers(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++) {
        shared_step s;
        share(&s, k, 1);
        for (size_t i = 0; i < s.gradient.n; i++)
            dlg_random_normal_fill(s.gradient.owned[i], dlg_parameter_items(&s.model->parameters[i]), 0.01, 5,
                                   (uint32_t)i);
        dlg_predicted_rows found = find(&s);
        assert_false(found.is_clear);
        dlg_predicted_rows_release(&found);
        step_release(&s);
    }
}

/* Rows that are the same cannot be told apart: with one label both have it, with two nothing is claimed. */
static void of_equal_sentences(void **state)
{
    (void)state;
    for (size_t other = 0; other < 2; other++) {
        dlg_random random = dlg_random_at(3, 0);
        shared_step s;
        do {
            if (random.counter) step_release(&s);
            begin(&s, CLASSIFIER, &random);
        } while (s.batch.n_sentences < 3 || length_of(&s, 0) != length_of(&s, 2));
        memcpy(s.fed + s.batch.first[2], s.fed, length_of(&s, 0) * sizeof *s.fed);
        memcpy(s.labels, (const size_t[]){1, 2, 1 + other, 0}, MOST_SENTENCES * sizeof *s.labels);
        step_share(&s, 0, NULL);
        dlg_predicted_rows found = find(&s);
        assert_int_equal(found.is_clear, !other);
        if (!other) assert_memory_equal(found.label, s.labels, found.n * sizeof *found.label);
        dlg_predicted_rows_release(&found);
        step_release(&s);
    }
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_predicted_rows found;
    const dlg_status status = try_to_find(&found, argument, err);
    if (status) assert_null(found.row);
    dlg_predicted_rows_release(&found);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    shared_step s;
    share(&s, TIED, 1);
    assert_true(fail_every_allocation(attempt, &s) > 5);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_random_batches),     cmocka_unit_test(of_single_sentences),
        cmocka_unit_test(of_two_classes),        cmocka_unit_test(not_of_other_tokens),
        cmocka_unit_test(not_of_random_numbers), cmocka_unit_test(of_equal_sentences),
        cmocka_unit_test(without_memory),
    };
    dlg_blas_start(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
