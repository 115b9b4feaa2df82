#include "io/npy.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

/** The dict's text while it is read. */
typedef struct {
    const char *file;
    const dlg_tensor *tensor;
    const unsigned char *at, *end;
    size_t width; /* bytes of a number */
    bool has_descr, has_order, has_shape, is_fortran;
    dlg_error *err;
} text;

static dlg_status refuse(const text *t, const char *what)
{
    return dlg_fail(t->err, DLG_EFORMAT, "%s: array \"%s\": want a header of %s", t->file, t->tensor->name, what);
}

static void skip_space(text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n')) t->at++;
}

static bool take(text *t, char c)
{
    skip_space(t);
    if (t->at == t->end || *t->at != (unsigned char)c) return false;
    t->at++;
    return true;
}

static bool take_word(text *t, const char *word)
{
    const size_t n = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n) != 0) return false;
    t->at += n;
    return true;
}

/* A string in either quotes, without escapes, which numpy's have not. */
static bool take_string(text *t, char *out, size_t n_out)
{
    skip_space(t);
    const char quote = take(t, '\'') ? '\'' : take(t, '"') ? '"' : 0;
    const unsigned char *close = quote ? memchr(t->at, quote, (size_t)(t->end - t->at)) : NULL;
    if (!close || (size_t)(close - t->at) >= n_out || memchr(t->at, '\\', (size_t)(close - t->at))) return false;
    memcpy(out, t->at, (size_t)(close - t->at));
    out[close - t->at] = '\0';
    t->at = close + 1;
    return true;
}

static bool take_size(text *t, size_t *out)
{
    skip_space(t);
    const unsigned char *first = t->at;
    for (*out = 0; t->at < t->end && isdigit(*t->at); t->at++)
        if (!dlg_multiply(*out, 10, out) || (*out += (size_t)(*t->at - '0')) < (size_t)(*t->at - '0')) return false;
    return t->at > first;
}

static dlg_status read_descr(text *t, dlg_tensor *tensor)
{
    static const struct {
        const char *descr;
        dlg_dtype dtype;
        size_t width;
    } known[] = {{"<f8", DLG_F64, 8}, {"<f4", DLG_F32, 4}, {"<f2", DLG_F16, 2}, {"<i8", DLG_I64, 8},
                 {"<i4", DLG_I64, 4}, {"<i2", DLG_I64, 2}, {"|i1", DLG_I64, 1}, {"<u8", DLG_I64, 8},
                 {"<u4", DLG_I64, 4}, {"<u2", DLG_I64, 2}, {"|u1", DLG_I64, 1}, {"|b1", DLG_I64, 1}};
    char descr[32];
    if (!take_string(t, descr, sizeof descr)) return refuse(t, "one dtype, found records or more than a dtype");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(descr, known[i].descr) != 0) continue;
        tensor->dtype = known[i].dtype;
        t->width = known[i].width;
        t->has_descr = true;
        return DLG_OK;
    }
    return dlg_fail(t->err, DLG_EFORMAT,
                    "%s: array \"%s\": dtype: want float64, float32 or float16 (<f8, <f4, <f2), "
                    "found %s%s",
                    t->file, tensor->name, descr,
                    !strcmp(descr, "|O") ? ", Python objects, which are pickled"
                    : descr[0] == '>'    ? ", big-endian"
                                         : "");
}

static dlg_status read_shape(text *t, dlg_tensor *tensor)
{
    if (!take(t, '(')) return refuse(t, "a shape in parentheses, found another");
    tensor->n_items = 1;
    for (tensor->n_dims = 0; !take(t, ')');) {
        size_t size;
        if (tensor->n_dims == DLG_TENSOR_MAX_DIMS)
            return dlg_fail(t->err, DLG_EFORMAT, "%s: array \"%s\": shape: want at most %d dimensions, found more",
                            t->file, tensor->name, DLG_TENSOR_MAX_DIMS);
        if (!take_size(t, &size) || !dlg_multiply(tensor->n_items, size, &tensor->n_items))
            return refuse(t, "sizes whose product is below 2^64, found others");
        tensor->shape[tensor->n_dims++] = size;
        if (take(t, ',')) continue;
        if (!take(t, ')')) return refuse(t, "a shape in parentheses, found it open");
        break;
    }
    t->has_shape = true;
    return DLG_OK;
}

static dlg_status read_dict(text *t, dlg_tensor *tensor)
{
    dlg_status status = DLG_OK;
    if (!take(t, '{')) return refuse(t, "a Python dict, found none");
    while (!status && !take(t, '}')) {
        char key[32];
        if (!take_string(t, key, sizeof key) || !take(t, ':')) return refuse(t, "a Python dict, found damage");
        if (!strcmp(key, "descr") && !t->has_descr) {
            status = read_descr(t, tensor);
        } else if (!strcmp(key, "shape") && !t->has_shape) {
            status = read_shape(t, tensor);
        } else if (!strcmp(key, "fortran_order") && !t->has_order) {
            t->is_fortran = take_word(t, "True");
            t->has_order = t->is_fortran || take_word(t, "False");
            if (!t->has_order) return refuse(t, "True or False for fortran_order, found another value");
        } else {
            return dlg_fail(t->err, DLG_EFORMAT,
                            "%s: array \"%s\": want descr, fortran_order and shape once, found \"%s\"", t->file,
                            tensor->name, key);
        }
        if (!status && !take(t, ',') && (t->at == t->end || *t->at != '}'))
            return refuse(t, "a Python dict, found it open");
    }
    skip_space(t);
    if (status) return status;
    return t->has_descr && t->has_order && t->has_shape && t->at == t->end
               ? DLG_OK
               : refuse(t, "descr, fortran_order and shape, found fewer or more");
}

dlg_status dlg_npy_header(dlg_tensor *tensor, dlg_packed *packed, size_t *n_header, const char *name,
                          const unsigned char *bytes, size_t n_bytes, size_t n_file, dlg_error *err)
{
    text t = {.file = name, .tensor = tensor, .err = err};
    const bool is_npy = n_bytes >= 12 && !memcmp(bytes, "\x93NUMPY", 6);
    const size_t n_length = is_npy && bytes[6] == 1 ? 2 : 4; /* version 1 has 16 bits for it, 2 and 3 have 32 */
    if (!is_npy || bytes[6] < 1 || bytes[6] > 3)
        return dlg_fail(err, DLG_EFORMAT, "%s: array \"%s\": want a .npy of version 1, 2 or 3, found another file",
                        name, tensor->name);
    size_t n = 0;
    for (size_t i = n_length; i-- > 0;) n = n << 8 | bytes[8 + i];
    *n_header = 8 + n_length + n;
    if (*n_header > n_bytes)
        return dlg_fail(err, DLG_EFORMAT, "%s: array \"%s\": want a header of at most %zu bytes, found %zu", name,
                        tensor->name, n_bytes, *n_header);
    t.at = bytes + 8 + n_length;
    t.end = bytes + *n_header;
    const dlg_status status = read_dict(&t, tensor);
    if (status) return status;
    size_t n_numbers;
    if (!dlg_multiply(tensor->n_items, t.width, &n_numbers) || n_numbers != n_file - *n_header)
        return dlg_fail(err, DLG_EFORMAT, "%s: array \"%s\": want %zu bytes for each of %zu numbers, found %zu bytes",
                        name, tensor->name, t.width, tensor->n_items, n_file - *n_header);
    packed->is_strided = t.is_fortran && tensor->n_dims > 1 && tensor->n_items;
    for (size_t d = 0, stride = 1; packed->is_strided && d < tensor->n_dims; stride *= tensor->shape[d++])
        packed->strides[d] = stride;
    return DLG_OK;
}
