#include "models/parameter.h"

#include "base/memory.h"

#include <stdio.h>

size_t dlg_parameter_items(const dlg_parameter *parameter)
{
    return parameter->n_rows * parameter->n_cols;
}

dlg_status dlg_parameter_check_shape(const dlg_parameter *p, const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    const size_t n_rows = p->is_transposed ? p->n_cols : p->n_rows, n_cols = p->is_transposed ? p->n_rows : p->n_cols;
    const bool fits =
        tensor->n_dims == p->n_dims &&
        (p->n_dims == 1 ? tensor->shape[0] == n_cols : tensor->shape[0] == n_rows && tensor->shape[1] == n_cols);
    if (fits) return DLG_OK;
    char found[96] = "";
    for (size_t i = 0, n = 0; i < tensor->n_dims && n < sizeof found; i++)
        n += (size_t)snprintf(found + n, sizeof found - n, i ? ", %zu" : "%zu", tensor->shape[i]);
    if (p->n_dims == 1)
        return dlg_fail(err, DLG_ESHAPE, "%s: %s: want shape (%zu), found (%s)", file, tensor->name, n_cols, found);
    return dlg_fail(err, DLG_ESHAPE, "%s: %s: want shape (%zu, %zu), found (%s)", file, tensor->name, n_rows, n_cols,
                    found);
}

static void transpose(dlg_real *to, const dlg_real *lying, size_t n_rows, size_t n_cols)
{
    for (size_t i = 0; i < n_rows * n_cols; i++) to[i] = lying[i % n_cols * n_rows + i / n_cols];
}

dlg_status dlg_parameter_read(const dlg_real **value, dlg_real **owned, const dlg_parameter *p,
                              const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    const size_t n = dlg_parameter_items(p);
    *owned = NULL;
    *value = p->is_transposed ? NULL : dlg_tensor_borrow(tensor);
    if (*value) return dlg_tensor_check_finite(tensor, file, err);
    dlg_real *lying = p->is_transposed ? dlg_allocate(n, sizeof *lying) : NULL;
    *value = *owned = dlg_allocate(n, sizeof **owned);
    dlg_status status = *owned && (lying || !p->is_transposed)
                            ? DLG_OK
                            : dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", file, p->name);
    if (!status) status = dlg_tensor_read(lying ? lying : *owned, tensor, file, err);
    if (!status && lying) transpose(*owned, lying, p->n_rows, p->n_cols);
    dlg_free(lying);
    return status;
}
