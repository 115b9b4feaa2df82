/**
 * One operator on a bench of its own: random inputs, parameters and directions, and its five sweeps at any point along
 * them. For tests.
 */
#ifndef DLG_TESTS_RIG_H
#define DLG_TESTS_RIG_H

#include "dense_direction.h"
#include "ops/cross_entropy.h"
#include "ops/tape.h"

#include <stdint.h>

enum { RIG_NUMBERS = 4096, RIG_INPUTS = 2, RIG_PARAMETERS = 2, RIG_ITEMS = 256 };

/** A value that goes in, from `start` along `along`. */
typedef struct {
    dlg_value *value;
    bool shared; /**< may have other consumers, so that dx and rdx are added to when somebody else has begun them */
    dlg_real *start, *along;
} rig_input;

/** The same for a parameter. gradient and direction are what the sweeps write and read. */
typedef struct {
    size_t n;
    dlg_real *value, *gradient, *direction, *start, *along;
} rig_parameter;

typedef struct {
    const char *name;
    dlg_tape tape;
    dlg_op *op;
    size_t n_inputs, n_parameters;
    rig_input inputs[RIG_INPUTS];
    rig_parameter parameters[RIG_PARAMETERS];
    dlg_value *y;            /**< what comes out; NULL for the loss */
    dlg_value halves[2];     /**< of y, for an operator of two results */
    dlg_real *dy, *dy_along; /**< dL/dy and the direction it moves in */
    dlg_cross_entropy *loss; /**< the operator where it is the loss: its results are the loss and log_p */
    dlg_real *weight_value;  /**< a linear layer's, with what makes it an operator's weight */
    dlg_linear *linear;
    dlg_packed_weight *packed;
    dlg_products *products;
    dlg_dense_direction weight_direction;
    dlg_real numbers[RIG_NUMBERS];
    size_t n_numbers;
    uint64_t seed;
    uint32_t n_draws;
} rig;

/** How many operators there are to test, counting variants. */
size_t rig_count(void);

/** Set up the i-th with numbers drawn from the seed. */
void rig_create(rig *, size_t i, uint64_t seed);
void rig_release(rig *);

/** What moves along its direction. */
enum { MOVE_INPUTS = 1, MOVE_PARAMETERS = 2, MOVE_DY = 4, MOVE_ALL = 7 };

/**
 * The five sweeps at start + step * along, with the directions of what moves given to the R sweeps and zero to the
 * rest. Everything a sweep must overwrite is NaN before.
 */
void rig_evaluate(rig *, int moving, double step);

/**
 * The results as one list: y, or the loss and log_p; their derivatives; and the weight of each in L. out (RIG_ITEMS).
 * @return how many
 */
size_t rig_results(const rig *, double *out);
size_t rig_result_derivatives(const rig *, double *out);
size_t rig_result_weights(const rig *, double *out);

#endif
