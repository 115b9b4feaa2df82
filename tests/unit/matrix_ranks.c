/** The ranks of all layers: which matrices, in what order, and the same however many threads look for them. */
#include "analytic/matrix_ranks.h"

#include "base/memory.h"
#include "math/blas.h"
#include "small_model.h"
#include "small_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { LENGTH = 14, HIDDEN = 64, VOCABULARY = 400, POSITIONS = 32, MASK = 4, N_MASKS = 2, MOST = 48, N_MATRICES = 13 };

static small_step step;

static int share(void **state)
{
    (void)state;
    static const size_t masked[N_MASKS] = {4, 9}, labels[N_MASKS] = {300, 162}, length = LENGTH;
    uint32_t fed[LENGTH];
    for (uint32_t i = 0; i < LENGTH; i++) fed[i] = 20 + 21 * i;
    for (size_t i = 0; i < N_MASKS; i++) fed[masked[i]] = MASK;
    small_step_share(&step, small_step_model(VOCABULARY, HIDDEN, POSITIONS), 1, &length, fed, N_MASKS, masked, labels);
    return 0;
}

static int release(void **state)
{
    (void)state;
    small_step_release(&step);
    dlg_blas_start(0);
    return 0;
}

/* The decoder is known by its role: another matrix may have as many rows. */
static void as_many_rows_as_words(void **state)
{
    (void)state;
    enum { WORDS = 120 };
    const dlg_config config = {.task = DLG_MASKED_LM,
                               .vocabulary_size = WORDS,
                               .hidden_size = 16,
                               .n_layers = 2,
                               .n_heads = 2,
                               .intermediate_size = WORDS,
                               .max_positions = POSITIONS,
                               .n_token_types = 2,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.05,
                               .tied_decoder = true};
    static const size_t masked = 2, label = 30, length = 5;
    static const uint32_t fed[] = {2, 40, MASK, 50, 3};
    small_step wide;
    dlg_model *model;
    dlg_matrix_rank *ranks;
    size_t n;
    assert_int_equal(dlg_model_preset(&model, "wide", &config, 1, NULL), DLG_OK);
    small_step_share(&wide, model, 1, &length, fed, 1, &masked, &label);
    assert_int_equal(dlg_matrix_ranks_find(&ranks, &n, &wide.gradient, MOST, NULL), DLG_OK);
    assert_int_equal(n, N_MATRICES);
    assert_ptr_equal(ranks[4].parameter, model->roles.blocks[0].wide.weight);
    dlg_free(ranks);
    small_step_release(&wide);
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
