/**
 * Tensors whose numbers do not lie in the file as they are wanted: deflated, or in another order. They are unpacked
 * when they are read, which is after their shapes were held against what is wanted: a file of a few bytes can claim to
 * be any size.
 */
#ifndef DLG_IO_PACKED_H
#define DLG_IO_PACKED_H

#include "io/safetensors.h"
#include "io/zip.h"

/** Where a tensor's numbers are. */
struct dlg_packed {
    dlg_zip_member member;               /**< stored: the numbers' own bytes, within which all strides stay */
    size_t n_before;                     /**< deflated: how many bytes come before them */
    bool is_strided;                     /**< they lie in another order */
    size_t strides[DLG_TENSOR_MAX_DIMS]; /**< from one to the next in each dimension, in numbers */
};

/**
 * All numbers of a packed tensor, row-major, as the file has them, to `out`. Errors: DLG_EFORMAT where they are
 * damaged; DLG_ENOMEM; DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_packed_read(unsigned char *out, const dlg_tensor *, const char *file, dlg_error *);

#endif
