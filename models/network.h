/** A model laid out for a batch: what the sweeps run over. */
#ifndef DLG_MODELS_NETWORK_H
#define DLG_MODELS_NETWORK_H

#include "models/model.h"
#include "ops/activation.h"
#include "ops/cross_entropy.h"
#include "ops/layernorm.h"
#include "ops/tape.h"

/**
 * The shape of a batch: sentences one after the other, without padding. Zero-initialise; freed by dlg_batch_release.
 * Row i of the batch is the token at position[i] of its sentence.
 */
typedef struct {
    size_t n_sentences, n_rows;
    size_t *first;      /**< (n_sentences + 1) first row of each sentence; the last entry is n_rows */
    size_t *position;   /**< (n_rows) */
    size_t *type;       /**< (n_rows) token type, below the model's where it has any */
    size_t n_predicted; /**< rows the head is applied to */
    size_t *predicted;  /**< (n_predicted) distinct rows; a classifier's are the sentences' first */
    /** of numbers behind the embeddings, attention's and feed-forward part of an encoder, and a classifier's pooler:
     * what share is dropped; 0: dropout is off. Attention's own weights are not dropped */
    double dropout;
    uint64_t dropout_seed;
} dlg_batch;

/**
 * A batch of sentences of these lengths with no row predicted yet (but for a classifier, where it is each first
 * one), and all tokens of the first type.
 */
DLG_MUST_USE dlg_status dlg_batch_create(dlg_batch *out, dlg_task, size_t n_sentences, const size_t *lengths,
                                         dlg_error *);

/** Replace the predicted rows. */
DLG_MUST_USE dlg_status dlg_batch_predict(dlg_batch *, size_t n_predicted, const size_t *rows, dlg_error *);

/** Give the rows these token types (n_rows); NULL: all the first. */
void dlg_batch_set_types(dlg_batch *, const size_t *types);

void dlg_batch_release(dlg_batch *);

/** A model laid out for one batch: sweeps over its tape, the input and the loss. */
typedef struct {
    dlg_ways ways; /**< DLG_FORWARD_ONLY: nothing but dlg_tape_forward may be called */
    dlg_tape tape;
    size_t n_products;
    dlg_products **products; /**< of its linear layers */
    dlg_value *words;        /**< (n_rows, H) the input: word embeddings of every row */
    dlg_cross_entropy *loss; /**< its label, share and count are the caller's to set; n_labels at first 0 */
    dlg_value *encoded;      /**< (n_rows, H) what the layers make of them */
    dlg_value *head;         /**< (predicted rows, H) what the head's first layer makes; NULL for GPT-2 */
    size_t n_head_ops;       /**< operators up to that layer, and parameters named up to it */
    size_t n_head_parameters;
    dlg_activation *activation; /**< of the head's first layer, on the predicted rows; NULL for GPT-2 */
    dlg_layernorm *norm;        /**< behind it; NULL for a classifier and GPT-2 */
    dlg_linear *decoder;        /**< the last linear layer: masked-LM decoder or classifier */
    dlg_batch batch;            /**< a copy; its arrays are the network's own */
} dlg_network;

/**
 * Lay the model out. The model must outlive the network; of the batch a copy is kept.
 * @param max_labels how many labels the loss will be given at most
 * Errors: DLG_ENOMEM; DLG_ESHAPE when a sentence is longer than the model's positions.
 */
DLG_MUST_USE dlg_status dlg_network_create(dlg_network *, const dlg_model *, const dlg_batch *, dlg_ways,
                                           size_t max_labels, dlg_error *);

/**
 * Bytes that a network of that batch will hold for all its sweeps, and the weights packed for them, without taking
 * them. Errors: as dlg_network_create.
 */
DLG_MUST_USE dlg_status dlg_network_count_bytes(size_t *out, const dlg_model *, const dlg_batch *, size_t max_labels,
                                                dlg_error *);

/** Accepts a zeroed network. */
void dlg_network_release(dlg_network *);

#endif
