/** A gradient held against its model: from a file, from arrays in memory, or made of a step. */
#ifndef DLG_GRADIENT_H
#define DLG_GRADIENT_H

#include "dlg/model.h"
#include "dlg/status.h"
#include "dlg/truth.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Read-only once it is made. The model must outlive it. */
typedef struct dlg_gradient dlg_gradient;

/** How a number is stored. Integers are known, not read: some checkpoints carry buffers of indices. */
typedef enum { DLG_F64, DLG_F32, DLG_F16, DLG_BF16, DLG_I64, DLG_I32, DLG_I16, DLG_I8, DLG_U8, DLG_BOOL } dlg_dtype;

#define DLG_ARRAY_MAX_DIMS 4

/** The gradient of one parameter, row-major, under the name that transformers gives the parameter. */
typedef struct {
    const char *name;
    dlg_dtype dtype;
    size_t n_dims, shape[DLG_ARRAY_MAX_DIMS];
    const void *values; /**< as many as the product of the shape, little-endian */
} dlg_array;

/**
 * Take the gradients of a file, as dlg-grads or `save_file({n: p.grad ...})`, torch.save or np.savez wrote it. A list
 * without names is taken in the order of the model's parameters.
 * @param[out] out owned by the caller, dlg_gradient_free; NULL on failure @param path mapped while it is open, so it
 *   must not be cut short (dlg_file_mapped_at)
 * Errors name file and tensor: DLG_EFORMAT for one that is not a parameter of the model, for the model's own weights,
 * for a file of another format (by its name), and where all are zero or none is there (some may be missing: their
 * parameters were frozen); DLG_ESHAPE; DLG_ENONFINITE for NaN, infinity and numbers beyond 1e14; DLG_EIO; DLG_ENOMEM;
 * DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_read(dlg_gradient **out, const dlg_model *, const char *path,
                                                     dlg_error *);

/**
 * The same of arrays in memory. What the arrays point to is borrowed as long as the gradient is there; names and shapes
 * during the call only. Errors: as dlg_gradient_read, whose messages call the file "gradient"; DLG_EARG for too many
 * dimensions or a name that comes twice.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_of_arrays(dlg_gradient **out, const dlg_model *, size_t n_arrays,
                                                          const dlg_array arrays[], dlg_error *);

/**
 * The participant's: the gradient of the step's mean loss, which is noted in the step, defended in this order.
 * @param defences (n_defences) such as "gaussian:0.01" (dlg/catalogue.h)
 * @param seed of the defences' noise
 * Errors: DLG_ESHAPE for a step that the model cannot have made; DLG_EARG for a defence that there is not;
 * DLG_ENONFINITE where loss or gradient is not finite; DLG_ENOMEM; DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_compute(dlg_gradient **out, const dlg_model *, dlg_truth *step,
                                                        size_t n_defences, const char *const defences[], uint64_t seed,
                                                        dlg_error *);

/** Whether there is a defence of that name and strength: DLG_EARG, with what there is, if not. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_defence_check(const char *defence, dlg_error *);

/**
 * Write a gradient that was computed, with what dlg-grads says in a file's metadata: model, task, batch size and
 * defence. Both files appear whole, or neither; what is no regular file, as a pipe, is written to instead.
 * @param step the one it was computed of @param truth_path where that goes; NULL: nowhere
 * Errors: DLG_EIO; DLG_EFORMAT; DLG_ENOMEM; DLG_ECANCELLED while a pipe waits for a reader.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_write(const dlg_gradient *, const char *path, dlg_dtype,
                                                      const dlg_truth *step, const char *truth_path, dlg_error *);

/** How many of the model's parameters it lacks: they were frozen, and what is read off them is not seen. */
DLG_PUBLIC size_t dlg_gradient_n_frozen(const dlg_gradient *);

/** Accepts NULL. */
DLG_PUBLIC void dlg_gradient_free(dlg_gradient *);

/** The file's path; "gradient" where it is none. Borrowed. */
DLG_PUBLIC const char *dlg_gradient_name(const dlg_gradient *);

/**
 * The gradient of one parameter as doubles. @param[out] values (n) row-major, or NULL to ask for n alone
 * @return n, how many there are; 0: no parameter of that name, or no gradient of it
 */
DLG_PUBLIC size_t dlg_gradient_values(const dlg_gradient *, const char *parameter, double *values);

#ifdef __cplusplus
}
#endif

#endif
