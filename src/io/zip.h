/**
 * Zip archives, as numpy and PyTorch write them: members stored or deflated, with or without zip64. The directory at
 * the end is what counts; all that it says is checked against the file before it is believed. Ours, because libzip
 * copies what it reads and does not say where in the file a stored member lies, which is what lets weights stay mapped.
 */
#ifndef DLG_IO_ZIP_H
#define DLG_IO_ZIP_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One file of the archive. */
typedef struct {
    const char *name;
    const unsigned char *bytes; /**< as they lie in the archive */
    size_t n_stored, n_bytes;   /**< how many lie there, and how many they become; the same unless deflated */
    bool is_deflated;
    uint32_t crc;
} dlg_zip_member;

typedef struct {
    size_t n_members;
    dlg_zip_member *members; /**< sorted by name; folders are left out */
    char *names;             /**< what their names lie in */
} dlg_zip;

/**
 * List the archive in these bytes, which must outlive it. `name` starts every message. Errors (DLG_EFORMAT): no
 * directory, one that does not fit the file; members that overlap, are encrypted, compressed otherwise, have one name,
 * or could not have been deflated from what they claim to be. DLG_ENOMEM. On failure *out is empty.
 */
DLG_MUST_USE dlg_status dlg_zip_open(dlg_zip *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                                     dlg_error *);

/** Accepts an empty one. */
void dlg_zip_release(dlg_zip *);

/** NULL when there is none of that name. */
const dlg_zip_member *dlg_zip_find(const dlg_zip *, const char *name);

/**
 * The first n bytes of a deflated member, of which the first n_head go to `head` and the others to `out`. Where that is
 * all of it the checksum is checked. Errors: DLG_EFORMAT where it holds others than it says; DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_zip_inflate(unsigned char *head, size_t n_head, unsigned char *out, size_t n_out,
                                        const dlg_zip_member *, const char *name, dlg_error *);

/** The checksum of a stored member's bytes: DLG_EFORMAT where they are not what was written. */
DLG_MUST_USE dlg_status dlg_zip_check(const dlg_zip_member *, const char *name, dlg_error *);

#endif
