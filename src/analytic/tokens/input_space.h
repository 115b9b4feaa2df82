/**
 * The space that layer 0's gradient leaves to the embeddings.
 *
 * Layer 0's dW_Q, dW_K and dW_V have the inputs of all tokens in their row space, and these inputs are layer norms,
 * gamma xhat + beta, of u = x + P[position] + S[type]. Whatever the layer norm's mean and deviation are, u lies in the
 * span of (rows of the space) / gamma, beta / gamma and ones: a space of few dimensions, the same for every token,
 * known before any optimisation. An attack that stays in it has rank + 2 unknowns a token instead of the hidden size.
 */
#ifndef DLG_ANALYTIC_TOKENS_INPUT_SPACE_H
#define DLG_ANALYTIC_TOKENS_INPUT_SPACE_H

#include "math/spectrum.h"
#include "models/network.h"

typedef struct dlg_input_space dlg_input_space;

/**
 * For an undefended gradient: noise hides the space. *out is NULL on failure, and without an error where nothing is
 * gained: in a model of one layer, where the tokens fill the model's width, or where gamma has a zero.
 * @param inputs of layer 0's query, key and value, as many directions as the batch has rows Errors: DLG_ENOMEM,
 * DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_input_space_create(dlg_input_space **out, const dlg_model *, const dlg_spectrum *inputs,
                                               const dlg_batch *, dlg_error *);

/** Accepts NULL. */
void dlg_input_space_free(dlg_input_space *);

/** Unknowns of the whole batch: its rows times the space's dimension. */
size_t dlg_input_space_size(const dlg_input_space *);

/** @param[in] z (size) @param[out] x (n_rows, H) the embeddings at these coordinates */
void dlg_input_space_embed(dlg_input_space *, const double *z, dlg_real *x);

/** @param[in] x (n_rows, H) @param[out] z (size) coordinates of the point that is nearest to x */
void dlg_input_space_project(dlg_input_space *, const dlg_real *x, double *z);

/** @param[in] dx (n_rows, H) a derivative with respect to x @param[out] dz (size) the same with respect to z */
void dlg_input_space_pull_back(dlg_input_space *, const dlg_real *dx, double *dz);

#endif
