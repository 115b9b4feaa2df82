/** What architectures are written in: the parameters they list, and the operators that read them in order. One file each. */
#ifndef DLG_MODELS_ARCHITECTURE_H
#define DLG_MODELS_ARCHITECTURE_H

#include "models/network.h"

/** A network being built. Linear layers are consumed in the order in which they were described. */
typedef struct {
    dlg_network *network;
    const dlg_model *model;
    size_t next_linear;
    dlg_status status; /**< the first failure to reserve products */
    dlg_error *err;
} dlg_builder;

typedef struct {
    const char *kind;                                                 /**< "BERT" */
    size_t (*most_parameters)(const dlg_config *);
    size_t (*most_linears)(const dlg_config *);
    size_t (*most_operators)(const dlg_config *);                     /**< as dlg_tape_create counts: see there */
    void (*describe)(dlg_model *);                                    /**< parameters and linear layers: names and shapes, no values */
    void (*build)(dlg_builder *, size_t max_labels);
    bool (*is_left_behind)(const dlg_config *, const char *name);     /**< a tensor that files hold and nobody reads */
} dlg_architecture;

/** BERT (Devlin et al. 2019, arXiv:1810.04805) with either head, as Hugging Face builds it. */
extern const dlg_architecture dlg_bert;
/** GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners") with its language model's head, likewise. */
extern const dlg_architecture dlg_gpt2;

/** That of the configuration's task. */
const dlg_architecture *dlg_architecture_of(const dlg_config *);

/* ---- to describe ---- */

/** The next parameter; n_rows 0: a vector. @return its index; the first is the word embeddings */
size_t DLG_PRINTF(5, 6) dlg_describe(dlg_model *, dlg_draw, size_t n_rows, size_t n_cols, const char *format, ...);

/**
 * A linear layer made of n_parts pairs of parameters called base + parts[i] + .weight and .bias, each (n_out, n_in), transposed in files or
 * not.
 */
void dlg_describe_linear(dlg_model *, size_t n_out, size_t n_in, const char *base, size_t n_parts, const char *const parts[],
                         bool is_transposed);

/* ---- to build ---- */

/** The network's input, with positions and (unless DLG_NO_PARAMETER) token types added. */
dlg_value *dlg_build_embeddings(dlg_builder *, size_t positions, size_t types);

/** LN(a + residual), residual NULL or not, and the sum itself or not. Scale and shift are base + .weight and .bias. */
dlg_layernorm *dlg_build_layernorm(dlg_builder *, dlg_value *a, dlg_value *residual, bool with_sum, const char *base);

/** The next linear layer. A weight that is the word embeddings is not named: its gradient is mixed with the look-up's. */
dlg_linear *dlg_build_linear(dlg_builder *, dlg_value *x);

dlg_activation *dlg_build_activation(dlg_builder *, dlg_value *x, dlg_activation_function *);

dlg_value *dlg_build_attention(dlg_builder *, dlg_value *qkv, bool causal);

/** The predicted rows of x, which is what the network makes of its input. */
dlg_value *dlg_build_predicted(dlg_builder *, dlg_value *x);

/** The next linear layer is the decoder of these rows; after it the loss. */
void dlg_build_head(dlg_builder *, dlg_value *x, size_t max_labels);

/** The index of the parameter base + end. */
size_t dlg_build_index(const dlg_builder *, const char *base, const char *end);

/** The configuration's gelu. */
dlg_activation_function *dlg_gelu_of(const dlg_config *);

#endif
