/**
 * A small model as tensors that a test can spoil before it writes them: as model.safetensors or as gradients. For
 * tests.
 */
#ifndef DLG_TESTS_SMALL_MODEL_H
#define DLG_TESTS_SMALL_MODEL_H

#include "models/model.h"

enum { SMALL_TENSORS = 64 };

typedef struct {
    dlg_model *model; /**< drawn from a seed; its numbers are the tensors' */
    size_t n;
    dlg_tensor_source tensors[SMALL_TENSORS];
    char names[SMALL_TENSORS][128];   /**< tensors[i].name */
    dlg_real *numbers[SMALL_TENSORS]; /**< tensors[i].values, with room for one more row */
} small_model;

/** A model of one layer of 8, with tensors of its parameters' names and shapes and random numbers in all of them. */
void small_model_create(small_model *, dlg_task);
void small_model_release(small_model *);

/** The tensor of that name, which must be there. */
size_t small_model_find(const small_model *, const char *name);

void small_model_drop(small_model *, const char *name);
void small_model_rename(small_model *, const char *name, const char *new_name);

/** Replace `from` by `to` in every name that holds it. */
void small_model_rename_all(small_model *, const char *from, const char *to);

/** A vector of n numbers more. */
void small_model_add(small_model *, const char *name, size_t n);

/** A tensor more, with the shape and the numbers of another. @return its number */
size_t small_model_copy(small_model *, const char *name, const char *copy_name);

/** Write the tensors to a file in the scratch directory. @return its path */
const char *small_model_write(const small_model *, const char *file, dlg_dtype);

/** Write config.json of the task to the scratch directory, which then is a model's. */
void small_model_write_config(dlg_task);

/** Replace the first occurrence of some bytes in a file by as many others. */
void small_model_patch(const char *path, const void *from, const void *to, size_t n);

#endif
