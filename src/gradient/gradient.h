/**
 * A gradient held against a model: one block of numbers for every parameter, whether a participant made it or a file
 * brought it.
 */
#ifndef DLG_GRADIENT_GRADIENT_H
#define DLG_GRADIENT_GRADIENT_H

#include "dlg/gradient.h"
#include "gradient/training.h"
#include "math/stack.h"
#include "models/network.h"

struct dlg_gradient {
    const dlg_model *model;
    size_t n; /**< model->n_parameters */
    /** [i] has the shape of model->parameters[i]; NULL where the file has no such tensor */
    const dlg_real **values;
    dlg_real **owned;      /**< [i] the same where it is not borrowed from the file */
    dlg_safetensors *file; /**< NULL: none; borrowed, but of one that dlg_gradient_free ends */
    char *defence;         /**< of one that was computed: what was done to it, "int8,prune:0.9" or "none"; else NULL */
    uint64_t seed;         /**< of its noise */
    dlg_dtype dtype;       /**< of the file's numbers */
    dlg_training training; /**< how it was made, where it was no gradient that was shared */
    double decay;          /**< weights that were in it so many times, and are no longer (gradient/decay.h) */
    double *rounding;      /**< [i] of weights: how far entries are off (dlg_gradient_rounding_at); NULL: of none */
    /** unit roundoff of its numbers (math/tolerance.h): dlg_real's, or single precision's where all that a file holds
     * are single precision's; what a defence rounds more is analytic/noise's to see */
    double roundoff;
};

/**
 * Take the gradients of an open file, as dlg-grads or `save_file({n: p.grad ...})` wrote it, against the model it
 * belongs to. File and model must outlive the gradient.
 * Tensors without names are taken in the order of the model's parameters; integers, and copies of parameters' tensors
 * under other names, are left aside. Errors name file and tensor: not a parameter of the model, another shape, the
 * model's own weights, NaN or infinity, or all zero. What is
 * missing belongs to a parameter that was frozen; dlg_gradient_at is NULL then.
 */
DLG_MUST_USE dlg_status dlg_gradient_open(dlg_gradient *out, dlg_safetensors *file, const dlg_model *, dlg_error *);

/**
 * The same, handing what was read over to `convert` before it is looked at as a whole. Tensors that training leaves
 * behind, and copies of tied weights, may be there too. Errors: likewise, and convert's.
 */
DLG_MUST_USE dlg_status dlg_gradient_open_as(dlg_gradient *out, dlg_safetensors *file, const dlg_model *,
                                             dlg_status (*convert)(dlg_gradient *, const void *how, dlg_error *),
                                             const void *how, dlg_error *);

/** A gradient of zeros with a block of its own for every parameter. */
DLG_MUST_USE dlg_status dlg_gradient_create(dlg_gradient *out, const dlg_model *, dlg_error *);

/** Accepts a zeroed gradient. */
void dlg_gradient_release(dlg_gradient *);

/** Write what there is of the gradient as a file that dlg_gradient_open takes. Errors: as dlg_safetensors_write. */
DLG_MUST_USE dlg_status dlg_gradient_save(const dlg_gradient *, const char *path, dlg_dtype, size_t n_metadata,
                                          const dlg_metadata *metadata, dlg_error *);

/** The values of a parameter of the model; NULL where the file has none: it was frozen. */
const dlg_real *dlg_gradient_at(const dlg_gradient *, const dlg_parameter *);

/**
 * How far an entry of that parameter is off, by the last places of the weights that it was made of: the root of the
 * mean square. 0: not made of weights.
 */
double dlg_gradient_rounding_at(const dlg_gradient *, const dlg_parameter *);

/** The values of the parameter of that name, or NULL. */
const dlg_real *dlg_gradient_of(const dlg_gradient *, const char *parameter_name);

/** The gradients of a block's query, key and value, under each other: those that are there. Borrowed. */
dlg_stack dlg_gradient_inputs(const dlg_gradient *, const dlg_block_roles *);

/** A softmax loss: so many times the mean cross-entropy, and its smoothing (ops/cross_entropy.h). */
typedef struct {
    double factor, smoothing;
} dlg_softmax_loss;

/**
 * What one training step of a participant saw: fed tokens row by row, and the label of every predicted row.
 * Borrowed.
 */
typedef struct {
    const dlg_batch *batch;
    const uint32_t *fed;          /**< (batch->n_rows) */
    const size_t *labels;         /**< (batch->n_predicted) tokens, or classes */
    const dlg_softmax_loss *loss; /**< NULL: the mean cross-entropy */
    const double *weights;        /**< (batch->n_predicted) of the rows, which sum to 1; NULL: all alike */
    /** (batch->n_predicted, tokens or classes) any loss' derivative with respect to the logits; NULL: the loss above */
    const dlg_real *slopes;
} dlg_step;

/**
 * The gradient of the step's loss, for every parameter (the participant's side): out is created here.
 * @param[out] loss may be NULL
 */
DLG_MUST_USE dlg_status dlg_gradient_share(dlg_gradient *out, double *loss, const dlg_model *, const dlg_step *,
                                           dlg_error *);

#endif
