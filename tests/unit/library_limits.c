/** The library where it must share: one model for two threads, and memory that runs out at any allocation. */
#include "dlg/dlg.h"
#include "scarce.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N_THREADS = 2, N_ROUNDS = 3 };

static const char *const sentences[N_THREADS] = {"two phones want to train one model.",
                                                 "none of them shows its texts."};

static dlg_model *model;

static dlg_status share(dlg_gradient **out, const char *sentence, dlg_error *err)
{
    dlg_texts *texts = NULL;
    dlg_truth *step = NULL;
    *out = NULL;
    dlg_status status = dlg_texts_create(&texts, err);
    if (!status) status = dlg_texts_add(texts, sentence, err);
    if (!status) status = dlg_truth_of_texts(&step, model, texts, NULL, err);
    if (!status) status = dlg_gradient_compute(out, model, step, 0, NULL, 0, err);
    dlg_truth_free(step);
    dlg_texts_free(texts);
    return status;
}

/* ---- two threads ---- */

typedef struct {
    const char *sentence;
    size_t n_recovered;
} job;

/* cmocka's asserts jump, which only the main thread may: what goes wrong here leaves n_recovered behind. */
static void *attack_often(void *payload)
{
    job *j = payload;
    for (size_t i = 0; i < N_ROUNDS; i++) {
        dlg_gradient *gradient = NULL;
        dlg_attack *attack = NULL;
        dlg_status status = share(&gradient, j->sentence, NULL);
        if (!status) status = dlg_attack_create(&attack, gradient, NULL, NULL);
        if (!status) status = dlg_attack_run(attack, NULL, NULL);
        const char *text = !status && dlg_attack_n_sentences(attack) == 1 ? dlg_attack_text(attack, 0) : NULL;
        j->n_recovered += text && dlg_attack_is_recovered(attack) && !strcmp(text, j->sentence);
        dlg_attack_free(attack);
        dlg_gradient_free(gradient);
    }
    return NULL;
}

static void one_model_for_two(void **state)
{
    pthread_t threads[N_THREADS];
    job jobs[N_THREADS];
    (void)state;
    for (size_t i = 0; i < N_THREADS; i++) {
        jobs[i] = (job){.sentence = sentences[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, attack_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < N_THREADS; i++) assert_int_equal(jobs[i].n_recovered, N_ROUNDS);
}

/* ---- without memory ---- */

static dlg_status try_to_share(void *argument, dlg_error *err)
{
    dlg_gradient *gradient = NULL;
    (void)argument;
    const dlg_status status = share(&gradient, sentences[0], err);
    assert_int_equal(status == DLG_OK, gradient != NULL);
    dlg_gradient_free(gradient);
    return status;
}

static dlg_status try_to_prepare(void *argument, dlg_error *err)
{
    dlg_attack *attack = NULL;
    dlg_status status = dlg_attack_create(&attack, argument, NULL, err);
    if (!status) status = dlg_attack_tell_batch(attack, 1, err);
    if (!status) status = dlg_attack_prepare(attack, err);
    dlg_attack_free(attack);
    return status;
}

static dlg_status try_arrays(void *argument, dlg_error *err)
{
    dlg_gradient *gradient = NULL;
    const dlg_status status = dlg_gradient_of_arrays(&gradient, argument, 0, NULL, err);
    assert_null(gradient);
    return status == DLG_EFORMAT ? DLG_OK : status; /* nothing is there: the last word when memory was */
}

static void says_where_memory_ran_out(void **state)
{
    dlg_gradient *gradient;
    (void)state;
    assert_true(fail_every_allocation(try_to_share, NULL) > 10);
    assert_true(fail_every_allocation(try_arrays, model) > 3);
    assert_int_equal(share(&gradient, sentences[0], NULL), DLG_OK);
    assert_true(fail_every_allocation(try_to_prepare, gradient) > 10);
    dlg_gradient_free(gradient);
}

static int open_model(void **state)
{
    const dlg_model_choice choice = {.preset = "tiny"};
    (void)state;
    const dlg_status status = dlg_machine_start(0, 1, NULL);
    return status ? (int)status : (int)dlg_model_open(&model, &choice, NULL);
}

static int close_model(void **state)
{
    (void)state;
    dlg_model_free(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_model_for_two),
                                       cmocka_unit_test(says_where_memory_ran_out)};
    return cmocka_run_group_tests(tests, open_model, close_model);
}
