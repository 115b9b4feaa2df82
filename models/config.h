/** What a model is: the sizes and choices of Hugging Face's config.json, or of a preset. */
#ifndef DLG_MODELS_CONFIG_H
#define DLG_MODELS_CONFIG_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    DLG_MASKED_LM,               /**< BertForMaskedLM */
    DLG_SEQUENCE_CLASSIFICATION, /**< BertForSequenceClassification */
    DLG_CAUSAL_LM                /**< GPT2LMHeadModel; a language prior, of which no gradient is taken */
} dlg_task;

/** "mlm", "cls" or "clm", as truth files and metadata spell them. */
const char *dlg_task_name(dlg_task);

/** What a config.json is of: models/architecture.h. */
typedef struct dlg_architecture dlg_architecture;

typedef enum {
    DLG_GELU_ERF, /**< "gelu", "gelu_python" */
    /**
     * "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", and "gelu_fast", whose constant differs
     * from theirs in the eleventh digit
     */
    DLG_GELU_TANH,
    DLG_RELU /**< "relu" */
} dlg_activation_form;

/**
 * Sizes of a model. All fields are filled and checked: hidden_size is a multiple of n_heads, nothing is zero but what
 * is said to be, and the sizes are small enough that no product of those of one tensor, nor the sum over all tensors,
 * overflows.
 */
typedef struct {
    const dlg_architecture *architecture; /**< NULL: BERT */
    dlg_task task;
    size_t vocabulary_size;
    size_t hidden_size;
    size_t n_layers;
    size_t n_heads;
    size_t intermediate_size;
    size_t max_positions;
    size_t n_token_types; /**< 0: no such embedding */
    size_t n_labels;      /**< classes; 2 unless the file says otherwise; meaningless for a language model */
    dlg_activation_form activation;
    double layer_norm_eps;
    double initializer_range; /**< standard deviation of fresh weights */
    bool tied_decoder;        /**< a language model's decoder is the word embedding */
} dlg_config;

/**
 * Read a config.json. Absent keys take Hugging Face's defaults for the model_type, one of
 * dlg_architectures; without a model_type it is a BERT, without
 * "architectures" a language model. Dropout is not read: gradients are those of evaluation mode. Refused by name
 * (DLG_EFORMAT): another model_type or architecture, relative position embeddings, decoders that are none by themselves
 * and cross attention, attention that is scaled in another way, pruned heads, an activation not listed above, sizes out
 * of range, a problem_type other than single-label classification, quantisation.
 */
DLG_MUST_USE dlg_status dlg_config_read(dlg_config *out, const char *path, dlg_error *);

/** The same for n_bytes of text; `name` starts every message. */
DLG_MUST_USE dlg_status dlg_config_parse(dlg_config *out, const char *name, const void *bytes, size_t n_bytes,
                                         dlg_error *);

/** A model whose weights are drawn. */
typedef struct {
    const char *name;
    size_t hidden_size, n_layers;
} dlg_preset;

/** All there are, ending with one without a name. */
extern const dlg_preset dlg_presets[];

/**
 * A preset by name; heads of 64, intermediate size 4 x hidden, 512 positions, 2 token types, std 0.02. Errors: DLG_EARG
 * lists the names there are, or names a size out of range.
 */
DLG_MUST_USE dlg_status dlg_config_preset(dlg_config *out, const char *name, dlg_task task, size_t vocabulary_size,
                                          size_t n_labels, dlg_error *);

#endif
