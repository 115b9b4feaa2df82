/**
 * Over a defended gradient: single tokens are replaced, and labels change places, as long as that lowers D at the
 * tokens.
 */
#ifndef DLG_ATTACKS_SESSION_TOKEN_SUBSTITUTION_H
#define DLG_ATTACKS_SESSION_TOKEN_SUBSTITUTION_H

#include "attacks/session/session.h"

typedef enum {
    DLG_DOUBTFUL_ROWS, /**< those whose token has no good evidence */
    DLG_ALL_ROWS       /**< the others too, once nothing is left to be done in these */
} dlg_rows_tried;

/**
 * Begins at the fed tokens and the labels' places, which must be there, and leaves the best that was found in their
 * place, with its D. Noise moves the D of two texts together, so that the right one of two is nearly always the lower,
 * however little they differ. Which replacements are tried is a matter of the derivative at the tokens: in each row,
 * the most promising first, those that lower D most for the length of their step among what the position check admits,
 * the labels where nothing speaks for the token that is there, and of the labels' changes of places those to which
 * dD/dY points. An evaluation and, for each that is tried, D alone. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_token_substitution_try(dlg_session *, dlg_rows_tried, dlg_error *);

#endif
