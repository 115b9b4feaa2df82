/*
 * An evaluation of the objective allocates nothing: the project's code calls neither malloc nor its kin. The functions
 * below stand in front of the C library's and look who calls. What libraries do behind their interfaces is counted
 * apart and printed: oneDNN 2.6 takes seven small blocks for each product and gives them back, GCC's OpenMP one for
 * each loop that it runs on one thread. Sanitizers have their own malloc; under them this test is skipped.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "matching/objective.h"
#include "math/blas.h"
#include "math/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED
#endif

static atomic_size_t n_ours, n_of_libraries;

#ifndef IS_SANITIZED

/* Where the program's own code begins and ends; the project's library is linked into it. Both are the linker's. */
extern const char __executable_start[], etext[];

static void count_for(const void *caller)
{
    const char *at = caller;
    atomic_fetch_add(at >= __executable_start && at < etext ? &n_ours : &n_of_libraries, 1);
}

/* Inlined into this file's tests they would see those tests' callers. */
#define IN_FRONT __attribute__((noinline))

/* glibc's own names for what we stand in front of. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *memalign(size_t, size_t);

IN_FRONT void *malloc(size_t n_bytes)
{
    count_for(__builtin_return_address(0));
    return __libc_malloc(n_bytes);
}

IN_FRONT void *calloc(size_t n_items, size_t item_bytes)
{
    count_for(__builtin_return_address(0));
    return __libc_calloc(n_items, item_bytes);
}

IN_FRONT void *realloc(void *block, size_t n_bytes)
{
    count_for(__builtin_return_address(0));
    return __libc_realloc(block, n_bytes);
}

IN_FRONT void *aligned_alloc(size_t alignment, size_t n_bytes)
{
    count_for(__builtin_return_address(0));
    return __libc_memalign(alignment, n_bytes);
}

IN_FRONT void *memalign(size_t alignment, size_t n_bytes)
{
    count_for(__builtin_return_address(0));
    return __libc_memalign(alignment, n_bytes);
}

IN_FRONT int posix_memalign(void **out, size_t alignment, size_t n_bytes)
{
    count_for(__builtin_return_address(0));
    *out = __libc_memalign(alignment, n_bytes);
    return *out ? 0 : ENOMEM;
}

#endif

/* The counter itself: each kind of allocation is seen. The blocks are volatile so that the compiler does not leave them
 * out. */
static void every_kind_is_counted(void **state)
{
    (void)state;
    void *volatile blocks[5];
    void *block = NULL;
    const size_t before = atomic_load(&n_ours);
    blocks[0] = malloc(100);
    blocks[1] = calloc(10, 10);
    blocks[2] = realloc(NULL, 100);
    blocks[3] = aligned_alloc(64, 128);
    assert_int_equal(posix_memalign(&block, 64, 100), 0);
    blocks[4] = block;
    assert_int_equal(atomic_load(&n_ours), before + 5);
    for (size_t i = 0; i < 5; i++) free(blocks[i]);
    block = dlg_allocate(100, 1);
    assert_int_equal(atomic_load(&n_ours), before + 6);
    dlg_free(block);
}

/* Two sentences and one, so that products of more than one shape are there. */
enum { WORDS = 2000, SENTENCES = 2, ROWS = 26, LABELS = 4 };
static const size_t lengths[SENTENCES] = {16, 10}, masked[LABELS] = {3, 7, 12, 20}, labels[LABELS] = {500, 77, 1023, 4};

static void share(dlg_gradient *out, const dlg_model *model, const dlg_batch *batch, double noise)
{
    uint32_t fed[ROWS];
    for (size_t i = 0; i < ROWS; i++) fed[i] = (uint32_t)(37 * i + 5) % WORDS;
    const dlg_step step = {batch, fed, labels, NULL, NULL, NULL};
    assert_int_equal(dlg_gradient_share(out, NULL, model, &step, NULL), DLG_OK);
    for (size_t i = 0; noise > 0 && i < out->n; i++) {
        const size_t n = dlg_parameter_items(&model->parameters[i]);
        for (size_t k = 0; k < n; k++)
            out->owned[i][k] += (dlg_real)(noise * dlg_random_normal_at(i, dlg_random_stream("noise"), k));
    }
}

static void check_evaluations(const char *preset, double noise)
{
    dlg_config config;
    dlg_model *model;
    dlg_batch batch;
    dlg_gradient gradient;
    dlg_objective *objective;
    const dlg_distance *distance;
    assert_int_equal(dlg_config_preset(&config, preset, DLG_MASKED_LM, WORDS, 0, NULL), DLG_OK);
    assert_int_equal(dlg_model_preset(&model, preset, &config, 0, NULL), DLG_OK);
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, SENTENCES, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, LABELS, masked, NULL), DLG_OK);
    share(&gradient, model, &batch, noise);
    assert_int_equal(dlg_distance_find(&distance, "l2", NULL), DLG_OK);
    assert_int_equal(dlg_objective_create(&objective, &gradient, &batch, LABELS, distance, NULL), DLG_OK);
    size_t n_dense, n_targets;
    dlg_objective_targets(objective, &n_dense, &n_targets);
    assert_int_equal(n_dense, noise > 0 ? n_targets : 0);

    const size_t n = dlg_objective_size(objective);
    dlg_real *x = dlg_allocate(n, sizeof *x), *dx = dlg_allocate(n, sizeof *dx), shares[LABELS * LABELS] = {0};
    assert_true(x && dx);
    for (size_t i = 0; i < LABELS; i++) shares[i * LABELS + i] = 1;
    dlg_random_normal_fill(x, n, 0.02, 0, dlg_random_stream("dummy embeddings"));
    const dlg_soft_labels soft = {LABELS, labels, shares, NULL, NULL, false};
    for (size_t i = 0; i < 3; i++) {
        const size_t ours = atomic_load(&n_ours), of_libraries = atomic_load(&n_of_libraries);
        dlg_objective_evaluate(objective, &soft, x, dx);
        const size_t found = atomic_load(&n_ours) - ours,
                     found_of_libraries = atomic_load(&n_of_libraries) - of_libraries;
        if (found) fail_msg("%s, noise %g, evaluation %zu: want no allocation, found %zu", preset, noise, i + 1, found);
        if (i == 2)
            print_message("%s, %d threads, noise %g: libraries %zu\n", preset, dlg_blas_threads(), noise,
                          found_of_libraries);
    }
    dlg_free(x);
    dlg_free(dx);
    dlg_objective_free(objective);
    dlg_gradient_release(&gradient);
    dlg_batch_release(&batch);
    dlg_model_free(model);
}

static void evaluations_allocate_nothing(void **state)
{
    (void)state;
    for (int n_threads = 1; n_threads <= 2; n_threads++) {
        dlg_blas_start(n_threads);
        for (size_t dense = 0; dense < 2; dense++) {
            check_evaluations("tiny", dense ? 1e-2 : 0);
            check_evaluations("mini", dense ? 1e-2 : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_is_counted),
                                       cmocka_unit_test(evaluations_allocate_nothing)};
#ifdef IS_SANITIZED
    puts("skipped: the sanitizer has a malloc of its own");
    return 77;
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
