#include "ops/tape.h"

#include "base/interrupt.h"
#include "math/threads.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Room for any operator's structure; dlg_tape_append asserts it. */
enum { OP_BYTES = 256 };

dlg_status dlg_tape_create(dlg_tape *tape, size_t capacity, dlg_error *err)
{
    *tape = (dlg_tape){.capacity = capacity};
    tape->ops = dlg_allocate(capacity, sizeof *tape->ops);
    tape->op_memory = dlg_allocate(capacity, OP_BYTES);
    tape->values = dlg_allocate(2 * capacity, sizeof *tape->values);
    tape->smalls = dlg_allocate(2 * capacity, sizeof *tape->smalls);
    tape->parameters = dlg_allocate(4 * capacity, sizeof *tape->parameters);
    if (tape->ops && tape->op_memory && tape->values && tape->smalls && tape->parameters) return DLG_OK;
    dlg_tape_free(tape);
    return dlg_fail(err, DLG_ENOMEM, "list of operators: no memory");
}

void dlg_tape_free(dlg_tape *tape)
{
    dlg_free(tape->ops);
    dlg_free(tape->op_memory);
    dlg_free(tape->values);
    dlg_free(tape->smalls);
    dlg_free(tape->parameters);
    dlg_arena_release(&tape->arena);
    *tape = (dlg_tape){0};
}

dlg_value *dlg_tape_value(dlg_tape *tape, size_t n_rows, size_t n_cols)
{
    assert(tape->n_values < 2 * tape->capacity);
    dlg_value *value = &tape->values[tape->n_values++];
    *value = (dlg_value){.n_rows = n_rows, .n_cols = n_cols};
    return value;
}

void *dlg_tape_append(dlg_tape *tape, const dlg_op_class *class, const void *op, size_t n_bytes)
{
    assert(tape->n_ops < tape->capacity && n_bytes <= OP_BYTES);
    dlg_op *copy = (void *)(tape->op_memory + OP_BYTES * tape->n_ops);
    memcpy(copy, op, n_bytes);
    copy->class = class;
    tape->ops[tape->n_ops++] = copy;
    return copy;
}

void dlg_tape_small(dlg_tape *tape, dlg_small_parameter *small, size_t n_items)
{
    assert(tape->n_smalls < 2 * tape->capacity);
    tape->smalls[tape->n_smalls].small = small;
    tape->smalls[tape->n_smalls++].n_items = n_items;
}

void dlg_tape_parameter_add(dlg_tape *tape, dlg_tape_parameter parameter)
{
    assert(tape->n_parameters < 4 * tape->capacity);
    tape->parameters[tape->n_parameters++] = parameter;
}

static void carve_all(dlg_tape *tape)
{
    for (size_t i = 0; i < tape->n_values; i++) {
        dlg_value *v = &tape->values[i];
        size_t n_items = 0;
        if (!dlg_multiply(v->n_rows, v->n_cols, &n_items)) tape->arena.overflow = true;
        v->x = dlg_arena_carve(&tape->arena, n_items, sizeof *v->x);
        if (tape->is_forward_only) continue;
        v->dx = dlg_arena_carve(&tape->arena, n_items, sizeof *v->dx);
        v->rx = dlg_arena_carve(&tape->arena, n_items, sizeof *v->rx);
        v->rdx = dlg_arena_carve(&tape->arena, n_items, sizeof *v->rdx);
    }
    for (size_t i = 0; !tape->is_forward_only && i < tape->n_smalls; i++) {
        dlg_small_parameter *small = tape->smalls[i].small;
        small->gradient = dlg_arena_carve(&tape->arena, tape->smalls[i].n_items, sizeof *small->gradient);
        small->direction = dlg_arena_carve(&tape->arena, tape->smalls[i].n_items, sizeof *small->direction);
    }
    for (size_t i = 0; i < tape->n_ops; i++)
        if (tape->ops[i]->class->plan) tape->ops[i]->class->plan(tape->ops[i], &tape->arena);
}

size_t dlg_tape_count_bytes(dlg_tape *tape)
{
    assert(!tape->arena.block);
    carve_all(tape);
    const size_t n_bytes = tape->arena.overflow ? SIZE_MAX : tape->arena.used;
    tape->arena = (dlg_arena){0};
    return n_bytes;
}

dlg_status dlg_tape_plan(dlg_tape *tape, dlg_error *err)
{
    carve_all(tape);
    const dlg_status status = dlg_arena_reserve(&tape->arena, "the sweeps' values", err);
    if (status) return status;
    carve_all(tape);
    return DLG_OK;
}

void dlg_tape_forward(dlg_tape *tape)
{
    for (size_t i = 0; i < tape->n_ops && !dlg_is_interrupted(); i++) tape->ops[i]->class->forward(tape->ops[i]);
}

static void sweep_back(dlg_tape *tape, size_t n_ops)
{
    for (size_t i = n_ops; i-- > 0 && !dlg_is_interrupted();) tape->ops[i]->class->backward(tape->ops[i]);
}

void dlg_tape_backward(dlg_tape *tape)
{
    for (size_t i = 0; i < tape->n_values; i++) tape->values[i].dx_begun = false;
    sweep_back(tape, tape->n_ops);
}

void dlg_tape_backward_from(dlg_tape *tape, size_t n_ops, dlg_value *last, const dlg_real *dy)
{
    for (size_t i = 0; i < tape->n_values; i++) tape->values[i].dx_begun = false;
    memcpy(last->dx, dy, last->n_rows * last->n_cols * sizeof *dy);
    last->dx_begun = true;
    sweep_back(tape, n_ops);
}

/* A sweep in any order; NULL in an operator's class means that it has no part in it. */
static void sweep_at_once(const dlg_tape *tape, void (*part_of(const dlg_op_class *))(dlg_op *))
{
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < tape->n_ops; i++) {
        void (*sweep)(dlg_op *) = part_of(tape->ops[i]->class);
        if (sweep) sweep(tape->ops[i]);
    }
}

static void (*gradient_of(const dlg_op_class *class))(dlg_op *)
{
    return class->gradient;
}

static void (*rstart_of(const dlg_op_class *class))(dlg_op *)
{
    return class->rstart;
}

void dlg_tape_gradient(dlg_tape *tape)
{
    sweep_at_once(tape, gradient_of);
}

void dlg_tape_rforward(dlg_tape *tape)
{
    for (size_t i = 0; i < tape->n_values; i++) tape->values[i].rdx_begun = false;
    sweep_at_once(tape, rstart_of);
    for (size_t i = 0; i < tape->n_ops && !dlg_is_interrupted(); i++) tape->ops[i]->class->rforward(tape->ops[i]);
}

void dlg_tape_rbackward(dlg_tape *tape)
{
    for (size_t i = tape->n_ops; i-- > 0 && !dlg_is_interrupted();) tape->ops[i]->class->rbackward(tape->ops[i]);
}
