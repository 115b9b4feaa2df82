/**
 * The attack's objective: the distance D between the gradient of dummy embeddings and the shared one, and its
 * derivative.
 *
 * With c_l = dD/dg_l held fixed, dD/dx = d/de dL/dx (x, W + e c): one directional derivative of backpropagation along
 * the direction c in the weights (Pearlmutter 1994), so an evaluation is four sweeps over the list of operators and no
 * weight gradient is formed.
 */
#ifndef DLG_MATCHING_OBJECTIVE_H
#define DLG_MATCHING_OBJECTIVE_H

#include "matching/distance.h"
#include "gradient/gradient.h"

/** Labels as the attack holds them: which there are, and how much of each stands in which predicted row. */
typedef struct {
    size_t n;
    const size_t *label;          /**< (n) tokens or classes; one that occurs twice stands there twice */
    const dlg_real *share;        /**< (n_predicted, n); the whole sums to n where nothing is missing */
    const dlg_softmax_loss *loss; /**< of what loss they are labels; NULL: the mean cross-entropy */
    /**
     * (n_predicted, H) NULL, or the gradient of what the head's first layer makes, whatever the loss and the labels
     * are: what lies behind that layer is then not compared, and there is no derivative
     */
    const dlg_real *outputs;
    /** the distance is l2's at the factor that makes it least, times loss->factor (dlg_objective_factor) */
    bool fits_factor;
} dlg_soft_labels;

typedef struct dlg_objective dlg_objective;

/**
 * Lay the model out for a batch and factor the targets. Left out of every distance: the word embedding, whose gradient
 * also holds the rows of the look-up, and the key biases, whose gradient is zero (softmax does not see a shift), so
 * that only rounding would be compared, and what the gradient lacks because it was frozen. The gradient (with its
 * model) and the distance must outlive the objective. *out is NULL on failure.
 */
DLG_MUST_USE dlg_status dlg_objective_create(dlg_objective **out, const dlg_gradient *, const dlg_batch *,
                                             size_t max_labels, const dlg_distance *, dlg_error *);

/** Accepts NULL. */
void dlg_objective_free(dlg_objective *);

/** Numbers in x: rows of the batch times hidden size. */
size_t dlg_objective_size(const dlg_objective *);

/**
 * One evaluation. Allocates nothing. May return NaN or infinity where x diverged: the caller checks.
 * @param[in] x (n_rows, H) dummy embeddings @param[out] dx (n_rows, H) dD/dx
 * @return D
 */
double dlg_objective_evaluate(dlg_objective *, const dlg_soft_labels *, const dlg_real *x, dlg_real *dx);

/** The distance alone, as dlg_objective_evaluate would find it, at half the cost. */
double dlg_objective_distance(dlg_objective *, const dlg_soft_labels *labels, const dlg_real *x);

/** The factor that the last one was fitted with, loss->factor included; that itself where none was to be. */
double dlg_objective_factor(const dlg_objective *);

/** After an evaluation: out (n_predicted, n labels) = dD/d share. */
void dlg_objective_label_derivative(const dlg_objective *, dlg_real *out);

/** How many tensors are compared. */
size_t dlg_objective_count(const dlg_objective *);

/** What the last evaluation left of tensor i. @param[out] name the parameter's, borrowed from the model */
dlg_residual dlg_objective_residual(const dlg_objective *, size_t i, const char **name);

/** Whether the last evaluation was of outputs: nothing behind the head's first layer is known then. */
bool dlg_objective_is_of_outputs(const dlg_objective *);

/** What it was made of, and the network that the last evaluation went through. */
const dlg_gradient *dlg_objective_gradient(const dlg_objective *);
const dlg_network *dlg_objective_network(const dlg_objective *);

/** D where g = 0, which says what a distance of 1 is worth: for l2 the squared norm of the shared gradient. */
double dlg_objective_scale(const dlg_objective *);

/**
 * What no text of that many tokens can lower D below: the parts of a defended gradient that are not of its rank, or
 * belong to positions beyond its end. 0 for an undefended one.
 */
double dlg_objective_floor(const dlg_objective *);

/**
 * What the noise of a defended gradient is in all, by squares, if it is everywhere as large as where no text can reach:
 * what D of the right text is about. 0 for an undefended one.
 */
double dlg_objective_noise(const dlg_objective *);

/** The variance of the noise in an entry of tensor i, if it is as large as where no text can reach; 0: not seen. */
double dlg_objective_variance(const dlg_objective *, size_t i);

/** How many weight matrices keep a dense target, of how many: a defended gradient shows here. */
void dlg_objective_targets(const dlg_objective *, size_t *n_dense, size_t *n);

#endif
