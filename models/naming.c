#include "models/naming.h"

#include <stdio.h>
#include <string.h>

/* What models call all but their heads. */
static const char *const prefixes[] = {"bert.", "distilbert.", "transformer."};

/* ---- wrappers ---- */

/* Longer ones are no wrappers' any more. */
enum { MOST_WRAPPER = 96 };

static bool all_begin_with(const dlg_safetensors *file, const char *beginning, size_t n)
{
    for (size_t i = 0; i < dlg_safetensors_count(file); i++)
        if (strncmp(dlg_safetensors_at(file, i)->name, beginning, n) != 0) return false;
    return true;
}

/* Bytes before a model's prefix that stands behind a dot or a slash; 0: none does. */
static size_t length_before_prefix(const char *name)
{
    for (const char *at = name; (at = strpbrk(at, "./")) != NULL && (size_t)(at - name) < MOST_WRAPPER;) {
        at++;
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (!strncmp(at, prefixes[i], strlen(prefixes[i]))) return (size_t)(at - name);
    }
    return 0;
}

dlg_naming dlg_naming_of(const dlg_safetensors *file)
{
    static const char *const wrappers[] = {"module.", "_orig_mod.", "_module.", "base_model.model."};
    dlg_naming naming = {.file = file};
    const char *name = dlg_safetensors_count(file) ? dlg_safetensors_at(file, 0)->name : "";
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        const size_t n = strlen(wrappers[i]);
        if (naming.n_wrapper + n > MOST_WRAPPER || strncmp(name + naming.n_wrapper, wrappers[i], n) != 0) continue;
        if (!all_begin_with(file, name, naming.n_wrapper + n)) break;
        naming.n_wrapper += n;
        i = (size_t)-1; /* any of them may be within */
    }
    size_t n = 0;
    for (size_t i = 0; i < dlg_safetensors_count(file) && !n; i++)
        n = length_before_prefix(dlg_safetensors_at(file, i)->name + naming.n_wrapper);
    if (naming.n_wrapper + n <= MOST_WRAPPER && all_begin_with(file, name, naming.n_wrapper + n)) naming.n_wrapper += n;
    return naming;
}

const char *dlg_naming_at(const dlg_naming *naming, size_t i)
{
    return dlg_safetensors_at(naming->file, i)->name + naming->n_wrapper;
}

/* ---- names ---- */

/* Behind the model's prefix, or NULL where there is none. */
static const char *without_prefix(const char *name)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) return name + strlen(prefixes[i]);
    return NULL;
}

static bool ends_with(const char *name, size_t n, const char *ending)
{
    const size_t n_ending = strlen(ending);
    return n >= n_ending && !strcmp(name + n - n_ending, ending);
}

static bool is_spelled(const char *ours, const char *name)
{
    static const char *const endings[][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                             {"LayerNorm.bias", "LayerNorm.beta"}};
    if (!ours) return false;
    if (!strcmp(ours, name)) return true;
    const size_t n_ours = strlen(ours), n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (!ends_with(ours, n_ours, endings[i][0]) || !ends_with(name, n, endings[i][1])) continue;
        const size_t head = n_ours - strlen(endings[i][0]);
        if (n - strlen(endings[i][1]) == head && !memcmp(ours, name, head)) return true;
    }
    return false;
}

static bool is_own(const dlg_parameter *parameter, const char *name)
{
    return is_spelled(parameter->name, name) || is_spelled(without_prefix(parameter->name), name);
}

bool dlg_naming_fits(const dlg_parameter *parameter, const char *name)
{
    return is_own(parameter, name) || is_spelled(parameter->also, name);
}

bool dlg_naming_is_buffer(const char *name)
{
    static const char *const buffers[] = {"embeddings.position_ids", "embeddings.token_type_ids"};
    const char *bare = without_prefix(name) ? without_prefix(name) : name;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (!strcmp(bare, buffers[i])) return true;
    return false;
}

/* ---- tensors ---- */

static bool is_same(const dlg_tensor *a, const dlg_tensor *b)
{
    if (a->dtype != b->dtype || a->n_dims != b->n_dims) return false;
    for (size_t d = 0; d < a->n_dims; d++)
        if (a->shape[d] != b->shape[d]) return false;
    return !a->n_items || !memcmp(a->bytes, b->bytes, a->n_items * dlg_dtype_bytes(a->dtype));
}

/* What the metadata call it instead of `name`, which no tensor has. */
static const dlg_tensor *find_by_metadata(const dlg_naming *naming, const char *name)
{
    char key[MOST_WRAPPER + DLG_PARAMETER_NAME];
    if (!name || !dlg_safetensors_count(naming->file)) return NULL;
    snprintf(key, sizeof key, "%.*s%s", (int)naming->n_wrapper, dlg_safetensors_at(naming->file, 0)->name, name);
    const char *other = dlg_safetensors_metadata(naming->file, key);
    return other ? dlg_safetensors_find(naming->file, other) : NULL;
}

/* One more tensor of a parameter: the first is taken, and the others say the same. */
static dlg_status take(const dlg_tensor **out, const dlg_naming *naming, const dlg_tensor *tensor, dlg_error *err)
{
    if (*out && !is_same(*out, tensor))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: %s and %s: want the same numbers, for both are one parameter, found others",
                        dlg_safetensors_path(naming->file), (*out)->name, tensor->name);
    if (!*out) *out = tensor;
    return DLG_OK;
}

dlg_status dlg_naming_find(const dlg_tensor **out, const dlg_naming *naming, const dlg_parameter *parameter,
                           dlg_error *err)
{
    const char *const names[] = {parameter->name, without_prefix(parameter->name), parameter->also};
    const dlg_tensor *also = NULL;
    dlg_status status = DLG_OK;
    *out = NULL;
    for (size_t i = 0; i < dlg_safetensors_count(naming->file) && !status; i++) {
        const char *name = dlg_naming_at(naming, i);
        const dlg_tensor *tensor = dlg_safetensors_at(naming->file, i);
        if (is_own(parameter, name)) status = take(out, naming, tensor, err);
        else if (is_spelled(parameter->also, name)) also = tensor;
    }
    if (!status && also && (!*out || parameter->also_is_same)) status = take(out, naming, also, err);
    for (size_t i = 0; i < sizeof names / sizeof *names && !status && !*out; i++)
        *out = find_by_metadata(naming, names[i]);
    return status;
}
