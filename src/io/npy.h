/** The header of a .npy, numpy's file of one array: "\x93NUMPY", version, length, a Python dict of three entries. */
#ifndef DLG_IO_NPY_H
#define DLG_IO_NPY_H

#include "io/packed.h"

/** How much of a file its header may take; numpy pads to 64 and needs no more than 128. */
enum { DLG_NPY_HEADER_MAX = 4096 };

/**
 * Dtype and shape of an array, and how its numbers lie, from the first bytes of its file: as many as there are, or
 * DLG_NPY_HEADER_MAX. tensor->name is set by the caller, for messages.
 * @param n_file bytes of the whole file, which the numbers must fill
 * @param[out] n_header where they begin
 * Errors: DLG_EFORMAT names what is wrong, or what numpy can save and this is not: objects, records, strings, complex
 * numbers, big-endian ones.
 */
DLG_MUST_USE dlg_status dlg_npy_header(dlg_tensor *, dlg_packed *, size_t *n_header, const char *name,
                                       const unsigned char *bytes, size_t n_bytes, size_t n_file, dlg_error *);

#endif
