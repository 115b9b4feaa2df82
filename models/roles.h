/**
 * What analysis and attacks know of a network: which of its parameters plays which part. An architecture fills it in
 * where it lists its parameters; outside of models nobody asks for one by its name.
 */
#ifndef DLG_MODELS_ROLES_H
#define DLG_MODELS_ROLES_H

#include "models/parameter.h"

/** y = x W^T + b. Borrowed from the model, as all here. */
typedef struct {
    const dlg_parameter *weight, *bias; /**< bias NULL: none */
} dlg_linear_role;

typedef struct {
    const dlg_parameter *scale, *shift; /**< NULL: there is no such norm */
} dlg_norm_role;

/** One block. Where one weight makes query, key and value, all three are that. */
typedef struct {
    dlg_linear_role query, key, value, output; /**< of the attention */
    dlg_linear_role wide, narrow;              /**< of the feed-forward part: in, out */
    dlg_norm_role attention_norm, output_norm;
} dlg_block_roles;

/** Which rows of a batch have a loss. */
typedef enum {
    DLG_CHOSEN_ROWS, /**< masked LM: those that were masked */
    DLG_FIRST_ROWS,  /**< classifier: each sentence's first */
    DLG_NEXT_ROWS    /**< causal LM: each has its successor for a label */
} dlg_loss_rows;

/** What the head's first layer is followed by. */
typedef enum { DLG_HEAD_LIKE_BLOCKS, DLG_HEAD_TANH, DLG_HEAD_RELU, DLG_HEAD_NONE } dlg_head_activation;

typedef struct {
    const dlg_parameter *words, *positions;
    const dlg_parameter *types; /**< token types; NULL: none */
    dlg_norm_role norm;         /**< of their sum, which is layer 0's input */
    dlg_block_roles *blocks;    /**< (n_layers) owned by the model */
    /** its first layer, H to H, on the rows with a loss: masked LM's transform or classifier's pooler */
    dlg_linear_role head;
    dlg_head_activation head_activation;
    dlg_norm_role head_norm; /**< behind it, or none */
    dlg_linear_role decoder; /**< to words or classes; its weight is `words` where it is tied */
    dlg_loss_rows loss_rows;
    /**
     * each norm is the only way from one block to the next, and nothing goes round the first: the position check
     * holds
     */
    bool is_post_norm;
    bool is_causal; /**< a row sees itself and those before it alone */
} dlg_roles;

#endif
