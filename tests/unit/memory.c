/** Memory: alignment, zeroes, overflow, the k-th failure, arenas; and messages that stay one line. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void blocks(void **state)
{
    (void)state;
    static const unsigned char zeroes[1000];
    for (size_t n = 0; n < sizeof zeroes; n += 37) {
        unsigned char *block = dlg_allocate(n, 1);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % DLG_ALIGNMENT, 0);
        assert_memory_equal(block, zeroes, n);
        memset(block, 7, n);
        dlg_free(block);
    }
    dlg_free(NULL);
}

/* Blocks of the size that large pages are asked for, fresh from the system and used before. */
static void large_blocks_are_zeroed_and_aligned(void **state)
{
    enum { N = (3 << 20) + 100 };
    (void)state;
    for (int round = 0; round < 4; round++) {
        unsigned char *block = dlg_allocate(N, 1), any = 0;
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % DLG_ALIGNMENT, 0);
        for (size_t i = 0; i < N; i++) any |= block[i];
        assert_int_equal(any, 0);
        memset(block, 255, N);
        dlg_free(block);
    }
}

static void overflow(void **state)
{
    (void)state;
    size_t product = 5;
    assert_null(dlg_allocate(SIZE_MAX, 1));
    assert_null(dlg_allocate(SIZE_MAX - DLG_ALIGNMENT + 1, 1));
    assert_null(dlg_allocate(SIZE_MAX / 2 + 1, 2));
    assert_false(dlg_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_int_equal(product, 5);
    assert_true(dlg_multiply(SIZE_MAX, 1, &product) && product == SIZE_MAX);
    assert_true(dlg_multiply(SIZE_MAX, 0, &product) && product == 0);
    assert_true(dlg_multiply(0, SIZE_MAX, &product) && product == 0);
}

static void reallocation(void **state)
{
    (void)state;
    int *numbers = dlg_reallocate(NULL, 0, 2, sizeof *numbers);
    assert_non_null(numbers);
    numbers[0] = 1, numbers[1] = 2;
    numbers = dlg_reallocate(numbers, 2, 100, sizeof *numbers);
    assert_true(numbers[0] == 1 && numbers[1] == 2 && numbers[2] == 0 && numbers[99] == 0);
    numbers = dlg_reallocate(numbers, 100, 1, sizeof *numbers);
    assert_int_equal(numbers[0], 1);
    assert_null(dlg_reallocate(numbers, 1, SIZE_MAX, sizeof *numbers));
    assert_int_equal(numbers[0], 1); /* not freed on failure */
    dlg_free(numbers);
}

static void failing_allocations(void **state)
{
    (void)state;
    const size_t count = dlg_allocation_count();
    dlg_allocation_fail_from(2);
    char *first = dlg_copy_string("first");
    assert_string_equal(first, "first");
    assert_null(dlg_allocate(1, 1));
    assert_null(dlg_copy_string("third"));
    assert_null(dlg_reallocate(first, 1, 2, 1));
    dlg_allocation_fail_from(0);
    assert_int_equal(dlg_allocation_count(), count + 4);
    dlg_free(first);
    first = dlg_allocate(1, 1);
    assert_non_null(first);
    dlg_free(first);
}

static void arenas(void **state)
{
    (void)state;
    static const unsigned char zeroes[100];
    dlg_arena arena = {0};
    dlg_error err;
    assert_null(dlg_arena_carve(&arena, 3, 1));
    assert_null(dlg_arena_carve(&arena, 25, 4));
    assert_int_equal(dlg_arena_reserve(&arena, "test", &err), DLG_OK);
    assert_int_equal(arena.n_bytes, 64 + 128);
    unsigned char *a = dlg_arena_carve(&arena, 3, 1), *b = dlg_arena_carve(&arena, 25, 4);
    assert_int_equal(b - a, 64);
    assert_int_equal((uintptr_t)a % DLG_ALIGNMENT, 0);
    assert_memory_equal(b, zeroes, 100);
    memset(a, 1, 64), memset(b, 1, 128);
    dlg_arena_release(&arena);
    dlg_arena_release(&arena);

    assert_null(dlg_arena_carve(&arena, SIZE_MAX, 2));
    assert_int_equal(dlg_arena_reserve(&arena, "test", &err), DLG_ENOMEM);
    assert_string_equal(err.message, "test: needs more memory than can be addressed");
    dlg_arena_release(&arena);
    for (int i = 0; i < 4; i++) assert_null(dlg_arena_carve(&arena, SIZE_MAX / 4, 1));
    assert_true(arena.overflow);
    dlg_arena_release(&arena);

    assert_null(dlg_arena_carve(&arena, 1, 1));
    dlg_allocation_fail_from(1);
    assert_int_equal(dlg_arena_reserve(&arena, "test", &err), DLG_ENOMEM);
    dlg_allocation_fail_from(0);
    dlg_arena_release(&arena);
}

static void messages(void **state)
{
    (void)state;
    static char text[2000];
    dlg_error err;
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(dlg_fail(&err, DLG_ESHAPE, "%s: want %d", "a\nb\x1b[31m\x7f", 3), DLG_ESHAPE);
    assert_int_equal(err.status, DLG_ESHAPE);
    assert_string_equal(err.message, "a?b?[31m?: want 3");
    assert_int_equal(dlg_fail(&err, DLG_EIO, "%s", text), DLG_EIO);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(dlg_fail(NULL, DLG_EARG, "%s", text), DLG_EARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_blocks_are_zeroed_and_aligned),
        cmocka_unit_test(blocks),
        cmocka_unit_test(overflow),
        cmocka_unit_test(reallocation),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(arenas),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
