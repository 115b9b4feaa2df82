#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of the processor's large pages. Blocks of this size and more begin at one. */
enum { LARGE_PAGE = 2 << 20 };

static atomic_size_t allocation_count;
static atomic_size_t fail_at; /* the count from which allocations fail; 0: never */

static size_t rounded(size_t n_bytes)
{
    return (n_bytes + DLG_ALIGNMENT - 1) & ~(size_t)(DLG_ALIGNMENT - 1);
}

bool dlg_multiply(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

void *dlg_allocate(size_t n_items, size_t item_bytes)
{
    size_t n_bytes;
    const size_t count = atomic_fetch_add(&allocation_count, 1) + 1, limit = atomic_load(&fail_at);
    if (limit && count >= limit) return NULL;
    if (!dlg_multiply(n_items, item_bytes, &n_bytes) || n_bytes > SIZE_MAX - 2 * LARGE_PAGE) return NULL;
    n_bytes = rounded(n_bytes ? n_bytes : 1);
    /* calloc, unlike aligned_alloc, knows which memory comes zeroed from the system and leaves it untouched. It aligns less than is
       promised here, so the block begins a little further on, and just before it stands where calloc's began. */
    const size_t alignment = n_bytes < LARGE_PAGE ? DLG_ALIGNMENT : LARGE_PAGE;
    unsigned char *start = calloc(n_bytes + alignment, 1);
    if (!start) return NULL;
    unsigned char *block = start + alignment - (uintptr_t)start % alignment;
    memcpy(block - sizeof start, &start, sizeof start);
    /* A large page is cleared, and found later, at a fraction of what its small ones cost. Only a hint, whatever it answers. */
    if (n_bytes >= LARGE_PAGE) (void)madvise(block, n_bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
    return block;
}

void *dlg_reallocate(void *block, size_t old_items, size_t new_items, size_t item_bytes)
{
    void *larger = dlg_allocate(new_items, item_bytes);
    if (!larger) return NULL;
    const size_t kept = old_items < new_items ? old_items : new_items;
    if (kept) memcpy(larger, block, kept * item_bytes);
    dlg_free(block);
    return larger;
}

void dlg_free(void *block)
{
    void *start;
    if (!block) return;
    memcpy(&start, (unsigned char *)block - sizeof start, sizeof start);
    free(start);
}

char *dlg_copy_string(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *copy = dlg_allocate(n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

size_t dlg_allocation_count(void)
{
    return atomic_load(&allocation_count);
}

void dlg_allocation_fail_from(size_t k)
{
    atomic_store(&fail_at, k ? atomic_load(&allocation_count) + k : 0);
}

void *dlg_arena_carve(dlg_arena *arena, size_t n_items, size_t item_bytes)
{
    size_t n_bytes;
    if (!dlg_multiply(n_items, item_bytes, &n_bytes) || arena->used > SIZE_MAX / 2 || n_bytes > SIZE_MAX / 2 - arena->used) {
        arena->overflow = true;
        return NULL;
    }
    const size_t start = arena->used;
    arena->used += rounded(n_bytes);
    if (!arena->block) return NULL;
    assert(arena->used <= arena->n_bytes && "the second carving must ask for what the first one counted");
    return arena->block + start;
}

dlg_status dlg_arena_reserve(dlg_arena *arena, const char *what, dlg_error *err)
{
    assert(!arena->block);
    if (arena->overflow) return dlg_fail(err, DLG_ENOMEM, "%s: needs more memory than can be addressed", what);
    arena->block = dlg_allocate(arena->used ? arena->used : 1, 1);
    if (!arena->block) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu bytes", what, arena->used);
    arena->n_bytes = arena->used;
    arena->used = 0;
    return DLG_OK;
}

void dlg_arena_release(dlg_arena *arena)
{
    dlg_free(arena->block);
    *arena = (dlg_arena){0};
}
