/** Where model and vocabulary come from: what every program of the project asks for first. */
#ifndef DLG_CLI_SOURCE_H
#define DLG_CLI_SOURCE_H

#include "models/model.h"
#include "tokenizer/tokenizer.h"

/** What the user chose. Strings are borrowed. Start from DLG_SOURCE_DEFAULT. */
typedef struct {
    const char *directory; /**< of a Hugging Face model; NULL: a preset with the built-in vocabulary */
    const char *preset;
    uint64_t seed;    /**< of the preset's weights */
    const char *task; /**< "mlm" or "cls"; NULL: what the directory says, and "mlm" for a preset */
    size_t n_labels;  /**< classes of a preset's classifier */
    dlg_ways ways;    /**< in which products with the weights will be needed */
} dlg_source_choice;

#define DLG_SOURCE_DEFAULT ((dlg_source_choice){.preset = "mini", .n_labels = 2, .ways = DLG_BOTH_WAYS})

/** A model, and the tokenizer whose ids are its rows. */
typedef struct {
    dlg_model *model;
    dlg_tokenizer *tokenizer;
} dlg_source;

/**
 * Open both. On failure *out is empty. Errors: those of dlg_model_open, dlg_config_preset and
 * dlg_tokenizer_open_directory; DLG_ESHAPE when the vocabulary has not the size that the model was made for;
 * DLG_EFORMAT when the directory's model is for another task, or a GPT-2; DLG_EARG for a task that does not exist.
 */
DLG_MUST_USE dlg_status dlg_source_open(dlg_source *out, const dlg_source_choice *, dlg_error *);

/**
 * A masked LM or a GPT-2 from a Hugging Face directory, as a language prior for texts of another's vocabulary, which
 * must be its own. A GPT-2 whose directory holds none is taken to have it where the sizes agree. On failure *out is
 * empty. Errors: those of dlg_source_open; DLG_EFORMAT where the vocabularies differ.
 */
DLG_MUST_USE dlg_status dlg_source_open_prior(dlg_source *out, const char *directory, const dlg_tokenizer *,
                                              dlg_error *);

/** Accepts an empty source. */
void dlg_source_close(dlg_source *);

/* What dlg-grads writes into a gradient's metadata, and dlg-text reads from it. All are strings. */
#define DLG_METADATA_VERSION "dlg_gradient"  /* "1": the version of these keys */
#define DLG_METADATA_MODEL "model"           /* a preset's name, or the directory as the participant named it */
#define DLG_METADATA_MODEL_SEED "model_seed" /* presets only */
#define DLG_METADATA_N_LABELS "n_labels"     /* presets of classifiers only */
#define DLG_METADATA_TASK "task"             /* "mlm" or "cls" */
#define DLG_METADATA_BATCH_SIZE "batch_size"
#define DLG_METADATA_DEFENCE "defence" /* the chain in order, "int8,prune:0.9"; "none" */

/**
 * The preset that a gradient's metadata name. Strings are borrowed from the file. Errors (DLG_EFORMAT): there are no
 * such metadata, they name a directory (which is for the user to trust and to name), or a value is not what it must be.
 */
DLG_MUST_USE dlg_status dlg_source_choice_from_metadata(dlg_source_choice *out, const dlg_safetensors *, dlg_error *);

#endif
