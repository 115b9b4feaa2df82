#include "io/packed.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

static void gather(unsigned char *out, const unsigned char *from, const dlg_tensor *tensor)
{
    const size_t n_bytes = dlg_dtype_bytes(tensor->dtype);
    const size_t *strides = tensor->packed->strides;
    size_t at[DLG_TENSOR_MAX_DIMS] = {0};
    for (size_t i = 0; i < tensor->n_items; i++) {
        size_t place = 0;
        for (size_t d = 0; d < tensor->n_dims; d++) place += at[d] * strides[d];
        memcpy(out + i * n_bytes, from + place * n_bytes, n_bytes);
        for (size_t d = tensor->n_dims; d-- > 0 && ++at[d] == tensor->shape[d];) at[d] = 0;
    }
}

dlg_status dlg_packed_read(unsigned char *out, const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    const dlg_packed *packed = tensor->packed;
    if (!packed->member.is_deflated) {
        gather(out, packed->member.bytes, tensor);
        return DLG_OK;
    }
    const size_t n = packed->member.n_bytes - packed->n_before;
    assert(n == tensor->n_items * dlg_dtype_bytes(tensor->dtype));
    unsigned char *head = dlg_allocate(packed->n_before, 1), *lying = packed->is_strided ? dlg_allocate(n, 1) : NULL;
    dlg_status status = head && (lying || !packed->is_strided)
                            ? DLG_OK
                            : dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", file, tensor->name);
    if (!status) status = dlg_zip_inflate(head, packed->n_before, lying ? lying : out, n, &packed->member, file, err);
    if (!status && lying) gather(out, lying, tensor);
    dlg_free(head);
    dlg_free(lying);
    return status;
}

bool dlg_tensor_is_copy(const dlg_tensor *a, const dlg_tensor *b)
{
    if (a->dtype != b->dtype || a->n_dims != b->n_dims || a->is_none || b->is_none) return false;
    for (size_t d = 0; d < a->n_dims; d++)
        if (a->shape[d] != b->shape[d]) return false;
    const dlg_packed *one = a->packed, *other = b->packed;
    if (one && other) /* with their headers */
        return one->member.is_deflated && other->member.is_deflated && one->member.crc == other->member.crc &&
               one->member.n_bytes == other->member.n_bytes;
    return a->bytes && b->bytes &&
           (a->bytes == b->bytes || !memcmp(a->bytes, b->bytes, a->n_items * dlg_dtype_bytes(a->dtype)));
}
