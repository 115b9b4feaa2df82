/*
 * torch.save's files since version 1.6: a zip archive of NAME/data.pkl, a pickle of the object that was saved, and
 * NAME/data/KEY, the bytes of each storage that its tensors are views of. Taken are a dict (state_dict, or names with
 * gradients) or a list or tuple of tensors, or a dict in which one entry is such; numbers and strings beside the
 * tensors are left aside.
 */
#include "base/memory.h"
#include "io/contents.h"
#include "io/pickle.h"

#include <stdio.h>
#include <string.h>

static const char REBUILD_TENSOR[] = "torch._utils._rebuild_tensor_v2",
                  REBUILD_PARAMETER[] = "torch._utils._rebuild_parameter", ORDERED_DICT[] = "collections.OrderedDict";

/** Storages by the name of their class. */
static const struct {
    const char *global;
    dlg_dtype dtype;
    size_t width;
} storages[] = {{"torch.FloatStorage", DLG_F32, 4}, {"torch.DoubleStorage", DLG_F64, 8},
                {"torch.HalfStorage", DLG_F16, 2},  {"torch.BFloat16Storage", DLG_BF16, 2},
                {"torch.LongStorage", DLG_I64, 8},  {"torch.IntStorage", DLG_I64, 4},
                {"torch.ShortStorage", DLG_I64, 2}, {"torch.CharStorage", DLG_I64, 1},
                {"torch.ByteStorage", DLG_I64, 1},  {"torch.BoolStorage", DLG_I64, 1}};
enum { N_STORAGES = sizeof storages / sizeof *storages, KEY_MAX = 64 };

typedef struct {
    const char *file;
    const dlg_zip *zip;
    const char *root; /* the folder of all members */
    size_t n_root;
    char *path; /* room for its name and a storage's */
    dlg_pickle pickle;
    dlg_error *err;
} archive;

/* ---- the object ---- */

static const dlg_pickle_value *at(const archive *a, size_t value)
{
    return &a->pickle.values[value];
}

static bool is_call(const archive *a, const dlg_pickle_value *value, const char *global)
{
    return value->kind == DLG_PICKLE_CALL && dlg_pickle_is(at(a, value->callee), DLG_PICKLE_GLOBAL, global);
}

static bool is_tensor(const archive *a, const dlg_pickle_value *value)
{
    return is_call(a, value, REBUILD_TENSOR) || is_call(a, value, REBUILD_PARAMETER);
}

static bool is_dict(const archive *a, const dlg_pickle_value *value)
{
    return value->kind == DLG_PICKLE_DICT || is_call(a, value, ORDERED_DICT);
}

static bool is_list(const dlg_pickle_value *value)
{
    return value->kind == DLG_PICKLE_LIST || value->kind == DLG_PICKLE_TUPLE;
}

/* The i-th item of a tuple; NULL where it has none. */
static const dlg_pickle_value *item(const archive *a, const dlg_pickle_value *tuple, size_t i)
{
    size_t cell = tuple->first;
    while (cell && i-- > 0) cell = a->pickle.cells[cell].next;
    return cell ? at(a, a->pickle.cells[cell].value) : NULL;
}

/* A name and a tensor, as of list(model.named_parameters()). */
static bool is_pair(const archive *a, const dlg_pickle_value *value)
{
    return value->kind == DLG_PICKLE_TUPLE && value->n == 2 && item(a, value, 0)->kind == DLG_PICKLE_STRING &&
           (is_tensor(a, item(a, value, 1)) || item(a, value, 1)->kind == DLG_PICKLE_NONE);
}

static bool is_list_of_pairs(const archive *a, const dlg_pickle_value *value)
{
    return is_list(value) && value->first && is_pair(a, at(a, a->pickle.cells[value->first].value));
}

/* Whether there are tensors among the first items of a dict or a list. */
static bool holds_tensors(const archive *a, const dlg_pickle_value *value)
{
    enum { FIRST = 64 };
    if (!is_dict(a, value) && !is_list(value)) return false;
    size_t cell = value->first;
    for (size_t i = 0; cell && i < FIRST; i++, cell = a->pickle.cells[cell].next)
        if (is_tensor(a, at(a, a->pickle.cells[cell].value))) return true;
    return is_list_of_pairs(a, value);
}

/* What holds the tensors: the object itself, or the one entry of it that does. NULL: none, or several. */
static const dlg_pickle_value *holder(const archive *a)
{
    const dlg_pickle_value *root = at(a, a->pickle.root), *found = NULL;
    if (holds_tensors(a, root) || !is_dict(a, root)) return holds_tensors(a, root) ? root : NULL;
    for (size_t cell = root->first; cell; cell = a->pickle.cells[cell].next) {
        const dlg_pickle_value *value = at(a, a->pickle.cells[cell].value);
        if (!holds_tensors(a, value)) continue;
        if (found) return NULL;
        found = value;
    }
    return found;
}

/* ---- one tensor ---- */

static dlg_status refuse(const archive *a, const dlg_tensor *tensor, const char *what)
{
    return dlg_fail(a->err, DLG_EFORMAT, "%s: tensor \"%s\": want %s", a->file, tensor->name, what);
}

/* Non-negative integers of a tuple. @return false where it is something else */
static bool read_sizes(const archive *a, const dlg_pickle_value *tuple, size_t out[DLG_TENSOR_MAX_DIMS])
{
    if (!tuple || tuple->kind != DLG_PICKLE_TUPLE || tuple->n > DLG_TENSOR_MAX_DIMS) return false;
    for (size_t d = 0, cell = tuple->first; cell; d++, cell = a->pickle.cells[cell].next) {
        const dlg_pickle_value *size = at(a, a->pickle.cells[cell].value);
        if (size->kind != DLG_PICKLE_INTEGER || size->integer < 0) return false;
        out[d] = (size_t)size->integer;
    }
    return true;
}

/* ("storage", class, key, device, numbers), as torch.save names it. */
static dlg_status read_storage(const archive *a, dlg_tensor *tensor, const dlg_pickle_value *storage,
                               dlg_zip_member *member, size_t *width)
{
    const dlg_pickle_value *id = storage && storage->kind == DLG_PICKLE_PERSISTENT ? at(a, storage->arguments) : NULL;
    if (!id || id->kind != DLG_PICKLE_TUPLE || id->n != 5) return refuse(a, tensor, "a storage, found another object");
    const dlg_pickle_value *class = item(a, id, 1), *key = item(a, id, 2), *n = item(a, id, 4);
    size_t kind = 0, n_bytes;
    while (kind < N_STORAGES && !dlg_pickle_is(class, DLG_PICKLE_GLOBAL, storages[kind].global)) kind++;
    if (kind == N_STORAGES || key->kind != DLG_PICKLE_STRING || key->n_text > KEY_MAX ||
        n->kind != DLG_PICKLE_INTEGER || n->integer < 0)
        return refuse(a, tensor, "the class, key and length of a storage, found others");
    tensor->dtype = storages[kind].dtype;
    *width = storages[kind].width;
    sprintf(a->path, "%.*sdata/%.*s", (int)a->n_root, a->root, (int)key->n_text, key->text);
    const dlg_zip_member *found = dlg_zip_find(a->zip, a->path);
    if (!found || !dlg_multiply((size_t)n->integer, *width, &n_bytes) || n_bytes != found->n_bytes)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: tensor \"%s\": want %zu bytes for each of %lld numbers in member %s, found %zu bytes",
                        a->file, tensor->name, *width, (long long)n->integer, a->path, found ? found->n_bytes : 0);
    if (found->is_deflated)
        return dlg_fail(a->err, DLG_EFORMAT, "%s: member \"%s\": want it stored, as torch.save does, found it deflated",
                        a->file, a->path);
    *member = *found;
    member->name = tensor->name; /* the archive's own names go when it is closed */
    return DLG_OK;
}

/* Whether all numbers of a view lie within a storage of n. */
static bool is_within(const dlg_tensor *tensor, size_t offset, const size_t strides[], size_t n)
{
    size_t last = offset;
    if (offset > n) return false;
    if (!tensor->n_items) return true;
    for (size_t d = 0; d < tensor->n_dims; d++) {
        size_t way;
        if (!dlg_multiply(tensor->shape[d] - 1, strides[d], &way) || way > n || (last += way) > n) return false;
    }
    return last < n;
}

static bool is_row_major(const dlg_tensor *tensor, const size_t strides[])
{
    size_t stride = 1;
    for (size_t d = tensor->n_dims; d-- > 0; stride *= tensor->shape[d])
        if (tensor->shape[d] != 1 && strides[d] != stride) return false;
    return true;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, ...). */
static dlg_status read_view(const archive *a, dlg_tensor *tensor, dlg_packed *packed, const dlg_pickle_value *arguments)
{
    const dlg_pickle_value *offset = item(a, arguments, 1), *size = item(a, arguments, 2),
                           *stride = item(a, arguments, 3);
    size_t width = 1;
    const dlg_status status = read_storage(a, tensor, item(a, arguments, 0), &packed->member, &width);
    if (status) return status;
    if (!offset || offset->kind != DLG_PICKLE_INTEGER || offset->integer < 0 || !read_sizes(a, size, tensor->shape) ||
        !read_sizes(a, stride, packed->strides) || size->n != stride->n)
        return refuse(a, tensor, "an offset, a shape and strides of at most 4 dimensions, found others");
    tensor->n_dims = size->n;
    tensor->n_items = 1;
    for (size_t d = 0; d < tensor->n_dims; d++)
        if (!dlg_multiply(tensor->n_items, tensor->shape[d], &tensor->n_items))
            return refuse(a, tensor, "a shape with a product below 2^64, found a larger one");
    const size_t n = packed->member.n_bytes / width;
    if (!is_within(tensor, (size_t)offset->integer, packed->strides, n))
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: tensor \"%s\": want it within its storage of %zu numbers, found it beyond", a->file,
                        tensor->name, n);
    if (!dlg_dtype_is_real(tensor->dtype)) return DLG_OK;
    packed->member.bytes += (size_t)offset->integer * width;
    packed->is_strided = !is_row_major(tensor, packed->strides) && tensor->n_items;
    if (packed->is_strided) tensor->packed = packed;
    else tensor->bytes = packed->member.bytes;
    return DLG_OK;
}

static dlg_status read_tensor(const archive *a, dlg_tensor *tensor, dlg_packed *packed, const dlg_pickle_value *value)
{
    if (is_call(a, value, REBUILD_PARAMETER)) value = item(a, at(a, value->arguments), 0);
    if (value && is_call(a, value, REBUILD_TENSOR)) return read_view(a, tensor, packed, at(a, value->arguments));
    return refuse(a, tensor, "a tensor in its parameter, found another object");
}

/* ---- all of them ---- */

static dlg_status read_list(const archive *a, dlg_contents *out, const dlg_pickle_value *list)
{
    enum { DIGITS = 8 }; /* a pickle has no more than 2^20 objects */
    dlg_status status = dlg_contents_create(out, a->file, list->n, list->n * DIGITS, a->err);
    out->is_nameless = true;
    for (size_t cell = list->first; cell && !status; cell = a->pickle.cells[cell].next) {
        const dlg_pickle_value *value = at(a, a->pickle.cells[cell].value);
        const size_t i = out->n_tensors++;
        dlg_tensor *tensor = &out->tensors[i];
        tensor->name = out->names + i * DIGITS;
        snprintf(out->names + i * DIGITS, DIGITS, "%u", (unsigned)i);
        tensor->is_none = value->kind == DLG_PICKLE_NONE;
        if (is_tensor(a, value)) status = read_tensor(a, tensor, &out->packed[i], value);
        else if (!tensor->is_none)
            status = dlg_fail(a->err, DLG_EFORMAT, "%s: item %zu: want a tensor, found %s", a->file, i,
                              dlg_pickle_kind_of(&a->pickle, value));
    }
    return status;
}

/* The key and value at a cell of a dict, or of a list of pairs. @return the next one's cell */
static size_t read_entry(const archive *a, bool is_pair, size_t cell, const dlg_pickle_value **key,
                         const dlg_pickle_value **value)
{
    const dlg_pickle_value *first = at(a, a->pickle.cells[cell].value);
    if (!is_pair) cell = a->pickle.cells[cell].next;
    *key = is_pair ? item(a, first, 0) : first;
    *value = is_pair ? item(a, first, 1) : at(a, a->pickle.cells[cell].value);
    return a->pickle.cells[cell].next;
}

static dlg_status check_pairs(const archive *a, const dlg_pickle_value *list)
{
    for (size_t cell = list->first; cell; cell = a->pickle.cells[cell].next)
        if (!is_pair(a, at(a, a->pickle.cells[cell].value)))
            return dlg_fail(a->err, DLG_EFORMAT, "%s: want pairs of a name and a tensor, found another item", a->file);
    return DLG_OK;
}

static dlg_status read_named(const archive *a, dlg_contents *out, const dlg_pickle_value *from)
{
    const dlg_pickle_value *key, *value;
    const bool are_pairs = is_list(from);
    size_t n_names = 0;
    if (are_pairs && check_pairs(a, from)) return DLG_EFORMAT;
    for (size_t cell = from->first; cell;) {
        cell = read_entry(a, are_pairs, cell, &key, &value);
        n_names += key->n_text + 1;
    }
    dlg_status status = dlg_contents_create(out, a->file, are_pairs ? from->n : from->n / 2, n_names, a->err);
    char *names = out->names;
    for (size_t cell = from->first; cell && !status;) {
        cell = read_entry(a, are_pairs, cell, &key, &value);
        const bool holds_more = is_dict(a, value) || is_list(value) || value->kind == DLG_PICKLE_PERSISTENT;
        if (!is_tensor(a, value) && !holds_more) continue; /* the number of examples, None for what is frozen */
        if (key->kind != DLG_PICKLE_STRING || holds_more)
            return dlg_fail(a->err, DLG_EFORMAT, "%s: want tensors by name, found %s by %s", a->file,
                            dlg_pickle_kind_of(&a->pickle, value), dlg_pickle_kind_of(&a->pickle, key));
        dlg_tensor *tensor = &out->tensors[out->n_tensors];
        tensor->name = memcpy(names, key->text, key->n_text);
        names += key->n_text + 1;
        status = read_tensor(a, tensor, &out->packed[out->n_tensors++], value);
    }
    return status ? status : dlg_contents_sort(out, a->file, a->err);
}

static dlg_status read_object(archive *a, dlg_contents *out, const dlg_zip_member *object)
{
    const char *globals[N_STORAGES + 3] = {REBUILD_TENSOR, REBUILD_PARAMETER, ORDERED_DICT};
    for (size_t i = 0; i < N_STORAGES; i++) globals[3 + i] = storages[i].global;
    dlg_status status =
        dlg_pickle_read(&a->pickle, N_STORAGES + 3, globals, a->file, object->bytes, object->n_bytes, a->err);
    if (status) return status;
    const dlg_pickle_value *from = holder(a);
    if (!from)
        return dlg_fail(a->err, DLG_EFORMAT, "%s: want one dict or list of tensors, found %s without, or with several",
                        a->file, dlg_pickle_kind_of(&a->pickle, at(a, a->pickle.root)));
    return is_list(from) && !is_list_of_pairs(a, from) ? read_list(a, out, from) : read_named(a, out, from);
}

/* What must hold before anything is read: the folder, the byte order, and every member as it was written. */
static dlg_status check_archive(archive *a, const dlg_zip_member **object)
{
    static const char OBJECT[] = "data.pkl";
    for (size_t i = 0; i < a->zip->n_members && !*object; i++) {
        const char *name = a->zip->members[i].name, *slash = strchr(name, '/');
        if (slash && !strcmp(slash + 1, OBJECT)) *object = &a->zip->members[i];
    }
    if (!*object || (*object)->is_deflated)
        return dlg_fail(a->err, DLG_EFORMAT,
                        "%s: want a stored member NAME/data.pkl, as torch.save writes it, found none", a->file);
    a->root = (*object)->name;
    a->n_root = strlen(a->root) - (sizeof OBJECT - 1);
    a->path = dlg_allocate(a->n_root + KEY_MAX + sizeof "data/byteorder", 1);
    if (!a->path) return dlg_fail(a->err, DLG_ENOMEM, "%s: no memory", a->file);
    sprintf(a->path, "%.*sbyteorder", (int)a->n_root, a->root);
    const dlg_zip_member *order = dlg_zip_find(a->zip, a->path);
    if (order && (order->n_stored != 6 || memcmp(order->bytes, "little", 6) != 0))
        return dlg_fail(a->err, DLG_EFORMAT, "%s: want little-endian numbers, found others", a->file);
    for (size_t i = 0; i < a->zip->n_members; i++) {
        const dlg_zip_member *member = &a->zip->members[i];
        const dlg_status status = member->is_deflated ? DLG_OK : dlg_zip_check(member, a->file, a->err);
        if (status) return status;
    }
    return DLG_OK;
}

dlg_status dlg_read_pt(dlg_contents *out, const char *name, const dlg_zip *zip, dlg_error *err)
{
    archive a = {.file = name, .zip = zip, .err = err};
    const dlg_zip_member *object = NULL;
    *out = (dlg_contents){0};
    dlg_status status = check_archive(&a, &object);
    if (!status) status = read_object(&a, out, object);
    dlg_pickle_release(&a.pickle);
    dlg_free(a.path);
    if (status) dlg_contents_release(out);
    return status;
}
