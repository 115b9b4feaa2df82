/** The parameters of a model by name: what an architecture lists, a file holds and a seed draws. */
#ifndef DLG_MODELS_PARAMETER_H
#define DLG_MODELS_PARAMETER_H

#include "io/safetensors.h"
#include "models/config.h"

#include <stddef.h>

/** How a fresh parameter is drawn, as transformers does. */
typedef enum {
    DLG_DRAW_NORMAL,    /**< N(0, initializer_range^2) */
    DLG_DRAW_EMBEDDING, /**< the same with row 0, [PAD]'s, zero */
    DLG_DRAW_ZERO,
    DLG_DRAW_ONE
} dlg_draw;

enum { DLG_PARAMETER_NAME = 96 };

/** One parameter. A vector has n_dims 1 and n_rows 1. */
typedef struct {
    char name[DLG_PARAMETER_NAME]; /**< Hugging Face's name, with its "bert." or "transformer." prefix */
    const char *also;              /**< another name, or NULL */
    bool also_is_same; /**< both are one parameter, used in two places; else the other name stands in for the first */
    size_t n_dims, n_rows, n_cols;
    bool is_transposed; /**< in files: (n_cols, n_rows) */
    dlg_draw draw;
    const dlg_real *value; /**< (n_rows, n_cols); NULL until loaded or drawn */
    dlg_real *owned;       /**< the same where it is not borrowed from a file */
} dlg_parameter;

/** n_rows * n_cols. */
size_t dlg_parameter_items(const dlg_parameter *);

/**
 * The numbers of a tensor that has the parameter's shape, as (n_rows, n_cols): borrowed from the file where they can be
 * used as they lie, else in *owned, to be freed with dlg_free. Errors: DLG_ENOMEM; DLG_ENONFINITE, naming file and
 * tensor.
 */
DLG_MUST_USE dlg_status dlg_parameter_read(const dlg_real **value, dlg_real **owned, const dlg_parameter *,
                                           const dlg_tensor *, const char *file, dlg_error *);

/** DLG_ESHAPE, naming file, tensor, want and got, unless the tensor has the parameter's shape. */
DLG_MUST_USE dlg_status dlg_parameter_check_shape(const dlg_parameter *, const dlg_tensor *, const char *file,
                                                  dlg_error *);

#endif
