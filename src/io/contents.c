#include "io/contents.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int dlg_tensor_compare_names(const void *a, const void *b)
{
    return strcmp(((const dlg_tensor *)a)->name, ((const dlg_tensor *)b)->name);
}

dlg_status dlg_contents_create(dlg_contents *out, const char *name, size_t n, size_t n_names, dlg_error *err)
{
    *out = (dlg_contents){.names = dlg_allocate(n_names, 1),
                          .packed = dlg_allocate(n, sizeof *out->packed),
                          .tensors = dlg_allocate(n, sizeof *out->tensors)};
    if (out->names && out->packed && out->tensors) return DLG_OK;
    dlg_contents_release(out);
    return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu tensors", name, n);
}

dlg_status dlg_contents_sort(dlg_contents *contents, const char *name, dlg_error *err)
{
    dlg_tensor *tensors = contents->tensors;
    qsort(tensors, contents->n_tensors, sizeof *tensors, dlg_tensor_compare_names);
    for (size_t i = 1; i < contents->n_tensors; i++)
        if (!strcmp(tensors[i - 1].name, tensors[i].name))
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": want it once, found it twice", name, tensors[i].name);
    return DLG_OK;
}

void dlg_contents_release(dlg_contents *contents)
{
    dlg_free(contents->tensors);
    dlg_free(contents->packed);
    dlg_free(contents->names);
    cJSON_Delete(contents->json);
    *contents = (dlg_contents){0};
}
