/**
 * Tokens that have the same embedding, to rounding, as those that were added to a vocabulary often have: no gradient
 * tells them apart but the word embedding's own rows.
 */
#ifndef DLG_ANALYTIC_TOKENS_TWINS_H
#define DLG_ANALYTIC_TOKENS_TWINS_H

#include "gradient/gradient.h"

#include <stdint.h>

/** How many vocabulary entries have this token's embedding, itself included. */
size_t dlg_twins_count(const dlg_model *, uint32_t token);

/** Whether one of n tokens has a twin, and the gradient lacks the word embedding's rows. */
bool dlg_twins_are_hidden(const dlg_gradient *, size_t n, const uint32_t *tokens);

#endif
