/** Tokens that might stand in the place of those that do. */
#ifndef DLG_ATTACKS_SESSION_TOKEN_ALTERNATIVES_H
#define DLG_ATTACKS_SESSION_TOKEN_ALTERNATIVES_H

#include "attacks/session/session.h"

enum { DLG_TOKEN_ALTERNATIVES_MOST = 8 };

/** Of a row, the first before the others. */
typedef struct {
    double score[DLG_TOKEN_ALTERNATIVES_MOST];
    uint32_t token[DLG_TOKEN_ALTERNATIVES_MOST];
    size_t n;
} dlg_token_alternatives;

typedef enum {
    DLG_PROMISING_WORDS, /**< along which D falls, by how much for the length of the step */
    DLG_NEAREST_WORDS    /**< nearest to the one that is there */
} dlg_order_of_words;

/**
 * Among what the position check admits. The session's `point` is its fed tokens', and `derivative` of D there.
 * @param[out] out (n_rows) Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_token_alternatives_find(dlg_token_alternatives *out, const dlg_session *,
                                                    dlg_order_of_words, dlg_error *);

#endif
