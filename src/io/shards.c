/* A model in several files: model.safetensors.index.json or pytorch_model.bin.index.json maps each tensor's name to the
 * file, in the same directory, that holds it. */
#include "base/json.h"
#include "base/memory.h"
#include "io/set.h"

#include <stdlib.h>
#include <string.h>

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** A name from a stranger's index must not lead out of the directory. */
static bool is_plain_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

/** The distinct values of the weight map, sorted, into shards[0..*n). `shards` has room for all values. */
static dlg_status list_shards(const char **shards, size_t *n, const cJSON *map, const char *index_path, dlg_error *err)
{
    const cJSON *entry;
    size_t n_all = 0;
    *n = 0;
    cJSON_ArrayForEach(entry, map)
    {
        if (!cJSON_IsString(entry) || !is_plain_name(entry->valuestring))
            return dlg_fail(err, DLG_EFORMAT, "%s: weight_map: \"%s\": want a plain file name, found %s", index_path,
                            entry->string, cJSON_IsString(entry) ? entry->valuestring : "no string");
        shards[n_all++] = entry->valuestring;
    }
    qsort(shards, n_all, sizeof *shards, compare_strings);
    for (size_t i = 0; i < n_all; i++)
        if (!i || strcmp(shards[i], shards[*n - 1])) shards[(*n)++] = shards[i];
    return DLG_OK;
}

/** Each tensor must be where the index says. The set's files are in the order of `shards`. */
static dlg_status check_map(const dlg_safetensors *set, const char **shards, size_t n_shards, const cJSON *map,
                            dlg_error *err)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, map)
    {
        const char *const *shard = bsearch(&entry->valuestring, shards, n_shards, sizeof *shards, compare_strings);
        const dlg_set_file *file = &set->files[shard - shards];
        const dlg_tensor key = {.name = entry->string};
        if (!bsearch(&key, file->contents.tensors, file->contents.n_tensors, sizeof key, dlg_tensor_compare_names))
            return dlg_fail(err, DLG_EFORMAT,
                            "%s: want tensor \"%s\", which the index says is here, found none of that name", file->path,
                            entry->string);
    }
    return DLG_OK;
}

dlg_status dlg_shards_open(dlg_safetensors **out, const char *directory, const char *index_path, dlg_error *err)
{
    cJSON *index;
    const char **shards = NULL;
    dlg_safetensors *set = NULL;
    *out = NULL;
    dlg_status status = dlg_json_read(&index, index_path, err);
    if (status) return status;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(index, "weight_map");
    if (!cJSON_IsObject(map) || !map->child) {
        status =
            dlg_fail(err, DLG_EFORMAT, "%s: want an object weight_map with a tensor in it, found none", index_path);
        goto out;
    }
    size_t n_shards;
    shards = dlg_allocate((size_t)cJSON_GetArraySize(map), sizeof *shards);
    if (!shards) {
        status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for %d tensors", index_path, cJSON_GetArraySize(map));
        goto out;
    }
    status = list_shards(shards, &n_shards, map, index_path, err);
    if (!status) status = dlg_set_create(&set, directory, n_shards, err);
    if (!status) set->remedy = dlg_model_remedy;
    for (size_t i = 0; i < n_shards && !status; i++)
        status = dlg_set_add(set, dlg_path_join(directory, shards[i]), err);
    if (!status) status = check_map(set, shards, n_shards, map, err);
    if (!status) status = dlg_set_collect(set, err);
out:
    if (status) {
        dlg_safetensors_close(set);
        set = NULL;
    }
    dlg_free(shards);
    cJSON_Delete(index);
    *out = set;
    return status;
}
