#include "gradient/arrived.h"

#include "base/interrupt.h"
#include "base/memory.h"

/* ---- lists ---- */

/* Nobody's file has more copies than parameters; a stranger's might, to have them compared for hours. */
static bool has_too_many(const dlg_safetensors *file, const dlg_model *model)
{
    return dlg_safetensors_count(file) / 4 > model->n_parameters;
}

/* Tied parameters come twice in a state_dict. */
static bool is_copy_of_named(const dlg_safetensors *file, const char *const names[], size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (names[k] && dlg_tensor_is_copy(dlg_safetensors_at(file, i), dlg_safetensors_at(file, k))) return true;
    return false;
}

/* The i-th one's name, or NULL for what the list has besides; *k moves on to the next parameter. */
static dlg_status name_next(const char *names[], size_t i, size_t *k, const dlg_safetensors *file,
                            const dlg_model *model, dlg_error *err)
{
    const char *path = dlg_safetensors_path(file);
    const dlg_tensor *tensor = dlg_safetensors_at(file, i);
    const dlg_parameter *parameter = *k < model->n_parameters ? &model->parameters[*k] : NULL;
    dlg_error shape = {0};
    if (!dlg_dtype_is_real(tensor->dtype)) return DLG_OK; /* a buffer */
    if (parameter && (tensor->is_none || !dlg_parameter_check_shape(parameter, tensor, path, &shape))) {
        ++*k;
        names[i] = tensor->is_none ? NULL : parameter->name;
        return DLG_OK;
    }
    if (!has_too_many(file, model) && is_copy_of_named(file, names, i)) return DLG_OK;
    if (parameter)
        return dlg_fail(err, DLG_ESHAPE, "%.400s: a list without names, of which this should be %s", shape.message,
                        parameter->name);
    return dlg_fail(err, DLG_ESHAPE, "%s: a list without names: want %zu tensors, as %s has parameters, found more",
                    path, model->n_parameters, model->name);
}

dlg_status dlg_name_by_order(dlg_safetensors *file, const dlg_model *model, dlg_error *err)
{
    if (!dlg_safetensors_is_nameless(file)) return DLG_OK;
    const char *path = dlg_safetensors_path(file);
    const size_t n = dlg_safetensors_count(file);
    const char **names = dlg_allocate(n, sizeof *names);
    size_t k = 0;
    dlg_status status = names ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu names", path, n);
    for (size_t i = 0; i < n && !status; i++) {
        status = dlg_check_interrupt(err);
        if (!status) status = name_next(names, i, &k, file, model, err);
    }
    if (!status && k < model->n_parameters)
        status =
            dlg_fail(err, DLG_ESHAPE, "%s: a list without names: want %zu tensors, as %s has parameters, found %zu",
                     path, model->n_parameters, model->name, k);
    if (!status) status = dlg_safetensors_name(file, names, err);
    dlg_free(names);
    return status;
}

/* ---- weights ---- */

typedef enum { UNKNOWN, OTHER, NEAR, EQUAL } likeness;

/*
 * A gradient is no nearer to the weights than zero is, and weights after a little training differ by a few per cent.
 * The numbers in the middle are enough: beginnings are padding's.
 */
static likeness compare(const dlg_real *values, const dlg_real *weights, size_t n)
{
    enum { LOOKED_AT = 64 };
    const size_t from = n > LOOKED_AT ? (n - LOOKED_AT) / 2 : 0, end = n > LOOKED_AT ? from + LOOKED_AT : n;
    double size = 0, difference = 0;
    for (size_t i = from; i < end; i++) {
        const double w = (double)weights[i], d = (double)values[i] - w;
        size += w * w;
        difference += d * d;
    }
    if (!(size > 0)) return UNKNOWN; /* biases of a fresh model */
    return difference == 0 ? EQUAL : difference < 0.25 * size ? NEAR : OTHER;
}

dlg_status dlg_refuse_weights(const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    size_t n_equal = 0, n_near = 0, n_other = 0;
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &model->parameters[i];
        if (!gradient->values[i] || !p->value) continue;
        const likeness found = compare(gradient->values[i], p->value, dlg_parameter_items(p));
        n_equal += found == EQUAL;
        n_near += found == NEAR;
        n_other += found == OTHER;
    }
    if (n_equal + n_near <= n_other) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: want a gradient, found %s%s%s", dlg_safetensors_path(gradient->file),
                    n_equal > n_near ? "the weights of " : "weights of ", model->name,
                    n_equal > n_near ? " themselves" : " after more training");
}
