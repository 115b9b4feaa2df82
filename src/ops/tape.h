/**
 * A list of operators with the values between them and one arena that holds all their numbers: what the sweeps run
 * over.
 */
#ifndef DLG_OPS_TAPE_H
#define DLG_OPS_TAPE_H

#include "ops/linear.h"
#include "ops/op.h"

#include <stdbool.h>

/** Where a named parameter's gradient and direction are found on the tape. */
typedef struct {
    const char *name;           /**< Hugging Face's; borrowed */
    size_t n_rows, n_cols;      /**< a vector has n_rows 1 */
    dlg_small_parameter *small; /**< a small parameter, or NULL for a weight matrix */
    dlg_linear *linear;         /**< the operator whose weight it is, or a part of it; NULL for a small parameter */
    size_t offset;              /**< first number in *small, or first row in the linear's weight */
} dlg_tape_parameter;

typedef struct {
    bool is_forward_only; /**< no other sweep is called, and nothing is reserved for them; set before dlg_tape_plan */
    size_t n_ops, n_values, n_smalls, n_parameters, capacity;
    dlg_op **ops;
    dlg_value *values;
    struct {
        dlg_small_parameter *small;
        size_t n_items;
    } * smalls;
    dlg_tape_parameter *parameters;
    unsigned char *op_memory;
    dlg_arena arena;
} dlg_tape;

/**
 * An empty tape with room for `capacity` operators; twice as many values and four times as many parameters.
 * Zero-initialised first.
 */
DLG_MUST_USE dlg_status dlg_tape_create(dlg_tape *, size_t capacity, dlg_error *);

/** Accepts a zeroed tape. */
void dlg_tape_free(dlg_tape *);

/** A new value, without its arrays until dlg_tape_plan. Building asserts that the capacity is kept. */
dlg_value *dlg_tape_value(dlg_tape *, size_t n_rows, size_t n_cols);

/** Append an operator: a copy of *op (n_bytes long, its first member a dlg_op) that the tape owns. @return the copy */
void *dlg_tape_append(dlg_tape *, const dlg_op_class *, const void *op, size_t n_bytes);

/** Say that an operator's small parameter has n_items numbers, so that it gets its gradient and (zero) direction. */
void dlg_tape_small(dlg_tape *, dlg_small_parameter *, size_t n_items);

/** Name a parameter, or a part of a fused one. */
void dlg_tape_parameter_add(dlg_tape *, dlg_tape_parameter);

/** Bytes that dlg_tape_plan will take; SIZE_MAX where they cannot be counted. */
size_t dlg_tape_count_bytes(dlg_tape *);

/**
 * After the last operator: reserve the arena. Nothing is allocated by any sweep after that. Errors: DLG_ENOMEM with the
 * bytes wanted.
 */
DLG_MUST_USE dlg_status dlg_tape_plan(dlg_tape *, dlg_error *);

/** The sweeps, in the order in which they must be run (see op.h); R-forward begins with R-start. */
void dlg_tape_forward(dlg_tape *);
void dlg_tape_backward(dlg_tape *);
void dlg_tape_gradient(dlg_tape *);
void dlg_tape_rforward(dlg_tape *);
void dlg_tape_rbackward(dlg_tape *);

/** The backward sweep over the first n_ops operators alone, from the gradient dy (n_rows, n_cols) of what the last of
 * them makes. */
void dlg_tape_backward_from(dlg_tape *, size_t n_ops, dlg_value *last, const dlg_real *dy);

#endif
