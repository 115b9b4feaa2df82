/**
 * Memory: every allocation of the project goes through dlg_allocate, so that tests can count them and fail the k-th.
 */
#ifndef DLG_BASE_MEMORY_H
#define DLG_BASE_MEMORY_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Every block starts on a cache line, for vector loads. */
#define DLG_ALIGNMENT 64

/**
 * n_items * item_bytes zeroed bytes, aligned to DLG_ALIGNMENT; NULL when the product overflows or memory ran out. Free
 * with dlg_free.
 */
void *dlg_allocate(size_t n_items, size_t item_bytes);

/**
 * A block of new_items with the first old_items kept and the rest zeroed; the old block is freed only on success. NULL
 * as above.
 */
void *dlg_reallocate(void *block, size_t old_items, size_t new_items, size_t item_bytes);

/** Accepts NULL. */
void dlg_free(void *block);

/** A copy of a string, or NULL. Free with dlg_free. */
char *dlg_copy_string(const char *text);

/**
 * From now on blocks may hold this many bytes together: an allocation beyond that fails, as it does where memory ran
 * out. SIZE_MAX, the beginning: as many as there are. Memory of other libraries is not counted.
 */
void dlg_memory_set_limit(size_t n_bytes);

/** The limit, and what all blocks hold now. */
size_t dlg_memory_limit(void);
size_t dlg_memory_used(void);

/**
 * Bytes that this process can still take without the system running out, as far as the system says: what is available
 * of the machine, of the control group and of the limit of the address space, of which `n_reserved` are left to other
 * libraries.
 */
size_t dlg_memory_available(size_t n_reserved);

/** How many calls of dlg_allocate there were so far, in all threads. */
size_t dlg_allocation_count(void);

/** The k-th allocation from now (1: the next) and all after it fail; 0 ends that. For tests. */
void dlg_allocation_fail_from(size_t k);

/** *out = a * b. @return false when that overflows */
bool dlg_multiply(size_t a, size_t b, size_t *out);

/**
 * An arena: one block, carved from the front and given back all at once.
 * It is planned by carving twice. First from an empty arena, which only counts (every dlg_arena_carve returns NULL),
 * then, after dlg_arena_reserve, for real, in the same order.
 */
typedef struct {
    unsigned char *block;
    size_t n_bytes; /**< capacity; 0 while counting */
    size_t used;
    bool overflow; /**< a size did not fit size_t while counting */
} dlg_arena;

/** n_items * item_bytes zeroed bytes, aligned; NULL while counting. */
void *dlg_arena_carve(dlg_arena *, size_t n_items, size_t item_bytes);

/** Ends the counting: allocates what was counted. */
DLG_MUST_USE dlg_status dlg_arena_reserve(dlg_arena *, const char *what, dlg_error *);

/** Frees the block; accepts an empty arena. */
void dlg_arena_release(dlg_arena *);

#endif
