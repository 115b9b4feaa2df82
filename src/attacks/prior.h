/**
 * A language prior: how surprised a language model is by a text, in nats a token.
 *
 * GPT-2 is asked for each token, knowing those before it; the first is not asked for. That is the loss of Hugging
 * Face's GPT2LMHeadModel on its input, the logarithm of the perplexity. Of a masked LM it is the pseudo-log-likelihood
 * (Salazar et al. 2020, arXiv:1910.14659): each word is masked in turn and the model asked for it, knowing all others;
 * the first and the last are not asked for.
 */
#ifndef DLG_ATTACKS_PRIOR_H
#define DLG_ATTACKS_PRIOR_H

#include "models/network.h"

#include <stdint.h>

typedef struct dlg_prior dlg_prior;

/**
 * Lay a language model out for one sentence of `length` tokens, 3 at least; a masked LM in several copies beside each
 * other, each of which masks another word. The model must outlive the prior. *out is NULL on failure. Errors:
 * DLG_ENOMEM; DLG_ESHAPE when the model has fewer positions.
 * @param mask a masked LM's mask token
 */
DLG_MUST_USE dlg_status dlg_prior_create(dlg_prior **out, const dlg_model *, uint32_t mask, size_t length, dlg_error *);

/** Accepts NULL. */
void dlg_prior_free(dlg_prior *);

/** Mean -log p of the tokens that are asked for. @param[in] tokens (length). Allocates nothing. */
double dlg_prior_surprise(dlg_prior *, const uint32_t *tokens);

/** The same for a batch. */
typedef struct dlg_batch_prior dlg_batch_prior;

/**
 * A prior for each sentence of 3 tokens and more. Borrows model and batch. *out is NULL on failure. Errors: as
 * above.
 */
DLG_MUST_USE dlg_status dlg_batch_prior_create(dlg_batch_prior **out, const dlg_model *, uint32_t mask,
                                               const dlg_batch *, dlg_error *);

/** Accepts NULL. */
void dlg_batch_prior_free(dlg_batch_prior *);

/**
 * Mean over the sentences; shorter ones surprise nobody. @param[in] tokens (n_rows) of the batch. Allocates nothing.
 */
double dlg_batch_prior_surprise(dlg_batch_prior *, const uint32_t *tokens);

#endif
