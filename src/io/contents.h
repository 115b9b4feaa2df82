/** What a reader of one format hands over of one file: everything it says of itself, checked before it is believed. */
#ifndef DLG_IO_CONTENTS_H
#define DLG_IO_CONTENTS_H

#include "io/packed.h"

#include <cjson/cJSON.h>

/** Longer headers of safetensors are refused, as by the reference implementation. */
enum { DLG_SAFETENSORS_HEADER_MAX = 100000000 };

typedef struct {
    cJSON *json;        /**< safetensors: owns all names and metadata; else NULL */
    char *names;        /**< other formats: what all names lie in */
    dlg_packed *packed; /**< what tensors' packed points to; NULL: nothing is packed */
    bool is_nameless;   /**< a list: tensors are in its order, and their names only say their places */
    size_t n_tensors;
    dlg_tensor *tensors; /**< sorted by name unless nameless; their bytes lie in the file's */
} dlg_contents;

/**
 * Read a whole file's bytes, which must outlive the contents. `name` starts every message.
 * Errors: DLG_EFORMAT names the tensor and what is wrong with it; DLG_ENOMEM; DLG_ECANCELLED. On failure *out is empty;
 * free with dlg_contents_release.
 */
typedef dlg_status dlg_reader(dlg_contents *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                              dlg_error *);

/** The same of a zip archive that is open. */
typedef dlg_status dlg_zip_reader(dlg_contents *out, const char *name, const dlg_zip *, dlg_error *);

/** One reader a format, each in a file of its own. */
DLG_MUST_USE dlg_reader dlg_read_safetensors, dlg_read_npy;
DLG_MUST_USE dlg_zip_reader dlg_read_npz, dlg_read_pt;

/**
 * The same by the reader of the format that the bytes are of (formats.c). What no reader takes is refused by its name.
 * @param remedy the line of Python that writes a file that can be read, for that message
 */
DLG_MUST_USE dlg_status dlg_read_any(dlg_contents *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                                     const char *remedy, dlg_error *);

/** Room for n tensors, as many packed ones, and n_names bytes of names: for readers. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_contents_create(dlg_contents *out, const char *name, size_t n, size_t n_names, dlg_error *);

/** Sort by name; a name that comes twice is DLG_EFORMAT. */
DLG_MUST_USE dlg_status dlg_contents_sort(dlg_contents *, const char *name, dlg_error *);

/** Accepts empty contents. */
void dlg_contents_release(dlg_contents *);

/** For qsort and bsearch over dlg_tensor: by name. */
int dlg_tensor_compare_names(const void *a, const void *b);

#endif
