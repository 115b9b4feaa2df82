/**
 * Which sentences were in a batch: those, and none made of their tokens, where all rows are asked and where only
 * predicted ones are.
 */
#include "analytic/sequences/sequence_check.h"

#include "base/memory.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N_SENTENCES = 5, LENGTH = 9, HIDDEN = 64 };

static const size_t lengths[N_SENTENCES] = {LENGTH, LENGTH, LENGTH, LENGTH, LENGTH};

/* The third has half of the first and half of the second; the fourth, which would have the others, was not there. */
static const uint32_t texts[N_SENTENCES][LENGTH] = {{CLS, 20, 21, 22, MASK, 24, 25, 26, SEP},
                                                    {CLS, 30, 21, 22, MASK, 24, 25, 36, SEP},
                                                    {CLS, 20, 21, 22, MASK, 24, 25, 36, SEP},
                                                    {CLS, 20, 31, 22, MASK, 27, 25, 38, SEP},
                                                    {CLS, 16, 27, 17, MASK, 21, 41, 42, SEP}};
static const uint32_t absent[LENGTH] = {CLS, 30, 21, 22, MASK, 24, 25, 26, SEP};

/* The embedding of `token` := that of `like`, and of its own that share. */
static void liken(dlg_model *model, uint32_t token, uint32_t like, double share)
{
    dlg_real *words = dlg_model_parameter(model, "bert.embeddings.word_embeddings.weight")->owned;
    for (size_t k = 0; k < HIDDEN; k++)
        words[token * HIDDEN + k] =
            (dlg_real)(share * (double)words[token * HIDDEN + k] + (double)words[like * HIDDEN + k]);
}

/* Tokens in which the first two differ are alike, but for so much. */
static void share(shared_step *s, size_t n_layers, double difference, dlg_candidates *c)
{
    dlg_config config = step_config(DLG_MASKED_LM, 60, HIDDEN, 16);
    config.n_layers = n_layers;
    config.initializer_range = 0.1;
    dlg_model *model = step_model(&config, 1);
    if (difference > 0) {
        liken(model, 30, 20, difference);
        liken(model, 36, 26, difference);
    }
    size_t rows[N_SENTENCES];
    step_begin(s, model, N_SENTENCES, lengths);
    memcpy(s->fed, texts, sizeof texts);
    for (size_t b = 0; b < N_SENTENCES; b++) {
        rows[b] = b * LENGTH + 4;
        s->labels[b] = 40 + b;
    }
    step_share(s, N_SENTENCES, rows);
    *c = (dlg_candidates){.n_positions = LENGTH,
                          .sees = true,
                          .first = dlg_allocate(LENGTH + 1, sizeof *c->first),
                          .token = dlg_allocate(LENGTH * N_SENTENCES, sizeof *c->token),
                          .type = dlg_allocate(LENGTH * N_SENTENCES, sizeof *c->type)};
    assert_true(c->first && c->token && c->type);
    for (size_t t = 0; t < LENGTH; t++) { /* what stood there, each once */
        c->first[t + 1] = c->first[t];
        for (size_t b = 0; b < N_SENTENCES; b++)
            if (!dlg_candidates_has(c, texts[b][t], t)) c->token[c->first[t + 1]++] = texts[b][t];
    }
}

static void index_of(const dlg_candidates *c, const uint32_t *text, size_t *index)
{
    for (size_t t = 0; t < LENGTH; t++)
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
            if (c->token[i] == text[t]) index[t] = i;
}

static bool is_there(const dlg_candidates *c, const size_t *index)
{
    for (size_t b = 0; b < N_SENTENCES; b++) {
        size_t same = 0;
        while (same < LENGTH && c->token[index[same]] == texts[b][same]) same++;
        if (same == LENGTH) return true;
    }
    return false;
}

/* Sentences the check takes: all that differ from one that was there in up to two tokens. */
static void take_all(dlg_sequence_check *check, const dlg_candidates *c, size_t *n_true, size_t *n_false)
{
    size_t index[LENGTH];
    *n_true = *n_false = 0;
    for (size_t b = 0; b < N_SENTENCES; b++) {
        index_of(c, texts[b], index);
        *n_true += dlg_sequence_check_has(check, LENGTH, index);
        for (size_t t = 0; t < LENGTH; t++)
            for (size_t u = t + 1; u < LENGTH; u++)
                for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
                    for (size_t k = c->first[u]; k < c->first[u + 1]; k++) {
                        index_of(c, texts[b], index);
                        index[t] = i;
                        index[u] = k;
                        *n_false += !is_there(c, index) && dlg_sequence_check_has(check, LENGTH, index);
                    }
    }
}

static void those_that_were_there_and_no_others(void **state)
{
    (void)state;
    for (size_t n_layers = 1; n_layers <= 3; n_layers++) {
        shared_step s;
        dlg_candidates c;
        dlg_sequence_check *check;
        size_t n_true, n_false, index[LENGTH];
        double outside;
        share(&s, n_layers, 0, &c);
        assert_int_equal(dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL), DLG_OK);
        assert_true(dlg_sequence_check_rank(check) >= N_SENTENCES);
        take_all(check, &c, &n_true, &n_false);
        assert_int_equal(n_true, N_SENTENCES);
        assert_int_equal(n_false, 0);
        index_of(&c, absent, index);
        dlg_sequence_check_outside(check, 1, LENGTH, index, &outside);
        assert_true(outside > 1e-5);
        for (size_t b = 0; b < N_SENTENCES; b++) { /* and none twice */
            index_of(&c, texts[b], index);
            assert_true(dlg_sequence_check_has(check, LENGTH, index));
            assert_int_equal(dlg_sequence_check_found(check, LENGTH, index), n_layers == 3 ? LENGTH : 1);
            assert_false(dlg_sequence_check_has(check, LENGTH, index));
        }
        take_all(check, &c, &n_true, &n_false);
        assert_int_equal(n_true + n_false, 0);
        dlg_sequence_check_free(check);
        dlg_candidates_release(&c);
        step_release(&s);
    }
}

/*
 * The less the tokens differ the nearer the absent sentence comes to the space of the others, for its rows are the
 * first's and the second's less the third's, but for the square of the difference. It is told from them down to a few
 * times what rounding leaves.
 */
static void one_made_of_others(void **state)
{
    (void)state;
    const double least_difference[] = {0.03, 0.06}, nearest[] = {3e-6, 1e-5};
    for (size_t n_layers = 2; n_layers <= 3; n_layers++) {
        double outside = 1;
        for (double difference = 0.5; difference > least_difference[n_layers - 2]; difference /= 2) {
            shared_step s;
            dlg_candidates c;
            dlg_sequence_check *check;
            size_t n_true, n_false, index[LENGTH];
            share(&s, n_layers, difference, &c);
            assert_int_equal(dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL), DLG_OK);
            take_all(check, &c, &n_true, &n_false);
            assert_int_equal(n_true, N_SENTENCES);
            assert_int_equal(n_false, 0);
            index_of(&c, absent, index);
            dlg_sequence_check_outside(check, 1, LENGTH, index, &outside);
            dlg_sequence_check_free(check);
            dlg_candidates_release(&c);
            step_release(&s);
        }
        assert_true(outside < nearest[n_layers - 2]);
    }
}

/* A gradient whose numbers were rounded so much that the space is not seen says of no sentence that it was there. */
static void nothing_of_rounded_numbers(void **state)
{
    (void)state;
    const char *const specs[] = {"fp16", "bf16", "gaussian:1e-6"};
    for (size_t k = 0; k < sizeof specs / sizeof *specs; k++)
        for (size_t n_layers = 2; n_layers <= 3; n_layers++) {
            shared_step s;
            dlg_candidates c;
            dlg_sequence_check *check;
            size_t n_true, n_false;
            share(&s, n_layers, 0, &c);
            step_defend(&s, specs[k], 3);
            assert_int_equal(dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL), DLG_OK);
            if (dlg_sequence_check_rank(check)) {
                take_all(check, &c, &n_true, &n_false);
                assert_int_equal(n_false, 0);
            }
            dlg_sequence_check_free(check);
            dlg_candidates_release(&c);
            step_release(&s);
        }
}

static void no_memory(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    dlg_sequence_check *check;
    share(&s, 3, 0, &c);
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_allocation_fail_from(k);
        status = dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL);
        dlg_allocation_fail_from(0);
        assert_true(status == DLG_OK || (status == DLG_ENOMEM && !check));
    }
    dlg_sequence_check_free(check);
    dlg_candidates_release(&c);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_were_there_and_no_others),
        cmocka_unit_test(one_made_of_others),
        cmocka_unit_test(nothing_of_rounded_numbers),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
