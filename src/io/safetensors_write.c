#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "io/contents.h"
#include "math/half.h"

#include <assert.h>
#include <float.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** Data are handed to the file in pieces of this size. */
#define PIECE_BYTES 65536

/** The tensor as a reader will see it, for what the two have in common. */
static dlg_status count_items(dlg_tensor *out, const dlg_tensor_source *source, dlg_dtype dtype, const char *path,
                              dlg_error *err)
{
    assert(source->n_dims <= DLG_TENSOR_MAX_DIMS && strcmp(source->name, "__metadata__") != 0);
    *out = (dlg_tensor){.name = source->name, .dtype = dtype, .n_dims = source->n_dims, .n_items = 1};
    size_t n_bytes;
    bool fits = true;
    for (size_t i = 0; i < source->n_dims; i++) {
        out->shape[i] = source->shape[i];
        fits = fits && dlg_multiply(out->n_items, source->shape[i], &out->n_items);
    }
    if (!fits || !dlg_multiply(out->n_items, sizeof(double), &n_bytes))
        return dlg_fail(err, DLG_ESHAPE, "%s: tensor \"%s\": want a shape that can be addressed, found a larger one",
                        path, source->name);
    return DLG_OK;
}

/**
 * {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; numbers go in as text, since cJSON writes large ones as
 * 1e+15.
 */
static bool add_tensor(cJSON *root, const dlg_tensor *tensor, size_t begin, size_t end)
{
    char text[DLG_TENSOR_MAX_DIMS * 21 + 3];
    int n = snprintf(text, sizeof text, "[");
    for (size_t i = 0; i < tensor->n_dims; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%zu", i ? "," : "", tensor->shape[i]);
    snprintf(text + n, sizeof text - (size_t)n, "]");
    cJSON *info = cJSON_AddObjectToObject(root, tensor->name);
    if (!info || !cJSON_AddStringToObject(info, "dtype", dlg_dtype_name(tensor->dtype)) ||
        !cJSON_AddRawToObject(info, "shape", text))
        return false;
    snprintf(text, sizeof text, "[%zu,%zu]", begin, end);
    return cJSON_AddRawToObject(info, "data_offsets", text);
}

static bool add_metadata(cJSON *root, size_t n_metadata, const dlg_metadata *metadata)
{
    cJSON *object = n_metadata ? cJSON_AddObjectToObject(root, "__metadata__") : NULL;
    if (n_metadata && !object) return false;
    for (size_t i = 0; i < n_metadata; i++)
        if (!cJSON_AddStringToObject(object, metadata[i].key, metadata[i].value)) return false;
    return true;
}

/** The header's text; *out is freed with cJSON_free, and NULL on failure. */
static dlg_status print_header(char **out, const char *path, size_t n_tensors, const dlg_tensor *tensors,
                               size_t n_metadata, const dlg_metadata *metadata, dlg_error *err)
{
    dlg_status status = DLG_OK;
    cJSON *root = cJSON_CreateObject(), *again = NULL;
    char *text = NULL;
    bool made = root && add_metadata(root, n_metadata, metadata);
    size_t begin = 0;
    for (size_t i = 0; i < n_tensors && made; i++) {
        const size_t n_bytes = tensors[i].n_items * dlg_dtype_bytes(tensors[i].dtype);
        made = add_tensor(root, &tensors[i], begin, begin + n_bytes);
        begin += n_bytes;
    }
    if (made) text = cJSON_PrintUnformatted(root);
    if (!text) status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for the header", path);
    /* Names and metadata are the caller's: what our own reader would refuse must not be written. */
    if (!status) status = dlg_json_parse(&again, path, text, strlen(text), err);
    if (!status && strlen(text) + 8 > DLG_SAFETENSORS_HEADER_MAX)
        status = dlg_fail(err, DLG_EFORMAT, "%s: want a header of at most %d bytes, found %zu", path,
                          DLG_SAFETENSORS_HEADER_MAX, strlen(text));
    if (status) {
        cJSON_free(text);
        text = NULL;
    }
    cJSON_Delete(again);
    cJSON_Delete(root);
    *out = text;
    return status;
}

static dlg_status append_header(dlg_file_writer *writer, const char *text, dlg_error *err)
{
    static const char spaces[] = "       ";
    const size_t n_text = strlen(text), n_spaces = (8 - n_text % 8) % 8;
    const uint64_t n_header = n_text + n_spaces;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(n_header >> 8 * i);
    dlg_status status = dlg_file_append(writer, length, sizeof length, err);
    if (!status) status = dlg_file_append(writer, text, n_text, err);
    if (!status) status = dlg_file_append(writer, spaces, n_spaces, err);
    return status;
}

static float nearest_float(double value)
{
    const double limit = (double)FLT_MAX;
    return (float)(value > limit ? limit : value < -limit ? -limit : value);
}

static void put_number(unsigned char *out, dlg_real value, dlg_dtype dtype)
{
    double f64;
    float f32;
    uint16_t code;
    switch (dtype) {
    case DLG_F64: f64 = (double)value, memcpy(out, &f64, sizeof f64); return;
    case DLG_F32: f32 = nearest_float((double)value), memcpy(out, &f32, sizeof f32); return;
    case DLG_F16: code = dlg_f16_from_double((double)value), memcpy(out, &code, sizeof code); return;
    case DLG_BF16: code = dlg_bf16_from_double((double)value), memcpy(out, &code, sizeof code); return;
    default: break;
    }
    assert(false && "a dtype of real numbers");
}

static dlg_status append_tensor(dlg_file_writer *writer, const dlg_tensor *tensor, const dlg_real *values,
                                dlg_error *err)
{
    unsigned char piece[PIECE_BYTES];
    const size_t stride = dlg_dtype_bytes(tensor->dtype), n_piece = PIECE_BYTES / stride;
    dlg_status status = DLG_OK;
    for (size_t start = 0; start < tensor->n_items && !status; start += n_piece) {
        const size_t left = tensor->n_items - start, n = left < n_piece ? left : n_piece;
        for (size_t i = 0; i < n; i++) put_number(piece + i * stride, values[start + i], tensor->dtype);
        status = dlg_file_append(writer, piece, n * stride, err);
    }
    return status;
}

/** What is in memory is a tensor too, of dlg_real. */
static dlg_status check_values(const dlg_tensor *tensor, const dlg_real *values, const char *path, dlg_error *err)
{
    dlg_tensor own = *tensor;
    own.dtype = sizeof(dlg_real) == sizeof(double) ? DLG_F64 : DLG_F32;
    own.bytes = values;
    return dlg_tensor_check_finite(&own, path, err);
}

dlg_status dlg_safetensors_write(const char *path, size_t n_tensors, const dlg_tensor_source *sources, dlg_dtype dtype,
                                 size_t n_metadata, const dlg_metadata *metadata, dlg_error *err)
{
    dlg_status status = DLG_OK;
    char *text = NULL;
    dlg_file_writer *writer = NULL;
    dlg_tensor *tensors = dlg_allocate(n_tensors, sizeof *tensors);
    if (!tensors) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu tensors", path, n_tensors);
    for (size_t i = 0; i < n_tensors && !status; i++) {
        status = count_items(&tensors[i], &sources[i], dtype, path, err);
        if (!status) status = check_values(&tensors[i], sources[i].values, path, err);
    }
    if (!status) status = print_header(&text, path, n_tensors, tensors, n_metadata, metadata, err);
    if (!status) status = dlg_file_create(&writer, path, err);
    if (!status) status = append_header(writer, text, err);
    for (size_t i = 0; i < n_tensors && !status; i++)
        status = append_tensor(writer, &tensors[i], sources[i].values, err);
    if (status) dlg_file_abandon(writer);
    else status = dlg_file_commit(writer, err);
    cJSON_free(text);
    dlg_free(tensors);
    return status;
}
