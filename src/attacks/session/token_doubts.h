/**
 * Over a defended gradient's noise: by how much the tokens of a text that settled explain the gradient better than
 * others in their places would.
 */
#ifndef DLG_ATTACKS_SESSION_TOKEN_DOUBTS_H
#define DLG_ATTACKS_SESSION_TOKEN_DOUBTS_H

#include "attacks/session/session.h"

/**
 * The lead in the evidence of each row that is in doubt, and of each that holds a label, whose places are tried as
 * well: how much less likely (dlg_oracle_misfit) the gradient is of the best text with another token there. Only for
 * the squared distance, which the text was found by. Costs some distances for each such row. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_token_doubts_find(dlg_session *, dlg_error *);

#endif
