/** What dlg_safetensors is: the tensors of one or several files. */
#ifndef DLG_IO_SET_H
#define DLG_IO_SET_H

#include "base/file.h"
#include "io/contents.h"

/** One file, kept mapped for the tensors' bytes and parsed for their names. */
typedef struct {
    char *path;
    dlg_file file;
    dlg_contents contents;
} dlg_set_file;

struct dlg_safetensors {
    char *path;         /* what was opened: the file or the directory */
    const char *remedy; /* the line of Python that writes what can be opened, for messages */
    size_t n_files, n_tensors;
    dlg_set_file *files;
    bool is_nameless;    /* one file, which is a list: tensors are in its order */
    dlg_tensor *tensors; /* of all files, sorted by name */
    char *names;         /* of tensors whose names no file holds; else NULL */
};

/** How a model's file is written right, for messages. */
extern const char dlg_model_remedy[];

/** An empty set with room for n_files. *out is NULL on failure. */
DLG_MUST_USE dlg_status dlg_set_create(dlg_safetensors **out, const char *path, size_t n_files, dlg_error *);

/**
 * Open one more file of the set. `path` is owned by the set from here on, also on failure; NULL stands for memory that
 * ran out.
 */
DLG_MUST_USE dlg_status dlg_set_add(dlg_safetensors *, char *path, dlg_error *);

/** All files are there: collect their tensors. Errors: DLG_EFORMAT when two files hold the same name. */
DLG_MUST_USE dlg_status dlg_set_collect(dlg_safetensors *, dlg_error *);

/** Open the shards that the JSON file `index_path` in `directory` names. */
DLG_MUST_USE dlg_status dlg_shards_open(dlg_safetensors **out, const char *directory, const char *index_path,
                                        dlg_error *);

#endif
