/**
 * The model that a gradient belongs to, with the vocabulary whose ids are its rows. Read-only once it is open: any
 * number of threads may attack with it at once.
 */
#ifndef DLG_MODEL_H
#define DLG_MODEL_H

#include "dlg/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dlg_model dlg_model;

/** Which model. Strings are borrowed while it is opened. Start from {0}: preset mini, for masked words. */
typedef struct {
    const char *directory; /**< of a Hugging Face model; NULL: a preset with the built-in vocabulary */
    const char *preset;    /**< by name (dlg/catalogue.h); NULL: mini */
    uint64_t seed;         /**< that a preset's random weights are drawn from; the same on every machine */
    const char *task;      /**< "mlm" or "cls"; NULL: what the directory says, and "mlm" for a preset */
    size_t n_labels;       /**< classes of a preset's classifier; 0: 2 */
    /** to look at gradients only: what derivatives need besides is then made when it is first needed */
    bool only_inspects;
    const char *weights; /**< the directory of the weights, where `directory` has others; NULL: that one's */
} dlg_model_choice;

/**
 * Open a model: config.json, model.safetensors or pytorch_model.bin (or their shards), and vocab.txt or tokenizer.json
 * of a directory, or a preset.
 * @param[out] out owned by the caller, dlg_model_free; NULL on failure @param choice NULL: as {0}
 * Errors name the file and the object: DLG_EIO; DLG_EFORMAT for a file that is not what it should be, or a model of
 * another kind or task; DLG_ESHAPE where vocabulary and weights differ; DLG_ENONFINITE; DLG_EARG for a preset or task
 * that there is not; DLG_ENOMEM; DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_model_open(dlg_model **out, const dlg_model_choice *choice, dlg_error *);

/**
 * The same, where the choice names neither directory nor preset, of the preset that the metadata of a gradient's file
 * name. A directory named there is for the caller to trust and to name. Errors: also DLG_EFORMAT for metadata that name
 * none, or are wrong.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_model_open_for(dlg_model **out, const char *gradient,
                                                      const dlg_model_choice *choice, dlg_error *);

/**
 * A masked LM or GPT-2 from a Hugging Face directory, to be asked how likely a text is (dlg_attack_choice). A GPT-2
 * whose directory has no vocabulary is taken to have `attacked`'s where the sizes agree.
 * Errors: as dlg_model_open; DLG_EFORMAT where its vocabulary is not that of `attacked`.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_model_open_prior(dlg_model **out, const char *directory,
                                                        const dlg_model *attacked, dlg_error *);

/** Everything that was opened against it must be freed before. Accepts NULL. */
DLG_PUBLIC void dlg_model_free(dlg_model *);

/** The directory as it was named, or the preset's name. Borrowed. */
DLG_PUBLIC const char *dlg_model_name(const dlg_model *);

/** "mlm" or "cls"; of a prior also "clm". Static. */
DLG_PUBLIC const char *dlg_model_task(const dlg_model *);

/** Numbers in all parameters together. */
DLG_PUBLIC size_t dlg_model_size(const dlg_model *);

/** The vocabulary's piece of an id, such as "##ing"; NULL beyond the vocabulary. Borrowed. */
DLG_PUBLIC const char *dlg_model_piece(const dlg_model *, uint32_t token);

#ifdef __cplusplus
}
#endif

#endif
