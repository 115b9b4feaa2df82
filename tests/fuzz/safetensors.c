/* A safetensors file's bytes: the header is parsed, and every tensor of one that is accepted is read and looked up. */
#include "base/memory.h"
#include "io/contents.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_contents header;
    dlg_error err;
    const dlg_status status = dlg_read_safetensors(&header, "input", data, size, &err);
    if (status) {
        /* Not an assert: the check must hold in every kind of build. */
        if (header.tensors || header.json || status != err.status || strncmp(err.message, "input: ", 7) != 0) abort();
        return 0;
    }
    size_t n_bytes = 0;
    for (size_t i = 0; i < header.n_tensors; i++) {
        const dlg_tensor *tensor = &header.tensors[i];
        n_bytes += tensor->n_items * dlg_dtype_bytes(tensor->dtype);
        if (i && dlg_tensor_compare_names(tensor - 1, tensor) >= 0) abort();
        dlg_real *values = dlg_allocate(tensor->n_items, sizeof *values);
        if (values && dlg_tensor_read(values, tensor, "input", &err) != dlg_tensor_check_finite(tensor, "input", &err))
            abort();
        const dlg_real *borrowed = dlg_tensor_borrow(tensor);
        if (values && borrowed && tensor->n_items && memcmp(&values[0], &borrowed[0], sizeof *values) != 0) abort();
        dlg_free(values);
    }
    if (n_bytes > size) abort();
    dlg_contents_release(&header);
    return 0;
}
