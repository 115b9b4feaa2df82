/** Forward passes over texts, one after another: as long as the layout is the same the network is kept. */
#ifndef DLG_MODELS_FORWARD_H
#define DLG_MODELS_FORWARD_H

#include "models/network.h"

#include <stdint.h>

/** Zero-initialise all but the model; release with dlg_forward_release. */
typedef struct {
    const dlg_model *model; /**< must outlive it */
    dlg_batch batch;        /**< the layout; of no sentence: nothing is laid out */
    dlg_network network;
    uint32_t *fed; /**< (batch.n_rows) the text that went through last; NULL: none did */
} dlg_forward;

/** Texts to go through, and which of their rows go through the head. */
typedef struct {
    size_t n_sentences;
    const size_t *lengths; /**< (n_sentences) */
    const uint32_t *fed;   /**< their tokens, one sentence after the other */
    size_t n_predicted;
    const size_t
        *predicted; /**< (n_predicted) rows of the batch; a classifier's are its sentences' first whatever is here */
    const size_t *types; /**< token types, as fed is; NULL: all the first */
} dlg_forward_text;

/**
 * What the model makes of a text: the network, whose values are there until the next one goes through. The same text
 * with the same rows is not computed again. Errors: DLG_ENOMEM, DLG_ESHAPE for a sentence that is too long,
 * DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_forward_run(const dlg_network **out, dlg_forward *, const dlg_forward_text *, dlg_error *);

/** Forget network and text. Accepts one that never ran. */
void dlg_forward_release(dlg_forward *);

#endif
