/**
 * A model: its configuration, its parameters, the weights made ready for products, and its vocabulary. Shared by any
 * number of networks built on it.
 */
#ifndef DLG_MODELS_MODEL_H
#define DLG_MODELS_MODEL_H

#include "dlg/model.h"
#include "math/packed_weight.h"
#include "models/roles.h"
#include "tokenizer/tokenizer.h"

/** No index of a parameter. */
#define DLG_NO_PARAMETER ((size_t)-1)

/**
 * A linear layer's weight ready for products, perhaps of several parameters stacked (query, key and value), and its
 * bias.
 */
typedef struct {
    size_t n_parts;
    /** indices of the parameters that are stacked; 0, the word embeddings: the tied decoder */
    size_t weight[DLG_STACK_MOST];
    size_t bias[DLG_STACK_MOST]; /**< likewise; DLG_NO_PARAMETER, of one part alone: zero */
    size_t n_out, n_in;
    dlg_packed_weight *packed;  /**< (n_out, n_in) */
    const dlg_real *bias_value; /**< (n_out) */
    dlg_real *bias_owned;       /**< the same where it was stacked, or is no parameter */
} dlg_prepared_linear;

struct dlg_model {
    char *name; /**< the directory, or the preset's name: what a result names as the model */
    dlg_config config;
    size_t n_parameters;
    /** in transformers' order of named_parameters(); the first is the word embeddings */
    dlg_parameter *parameters;
    size_t n_linears;
    dlg_prepared_linear *linears; /**< in the order in which the architecture lists them */
    dlg_roles roles;
    dlg_real *no_type;        /**< (hidden_size) zeros, where there are no token types */
    uint64_t seed;            /**< a preset's weights were drawn from it */
    dlg_safetensors *file;    /**< what parameters borrow from; NULL: a preset */
    dlg_tokenizer *tokenizer; /**< whose ids are rows of the word embeddings; NULL where nobody needs one */
};

/**
 * What a model of that configuration is: its parameters, without values, and their roles. Free with dlg_model_free.
 * Errors: DLG_ENOMEM; *out is to be freed all the same.
 */
DLG_MUST_USE dlg_status dlg_model_describe(dlg_model **out, const char *name, const dlg_config *, dlg_error *);

/**
 * Load a Hugging Face directory, but for its vocabulary: config.json and model.safetensors or pytorch_model.bin, or
 * their shards. Its weights are packed for products in these ways at once, while they are read; for the other when it
 * is first needed.
 * Errors name the file and the tensor: one is missing, unknown, has another shape, or holds NaN or infinity. Tensors
 * that training leaves behind (pooler and next-sentence head beside a masked-LM, GPT-2's mask) are known and not read.
 */
DLG_MUST_USE dlg_status dlg_model_load(dlg_model **out, const char *directory, dlg_ways, dlg_error *);

/** The same with the weights of another directory. */
DLG_MUST_USE dlg_status dlg_model_load_weights(dlg_model **out, const char *directory, const char *weights, dlg_ways,
                                               dlg_error *);

/**
 * Draw a preset's weights (or any configuration's) from a seed; the same on every machine. `name` as in
 * dlg_config_preset.
 */
DLG_MUST_USE dlg_status dlg_model_preset(dlg_model **out, const char *name, const dlg_config *, uint64_t seed,
                                         dlg_error *);

/**
 * A model of the same configuration with other weights, of which it keeps copies; it has no vocabulary.
 * @param values [i] has the shape of like->parameters[i] Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_model_with(dlg_model **out, const dlg_model *like, const dlg_real *const *values,
                                       dlg_error *);

/**
 * Pack all weights for products in both directions, unless they are: dlg_network_create asks for it. Any number of
 * threads may ask at once. Errors: DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_model_pack_both_ways(const dlg_model *, dlg_error *);

/** The parameter of that name, which must exist. */
const dlg_parameter *dlg_model_parameter(const dlg_model *, const char *name);

/** The token that pads, whose row of the word embedding gets no gradient where it is fed; UINT32_MAX: not known. */
uint32_t dlg_model_padding(const dlg_model *);

/** What each token type adds to an embedding: (n, hidden_size); one of zeros where the model has none. */
const dlg_real *dlg_model_types(const dlg_model *, size_t *n);

/** The word embeddings, (vocabulary_size, hidden_size). */
const dlg_real *dlg_model_word_embeddings(const dlg_model *);

#endif
