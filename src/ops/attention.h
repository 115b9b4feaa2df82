/** Multi-head self-attention between the projections: context = softmax(Q K^T / sqrt(d)) V, sentence by sentence. */
#ifndef DLG_OPS_ATTENTION_H
#define DLG_OPS_ATTENTION_H

#include "ops/op.h"

/**
 * qkv (n, 3H), its columns [Q | K | V] -> y (n, H). The rows are the sentences of a batch one after the other, without
 * padding: sentence b has the rows first[b] .. first[b+1]-1 and attends to itself alone, which is what padding and an
 * attention mask come to. qkv has no other consumer.
 */
typedef struct {
    dlg_op op;
    dlg_value *qkv, *y;
    size_t n_heads, n_sentences;
    bool causal;                 /**< a token attends to itself and those before it alone */
    const size_t *first;         /**< (n_sentences + 1) */
    dlg_real *p, *dp, *rp;       /**< (sum over sentences of n_heads T^2): softmax, its dL/dp, its derivative */
    size_t n_threads, n_scratch; /**< threads that the scratch is for; numbers for each of them */
    dlg_real *scratch;           /**< derivatives of the scores of one head */
} dlg_attention;

extern const dlg_op_class dlg_attention_class;

#endif
