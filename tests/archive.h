/** Zip archives, .npy files and torch.save's pickles, made in memory so that a test can spoil them. */
#ifndef DLG_TESTS_ARCHIVE_H
#define DLG_TESTS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHIVE_ROOM = 1 << 18, ARCHIVE_MEMBERS = 64 };

/** Bytes that grow. Zero-initialise. */
typedef struct {
    size_t n;
    unsigned char bytes[ARCHIVE_ROOM];
} archive_bytes;

/** Zero-initialise. */
typedef struct {
    archive_bytes file;
    size_t n_members;
    struct {
        char name[128];
        bool is_deflated;
        size_t begin, n_stored, n_bytes;
        uint32_t crc;
    } members[ARCHIVE_MEMBERS]; /**< what the directory will say */
    size_t directory;           /**< where it begins, once archive_end has written it */
} archive;

void archive_put(archive_bytes *, const void *bytes, size_t n);

/** n_bytes of a number, least first. */
void archive_put_number(archive_bytes *, uint64_t value, size_t n_bytes);

/** One member more. */
void archive_add(archive *, const char *name, const void *bytes, size_t n, bool is_deflated);

/** The directory, with all sizes in zip64 fields if wanted. */
void archive_end(archive *, bool is_zip64);

/** A .npy of version 1 with this dict for its header. */
void archive_npy(archive_bytes *, const char *dict, const void *numbers, size_t n);

/** A view of a storage, as torch.save pickles a tensor. */
typedef struct {
    const char *class_name, *key; /**< "FloatStorage", "0" */
    size_t n, offset;             /**< numbers of the storage, and where the view begins */
    size_t n_dims, shape[4], strides[4];
} archive_view;

/** A string; a tensor: appended to a pickle. */
void archive_pickle_text(archive_bytes *, const char *text);
void archive_pickle_view(archive_bytes *, const archive_view *);

#endif
