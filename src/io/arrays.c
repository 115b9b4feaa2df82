#include "io/safetensors.h"

#include "base/memory.h"
#include "io/set.h"

#include <stdlib.h>
#include <string.h>

static dlg_status check(const char *name, const dlg_array *array, dlg_error *err)
{
    size_t n = 1;
    if (array->n_dims > DLG_ARRAY_MAX_DIMS)
        return dlg_fail(err, DLG_EARG, "%s: %s: want at most %d dimensions, found %zu", name, array->name,
                        DLG_ARRAY_MAX_DIMS, array->n_dims);
    if ((unsigned)array->dtype > DLG_BOOL)
        return dlg_fail(err, DLG_EARG, "%s: %s: want a dlg_dtype, found %d", name, array->name, (int)array->dtype);
    for (size_t d = 0; d < array->n_dims; d++)
        if (!dlg_multiply(n, array->shape[d], &n))
            return dlg_fail(err, DLG_EARG, "%s: %s: want a shape that can be addressed", name, array->name);
    if (!array->values) return dlg_fail(err, DLG_EARG, "%s: %s: want values, found NULL", name, array->name);
    return DLG_OK;
}

/* A tensor of a checked array; its name is copied to *names, which moves on. */
static dlg_tensor tensor_of(const dlg_array *array, char **names)
{
    const size_t n = strlen(array->name) + 1;
    dlg_tensor tensor = {.name = memcpy(*names, array->name, n),
                         .dtype = array->dtype,
                         .n_dims = array->n_dims,
                         .n_items = 1,
                         .bytes = array->values};
    *names += n;
    for (size_t d = 0; d < array->n_dims; d++) tensor.n_items *= tensor.shape[d] = array->shape[d];
    return tensor;
}

static dlg_status fill(dlg_safetensors *set, size_t n_arrays, const dlg_array arrays[], dlg_error *err)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < n_arrays; i++) {
        const dlg_status status = check(set->path, &arrays[i], err);
        if (status) return status;
        n_bytes += strlen(arrays[i].name) + 1;
    }
    set->tensors = dlg_allocate(n_arrays, sizeof *set->tensors);
    char *names = set->names = dlg_allocate(n_bytes, 1);
    if (!set->tensors || !names) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu arrays", set->path, n_arrays);
    for (size_t i = 0; i < n_arrays; i++) set->tensors[i] = tensor_of(&arrays[i], &names);
    set->n_tensors = n_arrays;
    qsort(set->tensors, n_arrays, sizeof *set->tensors, dlg_tensor_compare_names);
    for (size_t i = 1; i < n_arrays; i++)
        if (!strcmp(set->tensors[i - 1].name, set->tensors[i].name))
            return dlg_fail(err, DLG_EARG, "%s: %s: want it once, found it twice", set->path, set->tensors[i].name);
    return DLG_OK;
}

dlg_status dlg_safetensors_of_arrays(dlg_safetensors **out, const char *name, size_t n_arrays, const dlg_array arrays[],
                                     dlg_error *err)
{
    dlg_safetensors *set = NULL;
    dlg_status status = dlg_set_create(&set, name, 0, err);
    if (!status) status = fill(set, n_arrays, arrays, err);
    if (status) dlg_safetensors_close(set);
    *out = status ? NULL : set;
    return status;
}
