/** The ranks of all layers: which matrices, in what order, and the same however many threads look for them. */
#include "analytic/matrix_ranks.h"

#include "base/memory.h"
#include "math/blas.h"
#include "scarce.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 14, HIDDEN = 64, VOCABULARY = 400, POSITIONS = 32, N_MASKS = 2, MOST = 48, N_MATRICES = 13 };

static shared_step step;

static int share(void **state)
{
    (void)state;
    static const size_t masked[N_MASKS] = {4, 9};
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    step_begin(&step, step_model(&config, 1), 1, &(size_t){LENGTH});
    for (uint32_t i = 0; i < LENGTH; i++) step.fed[i] = 20 + 21 * i;
    for (size_t i = 0; i < N_MASKS; i++) step.fed[masked[i]] = MASK;
    step.labels[0] = 300;
    step.labels[1] = 162;
    step_share(&step, N_MASKS, masked);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    dlg_blas_start(0);
    return 0;
}

/* The decoder is known by its role: another matrix may have as many rows. */
static void as_many_rows_as_words(void **state)
{
    (void)state;
    enum { WORDS = 120 };
    dlg_config config = step_config(DLG_MASKED_LM, WORDS, 16, POSITIONS);
    config.intermediate_size = WORDS;
    shared_step wide;
    dlg_matrix_rank *ranks;
    size_t n;
    step_begin(&wide, step_model(&config, 1), 1, &(size_t){5});
    memcpy(wide.fed + 1, (const uint32_t[]){40, MASK, 50}, 3 * sizeof *wide.fed);
    wide.labels[0] = 30;
    step_share(&wide, 1, &(size_t){2});
    assert_int_equal(dlg_matrix_ranks_find(&ranks, &n, &wide.gradient, MOST, NULL), DLG_OK);
    assert_int_equal(n, N_MATRICES);
    assert_ptr_equal(ranks[4].parameter, wide.model->roles.blocks[0].wide.weight);
    dlg_free(ranks);
    step_release(&wide);
}

static void all_but_the_decoder(void **state)
{
    (void)state;
    dlg_matrix_rank *ranks;
    size_t n;
    assert_int_equal(dlg_matrix_ranks_find(&ranks, &n, &step.gradient, MOST, NULL), DLG_OK);
    assert_int_equal(n, N_MATRICES);
    assert_string_equal(ranks[0].parameter->name, "bert.encoder.layer.0.attention.self.query.weight");
    assert_string_equal(ranks[4].parameter->name, "bert.encoder.layer.0.intermediate.dense.weight");
    assert_string_equal(ranks[12].parameter->name, "cls.predictions.transform.dense.weight");
    for (size_t i = 0; i < n; i++) assert_true(ranks[i].rank.is_clear);
    assert_int_equal(ranks[4].rank.rank, LENGTH);
    assert_int_equal(ranks[12].rank.rank, N_MASKS);
    dlg_free(ranks);
}

static void as_one_at_a_time(void **state)
{
    (void)state;
    for (int n_threads = 1; n_threads <= 5; n_threads += 2) {
        dlg_matrix_rank *ranks;
        size_t n;
        dlg_blas_start(n_threads);
        assert_int_equal(dlg_matrix_ranks_find(&ranks, &n, &step.gradient, MOST, NULL), DLG_OK);
        for (size_t i = 0; i < n; i++) {
            const dlg_parameter *p = ranks[i].parameter;
            const dlg_stack stack = {1, p->n_cols, {dlg_gradient_of(&step.gradient, p->name)}, {p->n_rows}};
            dlg_rank alone;
            assert_int_equal(dlg_rank_find(&alone, &stack, MOST, NULL), DLG_OK);
            assert_int_equal(ranks[i].rank.rank, alone.rank);
            assert_int_equal(ranks[i].rank.is_clear, alone.is_clear);
            assert_true(ranks[i].rank.gap == alone.gap);
        }
        dlg_free(ranks);
    }
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    (void)argument;
    dlg_matrix_rank *ranks;
    size_t n;
    const dlg_status status = dlg_matrix_ranks_find(&ranks, &n, &step.gradient, MOST, err);
    assert_true(status ? !ranks && !n : ranks && n == N_MATRICES);
    dlg_free(ranks);
    return status;
}

static void without_memory(void **state)
{
    (void)state;
    for (int n_threads = 1; n_threads <= 2; n_threads++) {
        dlg_blas_start(n_threads);
        assert_true(fail_every_allocation(attempt, NULL) > N_MATRICES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_rows_as_words),
        cmocka_unit_test_setup_teardown(all_but_the_decoder, share, release),
        cmocka_unit_test_setup_teardown(as_one_at_a_time, share, release),
        cmocka_unit_test_setup_teardown(without_memory, share, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
