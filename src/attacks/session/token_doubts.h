/**
 * Over a defended gradient's noise: by how much the tokens of a text that settled explain the gradient better than others
 * in their places would.
 */
#ifndef DLG_ATTACKS_SESSION_TOKEN_DOUBTS_H
#define DLG_ATTACKS_SESSION_TOKEN_DOUBTS_H

#include "attacks/session/session.h"

/**
 * The lead in the evidence of each row that is in doubt, and of each that holds a label, whose places are tried as well.
 * With noise of variance s^2 in each entry the logarithm of the likelihood is -D / 2 s^2, and a token's lead that of the
 * text less that of the best text with another token there; of tensors' different s the largest is taken. Only for the
 * squared distance. Costs some evaluations without derivative for each such row. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_token_doubts_find(dlg_session *, dlg_error *);

#endif
