/** The header of one safetensors file: everything a file says about itself, checked before any of it is believed. */
#ifndef DLG_IO_HEADER_H
#define DLG_IO_HEADER_H

#include "io/safetensors.h"

#include <cjson/cJSON.h>

/** Longer headers are refused, as by the reference implementation. */
#define DLG_HEADER_MAX_BYTES 100000000

typedef struct {
    cJSON *json; /**< owns all names and metadata */
    size_t n_tensors;
    dlg_tensor *tensors; /**< sorted by name; their bytes lie in the file's */
} dlg_header;

/**
 * Parse a whole file's bytes, which must outlive the header. `name` starts every message.
 * Errors: DLG_EFORMAT names the tensor and what is wrong with it; DLG_ENOMEM. On failure *out is empty; free with
 * dlg_header_release.
 */
DLG_MUST_USE dlg_status dlg_header_parse(dlg_header *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                                         dlg_error *);

/** Accepts an empty header. */
void dlg_header_release(dlg_header *);

/** For qsort and bsearch over dlg_tensor: by name. */
int dlg_tensor_compare_names(const void *a, const void *b);

#endif
