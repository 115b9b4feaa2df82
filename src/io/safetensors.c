#define _POSIX_C_SOURCE 200809L
#include "io/safetensors.h"

#include "base/memory.h"
#include "io/set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

dlg_status dlg_set_create(dlg_safetensors **out, const char *path, size_t n_files, dlg_error *err)
{
    *out = NULL;
    dlg_safetensors *set = dlg_allocate(1, sizeof *set);
    if (set) {
        set->path = dlg_copy_string(path);
        set->files = dlg_allocate(n_files, sizeof *set->files);
    }
    if (!set || !set->path || !set->files) {
        dlg_safetensors_close(set);
        return dlg_fail(err, DLG_ENOMEM, "%s: no memory to open it", path);
    }
    *out = set;
    return DLG_OK;
}

dlg_status dlg_set_add(dlg_safetensors *set, char *path, dlg_error *err)
{
    if (!path) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for a path", set->path);
    dlg_set_file *file = &set->files[set->n_files++];
    file->path = path;
    const dlg_status status = dlg_file_open(&file->file, path, err);
    return status ? status
                  : dlg_read_any(&file->contents, path, file->file.bytes, file->file.n_bytes, set->remedy, err);
}

/** The path of the file that holds a tensor, which borrows its name from there. */
static const char *holder(const dlg_safetensors *set, const dlg_tensor *tensor)
{
    for (size_t i = 0; i < set->n_files; i++) {
        const dlg_contents *contents = &set->files[i].contents;
        const dlg_tensor *own =
            bsearch(tensor, contents->tensors, contents->n_tensors, sizeof *own, dlg_tensor_compare_names);
        if (own && own->name == tensor->name) return set->files[i].path;
    }
    assert(false && "a tensor that is in none of the files");
    return set->path;
}

dlg_status dlg_set_collect(dlg_safetensors *set, dlg_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n_files; i++) n += set->files[i].contents.n_tensors;
    set->tensors = dlg_allocate(n, sizeof *set->tensors);
    if (!set->tensors) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu tensors", set->path, n);
    for (size_t i = 0; i < set->n_files; i++) {
        const dlg_contents *contents = &set->files[i].contents;
        if (contents->n_tensors)
            memcpy(set->tensors + set->n_tensors, contents->tensors, contents->n_tensors * sizeof *contents->tensors);
        set->n_tensors += contents->n_tensors;
    }
    set->is_nameless = set->n_files == 1 && set->files->contents.is_nameless;
    if (set->is_nameless) return DLG_OK;
    qsort(set->tensors, n, sizeof *set->tensors, dlg_tensor_compare_names);
    for (size_t i = 1; i < n; i++) {
        const dlg_tensor *a = &set->tensors[i - 1], *b = &set->tensors[i];
        if (!strcmp(a->name, b->name))
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": want it in one shard, found it in %s too",
                            holder(set, a), a->name, holder(set, b));
    }
    return DLG_OK;
}

/* One file; `remedy` is for whom it is of another format. */
static dlg_status open_file(dlg_safetensors **out, const char *path, const char *remedy, dlg_error *err)
{
    dlg_safetensors *set;
    dlg_status status = dlg_set_create(&set, path, 1, err);
    if (!status) set->remedy = remedy;
    if (!status) status = dlg_set_add(set, dlg_copy_string(path), err);
    if (!status) status = dlg_set_collect(set, err);
    if (status) {
        dlg_safetensors_close(set);
        set = NULL;
    }
    *out = set;
    return status;
}

dlg_status dlg_safetensors_open(dlg_safetensors **out, const char *path, dlg_error *err)
{
    return open_file(out, path,
                     "in Python, safetensors.torch.save_file({n: p.grad for n, p in model.named_parameters()}, "
                     "'bert.g') writes the right one",
                     err);
}

const char dlg_model_remedy[] = "in Python, model.save_pretrained('DIR') writes the right one";

/** What a model's weights may lie in, the first that is there; the last ones for their names' sake. */
static const struct {
    const char *name;
    bool is_index;
} weights[] = {{"model.safetensors", false}, {"model.safetensors.index.json", true},
               {"pytorch_model.bin", false}, {"pytorch_model.bin.index.json", true},
               {"tf_model.h5", false},       {"flax_model.msgpack", false},
               {"model.ckpt.index", false}};

dlg_status dlg_safetensors_open_directory(dlg_safetensors **out, const char *directory, dlg_error *err)
{
    struct stat info;
    *out = NULL;
    if (stat(directory, &info)) return dlg_fail(err, DLG_EIO, "%s: %s", directory, strerror(errno));
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        dlg_status status = DLG_OK;
        char *path = dlg_path_join(directory, weights[i].name);
        if (!path) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for a path", directory);
        const bool is_there = !access(path, F_OK);
        if (is_there)
            status = weights[i].is_index ? dlg_shards_open(out, directory, path, err)
                                         : open_file(out, path, dlg_model_remedy, err);
        dlg_free(path);
        if (is_there) return status;
    }
    return dlg_fail(err, DLG_EIO, "%s: want %s or %s in it, or their %s, found neither", directory, weights[0].name,
                    weights[2].name, "index.json");
}

void dlg_safetensors_rest(const dlg_safetensors *set)
{
    for (size_t i = 0; set && i < set->n_files; i++) {
        const dlg_file *file = &set->files[i].file;
        dlg_file_rest(file, file->bytes, file->n_bytes);
    }
}

void dlg_safetensors_rest_range(const dlg_safetensors *set, const void *bytes, size_t n_bytes)
{
    for (size_t i = 0; set && i < set->n_files; i++) dlg_file_rest(&set->files[i].file, bytes, n_bytes);
}

void dlg_safetensors_close(dlg_safetensors *set)
{
    if (!set) return;
    for (size_t i = 0; i < set->n_files; i++) {
        dlg_contents_release(&set->files[i].contents);
        dlg_file_close(&set->files[i].file);
        dlg_free(set->files[i].path);
    }
    dlg_free(set->files);
    dlg_free(set->tensors);
    dlg_free(set->names);
    dlg_free(set->path);
    dlg_free(set);
}

const char *dlg_safetensors_path(const dlg_safetensors *set)
{
    return set->path;
}

size_t dlg_safetensors_count(const dlg_safetensors *set)
{
    return set->n_tensors;
}

const dlg_tensor *dlg_safetensors_at(const dlg_safetensors *set, size_t i)
{
    assert(i < set->n_tensors);
    return &set->tensors[i];
}

bool dlg_safetensors_is_nameless(const dlg_safetensors *set)
{
    return set->is_nameless;
}

dlg_status dlg_safetensors_name(dlg_safetensors *set, const char *const names[], dlg_error *err)
{
    size_t n_bytes = 0, n = 0;
    for (size_t i = 0; i < set->n_tensors; i++) n_bytes += names[i] ? strlen(names[i]) + 1 : 0;
    char *name = set->names = dlg_allocate(n_bytes, 1);
    if (!name) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu names", set->path, set->n_tensors);
    for (size_t i = 0; i < set->n_tensors; i++) {
        if (!names[i]) continue;
        set->tensors[n] = set->tensors[i];
        set->tensors[n++].name = strcpy(name, names[i]);
        name += strlen(names[i]) + 1;
    }
    set->n_tensors = n;
    set->is_nameless = false;
    qsort(set->tensors, n, sizeof *set->tensors, dlg_tensor_compare_names);
    return DLG_OK;
}

const dlg_tensor *dlg_safetensors_find(const dlg_safetensors *set, const char *name)
{
    if (set->is_nameless) return NULL;
    const dlg_tensor key = {.name = name};
    return bsearch(&key, set->tensors, set->n_tensors, sizeof key, dlg_tensor_compare_names);
}

const char *dlg_safetensors_metadata(const dlg_safetensors *set, const char *key)
{
    for (size_t i = 0; i < set->n_files; i++) {
        const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(set->files[i].contents.json, "__metadata__");
        const cJSON *entry = cJSON_GetObjectItemCaseSensitive(metadata, key);
        if (entry) return entry->valuestring;
    }
    return NULL;
}
