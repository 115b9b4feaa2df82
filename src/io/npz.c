/* numpy's files: .npy, one array, and .npz, a zip archive of them. */
#include "base/memory.h"
#include "io/contents.h"
#include "io/npy.h"

#include <stdlib.h>
#include <string.h>

static const char ENDING[] = ".npy", LISTED[] = "arr_";

/* Where the numbers are: in place if they can be, else packed. Integers are known, not read. */
static void place(dlg_tensor *tensor, dlg_packed *packed, const dlg_zip_member *member, size_t n_header)
{
    if (!dlg_dtype_is_real(tensor->dtype)) return;
    packed->member = *member;
    packed->member.name = tensor->name; /* the archive's own names go when it is closed */
    packed->n_before = n_header;
    if (!member->is_deflated) packed->member.bytes += n_header;
    if (!member->is_deflated && !packed->is_strided) tensor->bytes = packed->member.bytes;
    else tensor->packed = packed;
}

static dlg_status read_array(dlg_tensor *tensor, dlg_packed *packed, const char *name, const dlg_zip_member *member,
                             dlg_error *err)
{
    unsigned char head[DLG_NPY_HEADER_MAX];
    const unsigned char *bytes = member->bytes;
    const size_t n = member->n_bytes < sizeof head ? member->n_bytes : sizeof head;
    size_t n_header;
    dlg_status status = DLG_OK;
    if (member->is_deflated) {
        status = dlg_zip_inflate(head, n, NULL, 0, member, name, err);
        bytes = head;
    }
    if (!status) status = dlg_npy_header(tensor, packed, &n_header, name, bytes, n, member->n_bytes, err);
    if (!status) place(tensor, packed, member, n_header);
    return status;
}

dlg_status dlg_read_npy(dlg_contents *out, const char *name, const unsigned char *bytes, size_t n_bytes, dlg_error *err)
{
    const dlg_zip_member member = {.name = name, .bytes = bytes, .n_stored = n_bytes, .n_bytes = n_bytes};
    dlg_status status = dlg_contents_create(out, name, 1, sizeof "arr_0", err);
    if (status) return status;
    out->is_nameless = true;
    out->n_tensors = 1;
    out->tensors->name = memcpy(out->names, "arr_0", sizeof "arr_0");
    status = read_array(out->tensors, out->packed, name, &member, err);
    if (status) dlg_contents_release(out);
    return status;
}

/* np.savez(file, *arrays) names them arr_0, arr_1 ...: they have no names. @return whether all are such, in order */
static bool put_in_order(dlg_contents *contents)
{
    dlg_tensor *ordered = dlg_allocate(contents->n_tensors, sizeof *ordered);
    bool is_list = ordered != NULL;
    for (size_t i = 0; is_list && i < contents->n_tensors; i++) {
        const char *digits = contents->tensors[i].name + sizeof LISTED - 1;
        char *end = NULL;
        is_list = !strncmp(contents->tensors[i].name, LISTED, sizeof LISTED - 1) && *digits >= '0' && *digits <= '9';
        const size_t at = is_list ? strtoul(digits, &end, 10) : 0;
        is_list = is_list && !*end && at < contents->n_tensors && !ordered[at].name;
        if (is_list) ordered[at] = contents->tensors[i];
    }
    if (is_list) memcpy(contents->tensors, ordered, contents->n_tensors * sizeof *ordered);
    dlg_free(ordered);
    return is_list;
}

dlg_status dlg_read_npz(dlg_contents *out, const char *name, const dlg_zip *zip, dlg_error *err)
{
    size_t n_names = 0;
    for (size_t i = 0; i < zip->n_members; i++) n_names += strlen(zip->members[i].name) + 1;
    dlg_status status = dlg_contents_create(out, name, zip->n_members, n_names, err);
    if (status) return status;
    char *names = out->names;
    for (size_t i = 0; i < zip->n_members && !status; i++) {
        const dlg_zip_member *member = &zip->members[i];
        const size_t n = strlen(member->name), n_ending = sizeof ENDING - 1;
        if (n <= n_ending || strcmp(member->name + n - n_ending, ENDING) != 0)
            status = dlg_fail(err, DLG_EFORMAT, "%s: member \"%s\": want arrays (.npy) alone, found another file", name,
                              member->name);
        if (!status && !member->is_deflated) status = dlg_zip_check(member, name, err);
        if (status) break;
        dlg_tensor *tensor = &out->tensors[out->n_tensors];
        tensor->name = memcpy(names, member->name, n - n_ending);
        names += n - n_ending + 1;
        status = read_array(tensor, &out->packed[out->n_tensors++], name, member, err);
    }
    if (!status) status = dlg_contents_sort(out, name, err);
    if (!status) out->is_nameless = out->n_tensors && put_in_order(out);
    if (status) dlg_contents_release(out);
    return status;
}
