/**
 * What architectures are written in: the parameters they list, and the operators that read them in order. One file
 * each.
 */
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

/**
 * One size: its key in config.json, its place in dlg_config, Hugging Face's default, and the largest value accepted.
 */
typedef struct {
    const char *key;
    size_t offset;
    size_t fallback; /**< 0: four times the hidden size, also for null */
    size_t limit;
} dlg_config_size;

/** Where every list of sizes has these. */
enum { DLG_SIZE_HIDDEN = 1, DLG_SIZE_HEADS = 3 };

/**
 * How its config.json spells what makes a model of it. With the limits of its sizes a model has less than 2^47
 * parameters.
 */
typedef struct {
    const char *model_type; /**< "bert" */
    struct {
        const char *name; /**< "BertForMaskedLM"; the first is the default */
        dlg_task task;
    } classes[2];
    const char *wanted;           /**< the classes in words, for messages */
    const dlg_config_size *sizes; /**< ended by one without a key */
    const char *activation;       /**< its key, and the default */
    dlg_activation_form activation_fallback;
    const char *eps; /**< likewise of the norms; NULL: no file says it */
    double eps_fallback;
} dlg_dialect;

struct dlg_architecture {
    const char *kind; /**< "BERT" */
    const dlg_dialect *dialect;
    size_t (*most_operators)(const dlg_config *); /**< as dlg_tape_create counts: see there */
    /** parameters, linear layers and roles: no values */
    void (*describe)(dlg_model *);
    void (*build)(dlg_builder *, size_t max_labels);
    bool (*is_left_behind)(const dlg_config *, const char *name); /**< a tensor that files hold and nobody reads */
};

/** BERT (Devlin et al. 2019, arXiv:1810.04805) with either head, as Hugging Face builds it. */
extern const dlg_architecture dlg_bert;
/** DistilBERT (Sanh et al. 2019, arXiv:1910.01108) with either head, likewise. */
extern const dlg_architecture dlg_distilbert;
/**
 * GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners") with its language model's head,
 * likewise.
 */
extern const dlg_architecture dlg_gpt2;

/** All of them; NULL ends the list. The first is that of a configuration that names none. */
extern const dlg_architecture *const dlg_architectures[];

const dlg_architecture *dlg_architecture_of(const dlg_config *);

/* ---- to describe ---- */

/** What is allocated for each block, and for all that is beside them. */
enum {
    DLG_MOST_PARAMETERS_OF_BLOCK = 16,
    DLG_MOST_PARAMETERS_BESIDE = 12,
    DLG_MOST_LINEARS_OF_BLOCK = 4,
    DLG_MOST_LINEARS_BESIDE = 2
};

/** The next parameter; n_rows 0: a vector. The first is the word embeddings. */
const dlg_parameter *DLG_PRINTF(5, 6)
    dlg_describe(dlg_model *, dlg_draw, size_t n_rows, size_t n_cols, const char *format, ...);

/** The other name of a parameter that is described (see there), which must live as long as the program. */
void dlg_describe_also(dlg_model *, const dlg_parameter *, const char *name, bool is_same);

/** A norm's scale and shift, called what the format makes + .weight and .bias. */
dlg_norm_role DLG_PRINTF(2, 3) dlg_describe_norm(dlg_model *, const char *format, ...);

/** A linear layer of a weight (n_out, n_in), transposed in files or not, and a bias, called likewise. */
dlg_linear_role DLG_PRINTF(5, 6)
    dlg_describe_linear(dlg_model *, size_t n_out, size_t n_in, bool is_transposed, const char *format, ...);

/** What an encoder that normalises behind each part (post-LN) calls its own, with BERT's names for its embeddings. */
typedef struct {
    const char *embeddings; /**< "bert.embeddings" */
    bool has_types;
    const char *layers; /**< "bert.encoder.layer"; behind it the number of a block, and what follows */
    const char *projections[3], *output, *attention_norm, *wide, *narrow, *output_norm;
} dlg_encoder_names;

/** Embeddings and norm, and of each block query, key and value in one product, and the rest; and that it is post-LN. */
void dlg_describe_post_norm_encoder(dlg_model *, const dlg_encoder_names *);

/** The last linear layer: the decoder that roles have, whose weight is described already. */
void dlg_describe_decoder(dlg_model *);

/* ---- to build ---- */

/** The network's input, with positions and token types added. */
dlg_value *dlg_build_embeddings(dlg_builder *);

/** LN(a + residual), residual NULL or not, and the sum itself or not. */
dlg_layernorm *dlg_build_layernorm(dlg_builder *, dlg_value *a, dlg_value *residual, bool with_sum, dlg_norm_role);

/**
 * The next linear layer. A weight that is the word embeddings is not named: its gradient is mixed with the
 * look-up's.
 */
dlg_linear *dlg_build_linear(dlg_builder *, dlg_value *x);

dlg_activation *dlg_build_activation(dlg_builder *, dlg_value *x, dlg_activation_function *);

/** x with the batch's share of its numbers dropped; x itself where that is none. */
dlg_value *dlg_build_dropout(dlg_builder *, dlg_value *x);

dlg_value *dlg_build_attention(dlg_builder *, dlg_value *qkv, bool causal);

/** The predicted rows of x, which is what the network makes of its input. */
dlg_value *dlg_build_predicted(dlg_builder *, dlg_value *x);

/** The next linear layer is the decoder of these rows; after it the loss. */
void dlg_build_head(dlg_builder *, dlg_value *x, size_t max_labels);

/**
 * All of an encoder that normalises behind each part (post-LN) and its head, as its roles say: embeddings and norm; of
 * each block attention and feed-forward part, each added to what went in and normalised; the head's first layer,
 * activation and perhaps norm; decoder and loss.
 */
void dlg_build_post_norm_encoder(dlg_builder *, size_t max_labels);

/** For dlg_architecture.most_operators of such an encoder. */
size_t dlg_post_norm_operators(const dlg_config *);

/** The configuration's activation. */
dlg_activation_function *dlg_activation_of(const dlg_config *);

#endif
