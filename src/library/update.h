/** What a file's metadata say of the training that it comes from. */
#ifndef DLG_LIBRARY_UPDATE_H
#define DLG_LIBRARY_UPDATE_H

#include "gradient/training.h"
#include "io/safetensors.h"

/** Errors: DLG_EFORMAT, naming the file, for metadata that are no training. */
DLG_MUST_USE dlg_status dlg_training_read(dlg_training *out, const dlg_safetensors *, dlg_error *);

/** Entries of a training, and their texts. */
typedef struct {
    char optimizer[DLG_TRAINING_TEXT], lr[32], n_steps[24];
} dlg_training_texts;

enum { DLG_TRAINING_ENTRIES = 4 };

/** @param[out] entries (DLG_TRAINING_ENTRIES), which borrow the texts @return how many; 0 of a gradient */
size_t dlg_training_entries(const dlg_training *, dlg_training_texts *, dlg_metadata *entries);

#endif
