/**
 * A language prior: how a masked LM finds a text. Its pseudo-log-likelihood (Salazar et al. 2020, arXiv:1910.14659): each word is masked in
 * turn and the model asked for it, knowing all others.
 */
#ifndef DLG_LEAK_PRIOR_H
#define DLG_LEAK_PRIOR_H

#include "models/bert.h"

#include <stdint.h>

typedef struct dlg_prior dlg_prior;

/**
 * Lay the masked LM out for one sentence of `length` tokens, 3 at least: several copies beside each other, each of which masks another
 * word.
 * The model must outlive the prior. *out is NULL on failure.
 */
DLG_MUST_USE dlg_status dlg_prior_create(dlg_prior **out, const dlg_model *, uint32_t mask, size_t length, dlg_error *);

/** Accepts NULL. */
void dlg_prior_free(dlg_prior *);

/** Mean -log p of the tokens between the first and the last, in nats. @param[in] tokens (length). Allocates nothing. */
double dlg_prior_surprise(dlg_prior *, const uint32_t *tokens);

#endif
