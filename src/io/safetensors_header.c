/* safetensors: the header, which says everything about the file. */
#include "io/contents.h"

#include "base/json.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SIZE_MAX >= UINT64_MAX, "offsets and products of shapes are counted in size_t");

static const char METADATA[] = "__metadata__";

/** The header's length comes first. */
enum { LENGTH_BYTES = 8 };

/** A JSON value's kind, for messages about one that should have been something else. */
static const char *kind(const cJSON *item)
{
    if (!item) return "nothing";
    if (cJSON_IsObject(item)) return "an object";
    if (cJSON_IsArray(item)) return "a list";
    if (cJSON_IsString(item)) return "a string";
    if (cJSON_IsNumber(item)) return "a number";
    return cJSON_IsNull(item) ? "null" : "true or false";
}

static dlg_status check_metadata(const cJSON *metadata, const char *name, dlg_error *err)
{
    const cJSON *entry;
    if (!cJSON_IsObject(metadata))
        return dlg_fail(err, DLG_EFORMAT, "%s: %s: want an object, found %s", name, METADATA, kind(metadata));
    cJSON_ArrayForEach(entry, metadata)
    {
        if (!cJSON_IsString(entry))
            return dlg_fail(err, DLG_EFORMAT, "%s: %s: \"%s\": want a string, found %s", name, METADATA, entry->string,
                            kind(entry));
    }
    return DLG_OK;
}

static dlg_status read_dtype(dlg_tensor *tensor, const cJSON *dtype, const char *name, dlg_error *err)
{
    if (!cJSON_IsString(dtype))
        return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": dtype: want a string, found %s", name, tensor->name,
                        kind(dtype));
    for (tensor->dtype = DLG_F64; tensor->dtype <= DLG_BOOL; tensor->dtype++)
        if (!strcmp(dtype->valuestring, dlg_dtype_name(tensor->dtype))) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": dtype: want F64, F32, F16, BF16 or integers, found %s", name,
                    tensor->name, dtype->valuestring);
}

static dlg_status read_shape(dlg_tensor *tensor, const cJSON *shape, const char *name, dlg_error *err)
{
    const cJSON *size;
    uint64_t n;
    if (!cJSON_IsArray(shape))
        return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": shape: want a list, found %s", name, tensor->name,
                        kind(shape));
    tensor->n_items = 1;
    cJSON_ArrayForEach(size, shape)
    {
        if (tensor->n_dims == DLG_TENSOR_MAX_DIMS)
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": shape: want at most %d dimensions, found %d", name,
                            tensor->name, DLG_TENSOR_MAX_DIMS, cJSON_GetArraySize(shape));
        if (!dlg_json_whole(size, &n))
            return dlg_fail(err, DLG_EFORMAT,
                            "%s: tensor \"%s\": shape: want whole numbers up to 2^53, found %s that is none", name,
                            tensor->name, kind(size));
        if (!dlg_multiply(tensor->n_items, n, &tensor->n_items))
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": shape: want a product below 2^64, found a larger one",
                            name, tensor->name);
        tensor->shape[tensor->n_dims++] = n;
    }
    return DLG_OK;
}

/** Sets tensor->bytes; dtype and shape are known. */
static dlg_status read_offsets(dlg_tensor *tensor, const cJSON *offsets, const unsigned char *data, size_t n_data,
                               const char *name, dlg_error *err)
{
    uint64_t begin, end;
    size_t n_bytes;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 || !dlg_json_whole(offsets->child, &begin) ||
        !dlg_json_whole(offsets->child->next, &end))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: tensor \"%s\": data_offsets: want two whole numbers up to 2^53, found something else",
                        name, tensor->name);
    if (begin > end || end > n_data)
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: tensor \"%s\": data_offsets: want begin <= end <= %zu (the file's data), found %" PRIu64
                        " and %" PRIu64,
                        name, tensor->name, n_data, begin, end);
    if (!dlg_multiply(tensor->n_items, dlg_dtype_bytes(tensor->dtype), &n_bytes) || n_bytes != end - begin)
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: tensor \"%s\": want %zu bytes for each of %zu numbers, found %" PRIu64 " bytes", name,
                        tensor->name, dlg_dtype_bytes(tensor->dtype), tensor->n_items, end - begin);
    tensor->bytes = data + begin;
    return DLG_OK;
}

static dlg_status read_tensor(dlg_tensor *tensor, const cJSON *item, const unsigned char *data, size_t n_data,
                              const char *name, dlg_error *err)
{
    *tensor = (dlg_tensor){.name = item->string};
    if (!cJSON_IsObject(item))
        return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": want an object, found %s", name, tensor->name,
                        kind(item));
    const cJSON *dtype = NULL, *shape = NULL, *offsets = NULL, *member;
    cJSON_ArrayForEach(member, item)
    {
        if (!strcmp(member->string, "dtype")) dtype = member;
        else if (!strcmp(member->string, "shape")) shape = member;
        else if (!strcmp(member->string, "data_offsets")) offsets = member;
        else
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": want dtype, shape and data_offsets, found \"%s\"",
                            name, tensor->name, member->string);
    }
    dlg_status status = read_dtype(tensor, dtype, name, err);
    if (!status) status = read_shape(tensor, shape, name, err);
    if (!status) status = read_offsets(tensor, offsets, data, n_data, name, err);
    return status;
}

static const unsigned char *begin_of(const dlg_tensor *tensor)
{
    return tensor->bytes;
}

static const unsigned char *end_of(const dlg_tensor *tensor)
{
    return begin_of(tensor) + tensor->n_items * dlg_dtype_bytes(tensor->dtype);
}

/** By place in the file; an empty tensor comes before the one that starts where it does. */
static int compare_places(const void *a, const void *b)
{
    const unsigned char *begin_a = begin_of(a), *begin_b = begin_of(b), *end_a = end_of(a), *end_b = end_of(b);
    if (begin_a != begin_b) return begin_a < begin_b ? -1 : 1;
    return (end_a > end_b) - (end_a < end_b);
}

/**
 * The tensors, sorted by place, must cover the data exactly: no byte twice, none left over where something could
 * hide.
 */
static dlg_status check_cover(const dlg_contents *header, const unsigned char *data, size_t n_data, const char *name,
                              dlg_error *err)
{
    const unsigned char *reached = data;
    for (size_t i = 0; i < header->n_tensors; i++) {
        const dlg_tensor *tensor = &header->tensors[i];
        if (begin_of(tensor) != reached)
            return dlg_fail(err, DLG_EFORMAT,
                            "%s: tensor \"%s\": want it to begin at %zu, where the one before ends, found %zu", name,
                            tensor->name, (size_t)(reached - data), (size_t)(begin_of(tensor) - data));
        reached = end_of(tensor);
    }
    if (reached != data + n_data)
        return dlg_fail(err, DLG_EFORMAT, "%s: want %zu bytes of data, as the tensors take, found %zu", name,
                        (size_t)(reached - data), n_data);
    return DLG_OK;
}

dlg_status dlg_read_safetensors(dlg_contents *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                                dlg_error *err)
{
    *out = (dlg_contents){0};
    if (n_bytes < LENGTH_BYTES)
        return dlg_fail(err, DLG_EFORMAT, "%s: want safetensors, which begin with %d bytes, found a file of %zu", name,
                        LENGTH_BYTES, n_bytes);
    uint64_t n_header = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) n_header |= (uint64_t)bytes[i] << 8 * i;
    if (n_header > DLG_SAFETENSORS_HEADER_MAX || n_header > n_bytes - LENGTH_BYTES)
        return dlg_fail(
            err, DLG_EFORMAT,
            "%s: want safetensors, with a header of at most %d bytes within the file's %zu, found a length of %" PRIu64,
            name, DLG_SAFETENSORS_HEADER_MAX, n_bytes, n_header);
    const unsigned char *text = bytes + LENGTH_BYTES, *data = text + n_header;
    const size_t n_data = n_bytes - LENGTH_BYTES - n_header;
    if (!n_header || *text != '{')
        return dlg_fail(err, DLG_EFORMAT, "%s: want a header that begins with '{', found none", name);

    dlg_contents header = {0};
    dlg_status status = dlg_json_parse(&header.json, name, text, n_header, err);
    if (status) return status;
    const cJSON *item;
    size_t n_items = 0;
    cJSON_ArrayForEach(item, header.json) n_items++;
    header.tensors = dlg_allocate(n_items, sizeof *header.tensors);
    if (!header.tensors) {
        status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu tensors", name, n_items);
        goto out;
    }
    cJSON_ArrayForEach(item, header.json)
    {
        if (!strcmp(item->string, METADATA)) status = check_metadata(item, name, err);
        else status = read_tensor(&header.tensors[header.n_tensors++], item, data, n_data, name, err);
        if (status) goto out;
    }
    qsort(header.tensors, header.n_tensors, sizeof *header.tensors, compare_places);
    status = check_cover(&header, data, n_data, name, err);
    if (status) goto out;
    qsort(header.tensors, header.n_tensors, sizeof *header.tensors, dlg_tensor_compare_names);
out:
    if (status) dlg_contents_release(&header);
    *out = header;
    return status;
}
