/** Two threads share gradients of one model and attack them, each as if it were alone. */
#include "analytic/knowledge.h"
#include "attacks/table.h"
#include "math/blas.h"
#include "shared_step.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { VOCABULARY = 200, HIDDEN = 64, POSITIONS = 32, LENGTH = 10, MASKED = 4, N_THREADS = 2, N_ROUNDS = 3 };

typedef struct {
    const dlg_model *model;
    uint32_t first; /* word of its text */
    dlg_attack_end end;
    size_t n_right;
} job;

/* cmocka's asserts jump, which only the main thread may: what goes wrong here leaves n_right behind. */
static dlg_status attack_once(job *j)
{
    static const size_t length = LENGTH, row = MASKED;
    const dlg_attack_options options = {.distance = dlg_attacks[0]->distance,
                                        .minimiser = dlg_attacks[0]->minimiser,
                                        .max_iterations = 2,
                                        .max_starts = 1};
    const size_t label = j->first + 100;
    uint32_t fed[LENGTH];
    dlg_batch batch = {0};
    dlg_gradient gradient = {0};
    dlg_analysis *analysis = NULL;
    dlg_knowledge knowledge = {0};
    dlg_attack_result result = {0};
    for (uint32_t t = 0; t < LENGTH; t++)
        fed[t] = t == 0 ? CLS : t + 1 == LENGTH ? SEP : t == MASKED ? MASK : j->first + 3 * t;
    dlg_status status = dlg_batch_create(&batch, DLG_MASKED_LM, 1, &length, NULL);
    if (!status) status = dlg_batch_predict(&batch, 1, &row, NULL);
    if (!status)
        status =
            dlg_gradient_share(&gradient, NULL, j->model, &(dlg_step){&batch, fed, &label, NULL, NULL, NULL}, NULL);
    if (!status) status = dlg_analysis_create(&analysis, &gradient, special, NULL);
    if (!status) status = dlg_knowledge_infer(&knowledge, analysis, NULL);
    if (!status) status = dlg_attack_class_run(dlg_attacks[0], &result, analysis, &knowledge, &options, NULL, NULL);
    j->end = result.end;
    for (size_t t = 0; !status && result.state.fed && t < LENGTH; t++) j->n_right += result.state.fed[t] == fed[t];
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
    dlg_analysis_free(analysis);
    dlg_gradient_release(&gradient);
    dlg_batch_release(&batch);
    return status;
}

static void *attack_often(void *payload)
{
    job *j = payload;
    for (size_t i = 0; i < N_ROUNDS; i++)
        if (attack_once(j)) break;
    return NULL;
}

static void one_model_for_two(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    job jobs[N_THREADS];
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    dlg_model *model = step_model(&config, 1);
    for (size_t i = 0; i < N_THREADS; i++) {
        jobs[i] = (job){.model = model, .first = (uint32_t)(20 + 31 * i)};
        assert_int_equal(pthread_create(&threads[i], NULL, attack_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(jobs[i].end, DLG_EXPLAINED);
        assert_int_equal(jobs[i].n_right, N_ROUNDS * LENGTH);
    }
    dlg_model_free(model);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_model_for_two)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
