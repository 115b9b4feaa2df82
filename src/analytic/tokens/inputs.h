/**
 * What goes into layer 0, of one token at one position: with c the sum of its word, position and type without its mean,
 *
 *   x = gamma o c / s + beta,   s^2 = ||c||^2 / H + eps.
 *
 * c is the sum of a part of the token and a part of the position.
 */
#ifndef DLG_ANALYTIC_TOKENS_INPUTS_H
#define DLG_ANALYTIC_TOKENS_INPUTS_H

#include "models/model.h"

#include <stdint.h>

/** Borrowed from the model. */
typedef struct {
    size_t H;
    size_t n_types;
    const dlg_real *words, *positions, *types, *gamma, *beta; /**< (V, H), (positions, H), (n_types, H), (H) */
    double eps;
} dlg_inputs;

dlg_inputs dlg_inputs_of(const dlg_model *);

/** x (H). @return its norm squared */
double dlg_input_at(const dlg_inputs *, uint32_t token, size_t position, size_t type, double *x);

/** The token's part of c (H): its word without its mean. */
void dlg_input_of_token(const dlg_inputs *, uint32_t token, double *c);

/** The position's part of c (H), with the type's. */
void dlg_input_of_position(const dlg_inputs *, size_t position, size_t type, double *c);

/** By how much another type than the first changes c (H). */
void dlg_input_of_type(const dlg_inputs *, size_t type, double *c);

#endif
