#include "math/stack.h"

#include "base/memory.h"

#include <string.h>

size_t dlg_stack_height(const dlg_stack *stack)
{
    size_t n_out = 0;
    for (size_t i = 0; i < stack->n_blocks; i++) n_out += stack->n_rows[i];
    return n_out;
}

dlg_status dlg_stack_rows(dlg_stacked *out, const dlg_stack *stack, dlg_error *err)
{
    const size_t n_out = dlg_stack_height(stack);
    size_t n_items = 0;
    *out = (dlg_stacked){0};
    if (stack->n_blocks == 1) {
        *out = (dlg_stacked){.n_out = n_out, .w = stack->blocks[0]};
        return DLG_OK;
    }
    dlg_real *owned = dlg_multiply(n_out, stack->n_in, &n_items) ? dlg_allocate(n_items, sizeof *owned) : NULL;
    if (!owned) return dlg_fail(err, DLG_ENOMEM, "weights: no memory for %zu x %zu numbers", n_out, stack->n_in);
    dlg_real *next = owned;
    for (size_t i = 0; i < stack->n_blocks; i++) {
        const size_t n = stack->n_rows[i] * stack->n_in;
        memcpy(next, stack->blocks[i], n * sizeof *next);
        next += n;
    }
    *out = (dlg_stacked){n_out, owned, owned};
    return DLG_OK;
}
