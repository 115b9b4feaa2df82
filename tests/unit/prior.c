/** The language prior: what it says of a text is what asking the model word by word says, in one go or in several. */
#include "attacks/prior.h"

#include "close.h"
#include "gradient/gradient.h"
#include "math/blas.h"
#include "math/random.h"
#include "models/architecture.h"
#include "scarce.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 300 };

static dlg_model *model_of(dlg_task task)
{
    dlg_config config = step_config(task, 30, 8, MOST);
    config.architecture = task == DLG_CAUSAL_LM ? &dlg_gpt2 : &dlg_bert;
    config.n_layers = 1;
    config.initializer_range = 0.5;
    return step_model(&config, 1);
}

/* -log p of the token at one position, from the loss of a participant's step that masks it alone. */
static double surprise_at(const dlg_model *model, const uint32_t *tokens, size_t length, size_t position)
{
    dlg_batch batch;
    dlg_gradient gradient;
    uint32_t fed[MOST];
    const size_t label = tokens[position];
    double loss;
    memcpy(fed, tokens, length * sizeof *fed);
    fed[position] = MASK;
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, 1, &length, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, 1, &position, NULL), DLG_OK);
    const dlg_step step = {&batch, fed, &label, NULL, NULL, NULL};
    assert_int_equal(dlg_gradient_share(&gradient, &loss, model, &step, NULL), DLG_OK);
    dlg_gradient_release(&gradient);
    dlg_batch_release(&batch);
    return loss;
}

static void asks_for_every_word(void **state)
{
    (void)state;
    static const size_t lengths[] = {3, 4, 23, 30, MOST}; /* all copies at once, some, and one by one */
    dlg_model *model = model_of(DLG_MASKED_LM);
    dlg_random random = dlg_random_at(1, dlg_random_stream("text"));
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t length = lengths[i];
        dlg_prior *prior;
        assert_int_equal(dlg_prior_create(&prior, model, MASK, length, NULL), DLG_OK);
        for (int trial = 0; trial < 2; trial++) {
            uint32_t tokens[MOST];
            double want = 0;
            for (size_t t = 0; t < length; t++) tokens[t] = (uint32_t)dlg_random_below(&random, 30);
            for (size_t t = 1; t + 1 < length; t++)
                want += surprise_at(model, tokens, length, t) / (double)(length - 2);
            const size_t allocations = dlg_allocation_count();
            const double found = dlg_prior_surprise(prior, tokens);
            assert_int_equal(dlg_allocation_count(), allocations);
            assert_true(dlg_is_near("surprise", found, want, sizeof(dlg_real) == sizeof(double) ? 1e-12 : 1e-5));
        }
        dlg_prior_free(prior);
    }
    dlg_model_free(model);
}

static const size_t lengths_of_batch[] = {5, 2, 4};

static void create_batch(dlg_batch *out, dlg_task task)
{
    assert_int_equal(dlg_batch_create(out, task, 3, lengths_of_batch, NULL), DLG_OK);
}

/* The mean of its sentences, of which one has no word to ask for. */
static void takes_the_mean_of_a_batch(void **state)
{
    (void)state;
    static const dlg_task tasks[] = {DLG_MASKED_LM, DLG_CAUSAL_LM};
    static const uint32_t tokens[] = {1, 9, 20, 7, 2, 5, 6, 3, 8, 8, 11};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        dlg_model *model = model_of(tasks[i]);
        dlg_batch batch;
        dlg_batch_prior *prior;
        double sum = 0;
        create_batch(&batch, tasks[i]);
        for (size_t b = 0; b < 3; b += 2) {
            dlg_prior *one;
            assert_int_equal(dlg_prior_create(&one, model, MASK, lengths_of_batch[b], NULL), DLG_OK);
            sum += dlg_prior_surprise(one, tokens + batch.first[b]);
            dlg_prior_free(one);
        }
        assert_int_equal(dlg_batch_prior_create(&prior, model, MASK, &batch, NULL), DLG_OK);
        assert_true(dlg_is_near("surprise", dlg_batch_prior_surprise(prior, tokens), sum / 3, 1e-6));
        dlg_batch_prior_free(prior);
        dlg_batch_release(&batch);
        dlg_model_free(model);
    }
}

typedef struct {
    const dlg_model *model;
    const dlg_batch *batch;
} scene;

static dlg_status create(void *argument, dlg_error *err)
{
    const scene *s = argument;
    dlg_batch_prior *prior;
    const dlg_status status = dlg_batch_prior_create(&prior, s->model, MASK, s->batch, err);
    dlg_batch_prior_free(prior);
    return status;
}

static void lives_without_memory(void **state)
{
    (void)state;
    static const dlg_task tasks[] = {DLG_MASKED_LM, DLG_CAUSAL_LM};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        dlg_model *model = model_of(tasks[i]);
        dlg_batch batch;
        create_batch(&batch, tasks[i]);
        assert_true(fail_every_allocation(create, &(scene){model, &batch}) > 10);
        dlg_batch_release(&batch);
        dlg_model_free(model);
    }
}

/* GPT-2 takes no token back: a sentence's surprise is that of its beginning, and what its last token adds. */
static void looks_back_alone(void **state)
{
    (void)state;
    dlg_model *model = model_of(DLG_CAUSAL_LM);
    dlg_random random = dlg_random_at(2, dlg_random_stream("text"));
    dlg_prior *whole, *beginning;
    uint32_t tokens[9];
    double best = INFINITY, sum_of_p = 0;
    for (size_t t = 0; t < 9; t++) tokens[t] = (uint32_t)dlg_random_below(&random, 30);
    assert_int_equal(dlg_prior_create(&whole, model, MASK, 9, NULL), DLG_OK);
    assert_int_equal(dlg_prior_create(&beginning, model, MASK, 8, NULL), DLG_OK);
    const double begun = 7 * dlg_prior_surprise(beginning, tokens);
    for (tokens[8] = 0; tokens[8] < 30; tokens[8]++) {
        const double added = 8 * dlg_prior_surprise(whole, tokens) - begun;
        best = added < best ? added : best;
        sum_of_p += exp(-added);
    }
    assert_true(best > 0);
    assert_true(dlg_is_near("sum of p", sum_of_p, 1, sizeof(dlg_real) == sizeof(double) ? 1e-12 : 1e-5));
    dlg_prior_free(whole);
    dlg_prior_free(beginning);
    dlg_model_free(model);
}

static void wants_positions(void **state)
{
    (void)state;
    dlg_model *model = model_of(DLG_CAUSAL_LM);
    dlg_prior *prior;
    dlg_error err;
    assert_int_equal(dlg_prior_create(&prior, model, MASK, MOST + 1, &err), DLG_ESHAPE);
    assert_null(prior);
    assert_string_equal(err.message, "small: want sentences of at most 300 tokens, found one of 301");
    dlg_model_free(model);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(asks_for_every_word), cmocka_unit_test(looks_back_alone),
                                       cmocka_unit_test(wants_positions), cmocka_unit_test(takes_the_mean_of_a_batch),
                                       cmocka_unit_test(lives_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
