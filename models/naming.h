/**
 * Which tensor of a file is which parameter of a model. Names differ: by the version of transformers that wrote them,
 * with the part of the model that was saved, by what it was wrapped in for training, and where one parameter is used in
 * two places.
 */
#ifndef DLG_MODELS_NAMING_H
#define DLG_MODELS_NAMING_H

#include "models/parameter.h"

/** How the names of a file are to be read. */
typedef struct {
    const dlg_safetensors *file;
    size_t n_wrapper; /**< bytes at the beginning of every name that wrappers put there */
} dlg_naming;

/**
 * Wrappers are those of DistributedDataParallel, torch.compile, Opacus and PEFT, in any order, and whatever stands
 * before the model's prefix ("bert."), such as Lightning's "model."; they count where all names of the file have them.
 */
dlg_naming dlg_naming_of(const dlg_safetensors *file);

/** The i-th tensor's name without the wrappers. Borrowed. */
const char *dlg_naming_at(const dlg_naming *, size_t i);

/**
 * Whether that is one of the names that files have had for a parameter: either of its own, each with or without the
 * model's prefix ("bert."), and LayerNorm.gamma and .beta for weight and bias.
 */
bool dlg_naming_fits(const dlg_parameter *, const char *name);

/** Whether it names a buffer of embeddings: numbers of positions or types, which no training changes. */
bool dlg_naming_is_buffer(const char *name);

/**
 * The tensor of a parameter; NULL when there is none. Where none has one of its names, the metadata may say which one
 * it was the same as when the file was written, as safetensors does of tensors in one memory.
 * Errors: DLG_EFORMAT, where two names of it have different numbers.
 */
DLG_MUST_USE dlg_status dlg_naming_find(const dlg_tensor **out, const dlg_naming *, const dlg_parameter *, dlg_error *);

#endif
