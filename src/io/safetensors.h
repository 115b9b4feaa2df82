/**
 * Files of tensors. safetensors is what is written: an 8-byte little-endian header length, a JSON header {name: {dtype,
 * shape, data_offsets}}, and the tensors' bytes. Read are numpy's .npy and .npz and torch.save's zip archives too
 * (formats.c has the list), and who uses the tensors does not see which it was. Reading maps the file and copies
 * nothing that can be used as it lies; every length and offset is checked before anything is handed out.
 */
#ifndef DLG_IO_SAFETENSORS_H
#define DLG_IO_SAFETENSORS_H

#include "dlg/gradient.h"
#include "math/real.h"

#include <stdbool.h>
#include <stddef.h>

/** "F64", "F32", "F16", "BF16", "I64" ... "BOOL", as the format spells them. */
const char *dlg_dtype_name(dlg_dtype);

/** Bytes of one number. */
size_t dlg_dtype_bytes(dlg_dtype);

/** Whether its numbers are read: integers are not, which only buffers hold. */
bool dlg_dtype_is_real(dlg_dtype);

#define DLG_TENSOR_MAX_DIMS DLG_ARRAY_MAX_DIMS

/** How the numbers of a tensor lie in a file that has them deflated or in another order. */
typedef struct dlg_packed dlg_packed;

/** One tensor of an open file; everything is borrowed from it. */
typedef struct {
    const char *name;
    /** DLG_I64 stands for integers of every size where the file is no safetensors */
    dlg_dtype dtype;
    size_t n_dims, shape[DLG_TENSOR_MAX_DIMS]; /**< n_dims may be 0: one number */
    size_t n_items;                            /**< product of the shape */
    /** n_items numbers, little-endian; aligned to their size only if the file aligns them; NULL: packed or integers */
    const void *bytes;
    const dlg_packed *packed; /**< where bytes is NULL: what dlg_tensor_read unpacks; else NULL */
    bool is_none;             /**< in a list: a place that holds nothing, Python's None */
} dlg_tensor;

/** An open file, or all files of a sharded model. */
typedef struct dlg_safetensors dlg_safetensors;

/**
 * Open one file of any format that there is a reader of; another is refused (DLG_EFORMAT) by its name. safetensors are
 * refused as by the reference implementation: lengths and offsets that do not fit, tensors that overlap or leave a hole
 * or a rest, duplicate names, metadata that are not strings; and a dtype or rank not listed above.
 */
DLG_MUST_USE dlg_status dlg_safetensors_open(dlg_safetensors **out, const char *path, dlg_error *);

/**
 * Open `model.safetensors` of a directory, or else the shards that `model.safetensors.index.json` names (plain file
 * names in the same directory, each holding the tensors that the index says it holds), or else `pytorch_model.bin` or
 * its shards. Errors: as for one file, naming the shard.
 */
DLG_MUST_USE dlg_status dlg_safetensors_open_directory(dlg_safetensors **out, const char *directory, dlg_error *);

/**
 * The same of arrays in memory, whose values are borrowed as long as it is open. `name` stands for the path.
 * Errors: DLG_EARG for too many dimensions, no values, or a name that comes twice; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_safetensors_of_arrays(dlg_safetensors **out, const char *name, size_t n_arrays,
                                                  const dlg_array arrays[], dlg_error *);

/** Accepts NULL. */
void dlg_safetensors_close(dlg_safetensors *);

/**
 * Give the memory behind the tensors back (dlg_file_rest), for who has copied or packed what they hold. Accepts
 * NULL.
 */
void dlg_safetensors_rest(const dlg_safetensors *);

/**
 * The same of these bytes, as far as they are the files' own; for one of several threads, each of which is done with
 * something else.
 */
void dlg_safetensors_rest_range(const dlg_safetensors *, const void *bytes, size_t n_bytes);

/** The path it was opened with, for messages. */
const char *dlg_safetensors_path(const dlg_safetensors *);

size_t dlg_safetensors_count(const dlg_safetensors *);

/** The i-th tensor, sorted by name; of a nameless file in the order of its list. */
const dlg_tensor *dlg_safetensors_at(const dlg_safetensors *, size_t i);

/**
 * Whether the file is a list (an .npz of arr_0, arr_1 ..., a list in a .pt): its tensors' names say their places alone,
 * and none is found by a name.
 */
bool dlg_safetensors_is_nameless(const dlg_safetensors *);

/**
 * Give the tensors of a nameless file names, which are copied: names[i] to the i-th, and those with NULL are left out.
 * No two may be the same. It then is as any other. Errors: DLG_ENOMEM; nothing has changed then.
 */
DLG_MUST_USE dlg_status dlg_safetensors_name(dlg_safetensors *, const char *const names[], dlg_error *);

/** NULL when there is none of that name. */
const dlg_tensor *dlg_safetensors_find(const dlg_safetensors *, const char *name);

/** The value of a __metadata__ entry, or NULL. */
const char *dlg_safetensors_metadata(const dlg_safetensors *, const char *key);

/**
 * Convert a tensor's numbers to dlg_real. `file` names the file in messages.
 * Errors: DLG_EFORMAT for integers, and where packed numbers are damaged; DLG_ENOMEM; DLG_ENONFINITE names tensor and
 * index of a NaN, an infinity, or a double beyond the range of a dlg_real that is float.
 */
DLG_MUST_USE dlg_status dlg_tensor_read(dlg_real *out, const dlg_tensor *, const char *file, dlg_error *);

/**
 * The check alone, for a tensor whose numbers are to be borrowed: finite, and within the range of dlg_real. Errors as
 * dlg_tensor_read.
 */
DLG_MUST_USE dlg_status dlg_tensor_check_finite(const dlg_tensor *, const char *file, dlg_error *);

/**
 * The tensor's own numbers where they already are dlg_real and aligned, else NULL (then dlg_tensor_read). Not checked
 * for NaN.
 */
const dlg_real *dlg_tensor_borrow(const dlg_tensor *);

/** Whether two tensors have one shape and the same numbers; of those in another order than row-major false. */
bool dlg_tensor_is_copy(const dlg_tensor *, const dlg_tensor *);

/** What is to be written: a name, a shape, and the numbers. */
typedef struct {
    const char *name;
    size_t n_dims, shape[DLG_TENSOR_MAX_DIMS];
    const dlg_real *values;
} dlg_tensor_source;

/** A metadata entry. */
typedef struct {
    const char *key, *value;
} dlg_metadata;

/**
 * Write a file with tensors in the order given, all of one dtype (rounded to nearest even from dlg_real; a finite
 * number beyond the dtype's range becomes the largest one). The file appears whole or not at all, and can be read by
 * dlg_safetensors_open. Errors: DLG_ENONFINITE names tensor and index; DLG_EFORMAT for a name that occurs twice or is
 * not UTF-8; DLG_EIO; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_safetensors_write(const char *path, size_t n_tensors, const dlg_tensor_source *, dlg_dtype,
                                              size_t n_metadata, const dlg_metadata *, dlg_error *);

#endif
