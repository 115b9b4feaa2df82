#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of the processor's large pages. Blocks of this size and more begin at one, and come from the system itself. */
enum { LARGE_PAGE = 2 << 20 };

/* AddressSanitizer watches what malloc gave, and nothing else. */
#if defined(__SANITIZE_ADDRESS__)
#define MAY_MAP 0
#elif defined(__has_feature)
#define MAY_MAP (!__has_feature(address_sanitizer))
#else
#define MAY_MAP 1
#endif

/* Stands just before every block. */
typedef struct {
    void *start;    /* of what malloc or the system gave */
    size_t n_bytes; /* of it, with IS_MAPPED where it was the system */
} origin;

_Static_assert(sizeof(origin) <= 16, "an origin fits before a block, wherever that begins");

enum { IS_MAPPED = 1 }; /* sizes are multiples of more */

static atomic_size_t allocation_count;
static atomic_size_t used, limit = SIZE_MAX; /* bytes */
static atomic_size_t fail_at;                /* the count from which allocations fail; 0: never */

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

/* Zeroed memory that is not there until it is touched, and is gone when it is freed: malloc would keep it and have to
 * clear it again. */
static void *map(size_t n_bytes)
{
    void *start = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

void dlg_memory_set_limit(size_t n_bytes)
{
    atomic_store(&limit, n_bytes);
}

size_t dlg_memory_limit(void)
{
    return atomic_load(&limit);
}

size_t dlg_memory_used(void)
{
    return atomic_load(&used);
}

/* Count bytes as used. @return false where they are more than the limit leaves */
static bool take(size_t n_bytes)
{
    if (atomic_fetch_add(&used, n_bytes) <= SIZE_MAX - n_bytes && atomic_load(&used) <= atomic_load(&limit))
        return true;
    atomic_fetch_sub(&used, n_bytes);
    return false;
}

void *dlg_allocate(size_t n_items, size_t item_bytes)
{
    size_t n_bytes;
    const size_t count = atomic_fetch_add(&allocation_count, 1) + 1, failing = atomic_load(&fail_at);
    if (failing && count >= failing) return NULL;
    if (!dlg_multiply(n_items, item_bytes, &n_bytes) || n_bytes > SIZE_MAX / 2 - 2 * LARGE_PAGE) return NULL;
    n_bytes = rounded(n_bytes ? n_bytes : 1);
    const bool is_mapped = MAY_MAP && n_bytes >= LARGE_PAGE;
    const size_t alignment = n_bytes < LARGE_PAGE ? DLG_ALIGNMENT : LARGE_PAGE, n_all = n_bytes + alignment;
    if (!take(n_all)) return NULL;
    const origin from = {is_mapped ? map(n_all) : calloc(n_all, 1), n_all | (is_mapped ? IS_MAPPED : 0)};
    if (!from.start) {
        atomic_fetch_sub(&used, n_all);
        return NULL;
    }
    /* malloc and system align to 16 bytes at least, so there is always room for that much before the block. */
    unsigned char *block = (unsigned char *)from.start + alignment - (uintptr_t)from.start % alignment;
    memcpy(block - sizeof from, &from, sizeof from);
    /* A large page is cleared, and found later, at a fraction of what its small ones cost. Only a hint, whatever it
     * answers. */
    if (is_mapped) (void)madvise(block, n_bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
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
    origin from;
    if (!block) return;
    memcpy(&from, (unsigned char *)block - sizeof from, sizeof from);
    const size_t n_bytes = from.n_bytes & ~(size_t)IS_MAPPED;
    atomic_fetch_sub(&used, n_bytes);
    if (from.n_bytes & IS_MAPPED) munmap(from.start, n_bytes);
    else free(from.start);
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
    if (!dlg_multiply(n_items, item_bytes, &n_bytes) || arena->used > SIZE_MAX / 2 ||
        n_bytes > SIZE_MAX / 2 - arena->used) {
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
