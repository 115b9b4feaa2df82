/** The sum of embeddings: words' (given) + positions', and the token types', if there are any. */
#ifndef DLG_OPS_EMBEDDINGS_H
#define DLG_OPS_EMBEDDINGS_H

#include "ops/op.h"

/**
 * words (n, H) -> y (n, H): row i is a token at position[i] of its sentence. words is the input of the whole list: the
 * dummy embeddings, or the rows that a participant looked up. It has no other consumer.
 */
typedef struct {
    dlg_op op;
    dlg_value *words, *y;
    const size_t *position;        /**< (n), below n_positions */
    const size_t *type;            /**< (n), below n_types; not looked at where there are none */
    size_t n_positions, n_types;   /**< n_types may be 0: there are none */
    dlg_small_parameter positions; /**< (n_positions, H) */
    dlg_small_parameter types;     /**< (n_types, H) */
} dlg_embeddings;

extern const dlg_op_class dlg_embeddings_class;

#endif
