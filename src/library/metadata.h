/** What a gradient's file says of itself: written by the participant, read by the attacker. All are strings. */
#ifndef DLG_LIBRARY_METADATA_H
#define DLG_LIBRARY_METADATA_H

#include "dlg/status.h"
#include "io/safetensors.h"

#include <stdint.h>

#define DLG_METADATA_VERSION "dlg_gradient"  /* "1": the version of these keys */
#define DLG_METADATA_MODEL "model"           /* a preset's name, or the directory as the participant named it */
#define DLG_METADATA_MODEL_SEED "model_seed" /* presets only */
#define DLG_METADATA_N_LABELS "n_labels"     /* presets of classifiers only */
#define DLG_METADATA_TASK "task"             /* "mlm" or "cls" */
#define DLG_METADATA_BATCH_SIZE "batch_size"
/* of what is no gradient: "difference" or "weights"; "adamw:eps=1e-8"; the learning rate; steps of training */
#define DLG_METADATA_UPDATE "update"
#define DLG_METADATA_OPTIMIZER "optimizer"
#define DLG_METADATA_LR "lr"
#define DLG_METADATA_STEPS "local_steps"
#define DLG_METADATA_DEFENCE "defence" /* the chain in order, "int8,prune:0.9"; "none" */

/**
 * The whole number of a key. *out is left alone where there is none.
 * Errors: DLG_EFORMAT, naming `want`, for a value that is none in [lowest, highest].
 */
DLG_MUST_USE dlg_status dlg_metadata_whole(uint64_t *out, const dlg_safetensors *, const char *key, uint64_t lowest,
                                           uint64_t highest, const char *want, dlg_error *);

#endif
