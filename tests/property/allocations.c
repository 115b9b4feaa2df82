/*
 * An evaluation of the objective allocates nothing: no call of malloc and its kin. What a library does inside a product is counted apart,
 * as its interface leaves no way around it: oneDNN 2.6 takes seven small blocks for each and gives them back, OpenBLAS 0.3.21 some where
 * more than one thread multiplies; on one thread it must take none. The functions below stand in front of the C library's; sanitizers
 * have their own, which count by hooks. The linker puts the products below in front of ours (--wrap, in CMakeLists.txt).
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "leak/objective.h"
#include "math/blas.h"
#include "math/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_HOOKS
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_HOOKS
#endif

static atomic_size_t n_allocations, n_in_products;
static atomic_bool in_product;

static void count_one(void)
{
    atomic_fetch_add(atomic_load(&in_product) ? &n_in_products : &n_allocations, 1);
}

#ifdef HAS_HOOKS

/* Declared in clang's sanitizer/allocator_interface.h, which gcc does not bring. */
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));

static void count(const volatile void *block, size_t n_bytes)
{
    (void)block, (void)n_bytes;
    count_one();
}

static void ignore(const volatile void *block)
{
    (void)block;
}

static void start_counting(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(count, ignore));
}

#else

/* glibc's own names for what we stand in front of. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t n_bytes)
{
    count_one();
    return __libc_malloc(n_bytes);
}

void *calloc(size_t n_items, size_t item_bytes)
{
    count_one();
    return __libc_calloc(n_items, item_bytes);
}

void *realloc(void *block, size_t n_bytes)
{
    count_one();
    return __libc_realloc(block, n_bytes);
}

void *aligned_alloc(size_t alignment, size_t n_bytes)
{
    count_one();
    return __libc_memalign(alignment, n_bytes);
}

void *memalign(size_t alignment, size_t n_bytes);
void *memalign(size_t alignment, size_t n_bytes)
{
    return aligned_alloc(alignment, n_bytes);
}

int posix_memalign(void **out, size_t alignment, size_t n_bytes)
{
    *out = aligned_alloc(alignment, n_bytes);
    return *out ? 0 : ENOMEM;
}

static void start_counting(void)
{
}

#endif

void __real_dlg_constant_times(const dlg_constant *, size_t, const dlg_real *, dlg_real, dlg_real *);
void __wrap_dlg_constant_times(const dlg_constant *, size_t, const dlg_real *, dlg_real, dlg_real *);
void __real_dlg_constant_times_transpose(const dlg_constant *, size_t, const dlg_real *, dlg_real, dlg_real *);
void __wrap_dlg_constant_times_transpose(const dlg_constant *, size_t, const dlg_real *, dlg_real, dlg_real *);

void __real_dlg_gemm(dlg_orientation, dlg_orientation, size_t, size_t, size_t, dlg_real, const dlg_real *, size_t, const dlg_real *, size_t,
                     dlg_real, dlg_real *, size_t);
void __wrap_dlg_gemm(dlg_orientation, dlg_orientation, size_t, size_t, size_t, dlg_real, const dlg_real *, size_t, const dlg_real *, size_t,
                     dlg_real, dlg_real *, size_t);

void __wrap_dlg_gemm(dlg_orientation a_is, dlg_orientation b_is, size_t m, size_t n, size_t k, dlg_real alpha, const dlg_real *a,
                     size_t lda, const dlg_real *b, size_t ldb, dlg_real beta, dlg_real *c, size_t ldc)
{
    atomic_store(&in_product, true);
    __real_dlg_gemm(a_is, b_is, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    atomic_store(&in_product, false);
}

void __wrap_dlg_constant_times(const dlg_constant *w, size_t n, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    atomic_store(&in_product, true);
    __real_dlg_constant_times(w, n, dy, beta, dx);
    atomic_store(&in_product, false);
}

void __wrap_dlg_constant_times_transpose(const dlg_constant *w, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    atomic_store(&in_product, true);
    __real_dlg_constant_times_transpose(w, n, x, beta, y);
    atomic_store(&in_product, false);
}

/* The counter itself: each kind of allocation is seen. The blocks are volatile so that the compiler does not leave them out. */
static void every_kind_is_counted(void **state)
{
    (void)state;
    void *volatile blocks[5];
    void *block = NULL;
    const size_t before = atomic_load(&n_allocations);
    blocks[0] = malloc(100);
    blocks[1] = calloc(10, 10);
    blocks[2] = realloc(NULL, 100);
    blocks[3] = aligned_alloc(64, 128);
    assert_int_equal(posix_memalign(&block, 64, 100), 0);
    blocks[4] = block;
    assert_int_equal(atomic_load(&n_allocations), before + 5);
    for (size_t i = 0; i < 5; i++) free(blocks[i]);
    block = dlg_allocate(100, 1);
    assert_int_equal(atomic_load(&n_allocations), before + 6);
    dlg_free(block);
}

/* Two sentences and one, so that products of more than one shape are there. */
enum { WORDS = 2000, SENTENCES = 2, ROWS = 26, LABELS = 4 };
static const size_t lengths[SENTENCES] = {16, 10}, masked[LABELS] = {3, 7, 12, 20}, labels[LABELS] = {500, 77, 1023, 4};

static void share(dlg_gradient *out, const dlg_model *model, const dlg_batch *batch, double noise)
{
    uint32_t fed[ROWS];
    for (size_t i = 0; i < ROWS; i++) fed[i] = (uint32_t)(37 * i + 5) % WORDS;
    const dlg_step step = {batch, fed, labels};
    assert_int_equal(dlg_gradient_share(out, NULL, model, &step, NULL), DLG_OK);
    for (size_t i = 0; noise > 0 && i < out->n; i++) {
        const size_t n = dlg_parameter_items(&model->parameters[i]);
        for (size_t k = 0; k < n; k++) out->owned[i][k] += (dlg_real)(noise * dlg_random_normal_at(i, dlg_random_stream("noise"), k));
    }
}

static void check_evaluations(const char *preset, double noise, bool libraries_allocate)
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
    const dlg_soft_labels soft = {LABELS, labels, shares};
    for (size_t i = 0; i < 3; i++) {
        const size_t before = atomic_load(&n_allocations), before_in = atomic_load(&n_in_products);
        dlg_objective_evaluate(objective, &soft, x, dx);
        const size_t count = atomic_load(&n_allocations) - before, in_products = atomic_load(&n_in_products) - before_in;
        if (count || (in_products && !libraries_allocate))
            fail_msg("%s, noise %g, evaluation %zu: want no allocation, found %zu and %zu in products", preset, noise, i + 1, count,
                     in_products);
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
        const bool libraries_allocate = strstr(dlg_blas_start(n_threads), "oneDNN") || n_threads > 1;
        for (size_t dense = 0; dense < 2; dense++) {
            check_evaluations("tiny", dense ? 1e-2 : 0, libraries_allocate);
            check_evaluations("mini", dense ? 1e-2 : 0, libraries_allocate);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_is_counted), cmocka_unit_test(evaluations_allocate_nothing)};
    start_counting();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
