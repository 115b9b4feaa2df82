/*
 * spoil_gradient shuffled|normal IN OUT: a gradient that no text has. Every tensor keeps its name and shape; its
 * entries change places among themselves, or are standard normal numbers instead.
 */
#include "base/memory.h"
#include "io/safetensors.h"
#include "math/random.h"

#include <stdio.h>
#include <string.h>

static void shuffle(size_t n, dlg_real *values, const char *name)
{
    dlg_random random = dlg_random_at(1, dlg_random_stream(name));
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)dlg_random_below(&random, i);
        const dlg_real last = values[i - 1];
        values[i - 1] = values[j];
        values[j] = last;
    }
}

static dlg_status spoil(dlg_tensor_source *out, dlg_real *values, const dlg_tensor *tensor, bool is_shuffled,
                        dlg_error *err)
{
    *out = (dlg_tensor_source){.name = tensor->name, .n_dims = tensor->n_dims, .values = values};
    memcpy(out->shape, tensor->shape, sizeof out->shape);
    const dlg_status status = dlg_tensor_read(values, tensor, "IN", err);
    if (is_shuffled) shuffle(tensor->n_items, values, tensor->name);
    else dlg_random_normal_fill(values, tensor->n_items, 1, 1, dlg_random_stream(tensor->name));
    return status;
}

static dlg_status spoil_all(const char *path, const dlg_safetensors *in, bool is_shuffled, dlg_error *err)
{
    const size_t n = dlg_safetensors_count(in);
    const dlg_metadata metadata[] = {{"batch_size", "1"}};
    size_t n_items = 0;
    for (size_t i = 0; i < n; i++) n_items += dlg_safetensors_at(in, i)->n_items;
    dlg_tensor_source *tensors = dlg_allocate(n, sizeof *tensors);
    dlg_real *values = dlg_allocate(n_items, sizeof *values);
    dlg_status status = tensors && values ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "no memory");
    for (size_t i = 0, first = 0; !status && i < n; first += dlg_safetensors_at(in, i++)->n_items)
        status = spoil(&tensors[i], values + first, dlg_safetensors_at(in, i), is_shuffled, err);
    if (!status) status = dlg_safetensors_write(path, n, tensors, DLG_F32, 1, metadata, err);
    dlg_free(tensors);
    dlg_free(values);
    return status;
}

int main(int argc, char **argv)
{
    dlg_safetensors *in = NULL;
    dlg_error err = {0};
    if (argc != 4) return 64;
    dlg_status status = dlg_safetensors_open(&in, argv[2], &err);
    if (!status) status = spoil_all(argv[3], in, !strcmp(argv[1], "shuffled"), &err);
    if (status) fprintf(stderr, "spoil_gradient: %s\n", err.message);
    dlg_safetensors_close(in);
    return status != DLG_OK;
}
