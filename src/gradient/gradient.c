#include "gradient/gradient.h"

#include "base/interrupt.h"
#include "gradient/arrived.h"
#include "gradient/decay.h"
#include "math/blas.h"
#include "models/architecture.h"
#include "math/tolerance.h"
#include "models/naming.h"

#include <assert.h>
#include <string.h>

static dlg_status create(dlg_gradient *out, const dlg_model *model, dlg_error *err)
{
    assert(model->config.task != DLG_CAUSAL_LM);
    *out = (dlg_gradient){.model = model, .n = model->n_parameters, .roundoff = dlg_roundoff};
    out->values = dlg_allocate(out->n, sizeof *out->values);
    out->owned = dlg_allocate(out->n, sizeof *out->owned);
    if (out->values && out->owned) return DLG_OK;
    return dlg_fail(err, DLG_ENOMEM, "gradient of %s: no memory", model->name);
}

static dlg_status own(dlg_gradient *gradient, size_t i, dlg_error *err)
{
    const dlg_parameter *parameter = &gradient->model->parameters[i];
    gradient->owned[i] = dlg_allocate(dlg_parameter_items(parameter), sizeof *gradient->owned[i]);
    if (!gradient->owned[i])
        return dlg_fail(err, DLG_ENOMEM, "gradient of %s: no memory for %s", gradient->model->name, parameter->name);
    gradient->values[i] = gradient->owned[i];
    return DLG_OK;
}

static dlg_status load(dlg_gradient *gradient, size_t i, const dlg_naming *naming, dlg_error *err)
{
    const dlg_parameter *parameter = &gradient->model->parameters[i];
    const char *path = dlg_safetensors_path(gradient->file);
    const dlg_tensor *tensor;
    dlg_status status = dlg_naming_find(&tensor, naming, parameter, err);
    if (status || !tensor) return status; /* none: frozen */
    status = dlg_parameter_check_shape(parameter, tensor, path, err);
    if (status) return status;
    gradient->dtype = tensor->dtype;
    return dlg_parameter_read(&gradient->values[i], &gradient->owned[i], parameter, tensor, path, err);
}

/*
 * Norms of a gradient are squares of so many numbers, and single precision ends at 3e38: where one is larger than this
 * they may be infinite, and all that is computed of them no number. Of real losses, multiplied by a scaler of mixed
 * precision too, numbers are below 1e10.
 */
static const dlg_real largest = (dlg_real)1e14;

static dlg_status check_range(const dlg_gradient *gradient, size_t i, dlg_error *err)
{
    const dlg_real *values = gradient->values[i];
    const dlg_parameter *p = &gradient->model->parameters[i];
    const size_t n = values ? dlg_parameter_items(p) : 0;
    if (dlg_largest_absolute(n, values) <= largest) return DLG_OK;
    return dlg_fail(err, DLG_ENONFINITE, "%s: %s: want numbers up to %g, found %g",
                    dlg_safetensors_path(gradient->file), p->name, (double)largest,
                    (double)dlg_largest_absolute(n, values));
}

/* In double, too, a file of single precision's numbers is no more exact than these, whatever its dtype. */
static double find_roundoff(const dlg_gradient *gradient)
{
    for (size_t i = 0; i < gradient->n; i++) {
        const size_t n = gradient->values[i] ? dlg_parameter_items(&gradient->model->parameters[i]) : 0;
        for (size_t k = 0; k < n; k++)
            if ((dlg_real)(float)gradient->values[i][k] != gradient->values[i][k]) return dlg_roundoff;
    }
    return DLG_SINGLE_ROUNDOFF;
}

static bool is_empty(const dlg_gradient *gradient)
{
    for (size_t i = 0; i < gradient->n; i++)
        if (gradient->values[i]) return false;
    return true;
}

static bool is_zero(const dlg_gradient *gradient)
{
    for (size_t i = 0; i < gradient->n; i++) {
        const size_t n = gradient->values[i] ? dlg_parameter_items(&gradient->model->parameters[i]) : 0;
        if (dlg_largest_absolute(n, gradient->values[i]) > 0) return false;
    }
    return true;
}

/* @param is_state what training leaves behind may be there too */
static dlg_status refuse_unknown(const dlg_gradient *gradient, const dlg_naming *naming, bool is_state, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    for (size_t i = 0; i < dlg_safetensors_count(gradient->file); i++) {
        const dlg_tensor *tensor = dlg_safetensors_at(gradient->file, i);
        const char *name = dlg_naming_at(naming, i);
        bool known = !dlg_dtype_is_real(tensor->dtype) || dlg_naming_is_buffer(name); /* a buffer has no gradient */
        known |= is_state && dlg_architecture_of(&model->config)->is_left_behind(&model->config, name);
        for (size_t k = 0; k < gradient->n && !known; k++)
            known = dlg_naming_fits(&gradient->model->parameters[k], name);
        if (!known)
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor %s is not a parameter of %s (%s)",
                            dlg_safetensors_path(gradient->file), dlg_safetensors_at(gradient->file, i)->name,
                            gradient->model->name, dlg_task_name(gradient->model->config.task));
    }
    return DLG_OK;
}

/* The file is well, but of another size than the model that it is held against. */
static dlg_status blame_model(const dlg_model *model, dlg_error *err)
{
    const dlg_error shape = err ? *err : (dlg_error){0};
    return dlg_fail(err, DLG_ESHAPE, "%s: not a gradient of %s", shape.message, model->name);
}

dlg_status dlg_gradient_open_as(dlg_gradient *out, dlg_safetensors *file, const dlg_model *model,
                                dlg_status (*convert)(dlg_gradient *, const void *how, dlg_error *), const void *how,
                                dlg_error *err)
{
    dlg_status status = create(out, model, err);
    out->file = file;
    if (!status) status = dlg_name_by_order(file, model, err);
    const dlg_naming naming = dlg_naming_of(file);
    if (!status) status = refuse_unknown(out, &naming, convert != NULL, err);
    for (size_t i = 0; i < out->n && !status; i++) {
        status = dlg_check_interrupt(err);
        if (!status) status = load(out, i, &naming, err);
        if (status == DLG_ESHAPE) status = blame_model(model, err);
        if (!status) status = check_range(out, i, err);
        dlg_safetensors_rest(out->file); /* checked; each is needed again one at a time */
    }
    if (!status && is_empty(out))
        status = dlg_fail(err, DLG_EFORMAT, "%s: want gradients of %s's parameters, found none",
                          dlg_safetensors_path(file), model->name);
    if (!status && dlg_roundoff < DLG_SINGLE_ROUNDOFF) out->roundoff = find_roundoff(out);
    if (!status) status = convert ? convert(out, how, err) : dlg_refuse_weights(out, err);
    if (!status && !dlg_training_hides_sizes(&out->training)) status = dlg_decay_take_out(out, err);
    if (!status && is_zero(out))
        status =
            dlg_fail(err, DLG_EFORMAT, "%s: every %s, there is nothing to recover", dlg_safetensors_path(file),
                     out->training.shared == DLG_SHARED_WEIGHTS ? "weight is as it was before" : "gradient is zero");
    if (status) dlg_gradient_release(out);
    return status;
}

dlg_status dlg_gradient_open(dlg_gradient *out, dlg_safetensors *file, const dlg_model *model, dlg_error *err)
{
    return dlg_gradient_open_as(out, file, model, NULL, NULL, err);
}

dlg_status dlg_gradient_create(dlg_gradient *out, const dlg_model *model, dlg_error *err)
{
    dlg_status status = create(out, model, err);
    for (size_t i = 0; i < out->n && !status; i++) status = own(out, i, err);
    if (status) dlg_gradient_release(out);
    return status;
}

void dlg_gradient_release(dlg_gradient *gradient)
{
    for (size_t i = 0; gradient->owned && i < gradient->n; i++) dlg_free(gradient->owned[i]);
    dlg_free(gradient->owned);
    dlg_free(gradient->values);
    dlg_free(gradient->rounding);
    dlg_free(gradient->defence);
    *gradient = (dlg_gradient){0};
}

dlg_status dlg_gradient_save(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, size_t n_metadata,
                             const dlg_metadata *metadata, dlg_error *err)
{
    dlg_tensor_source *tensors = dlg_allocate(gradient->n, sizeof *tensors);
    if (!tensors) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    size_t n = 0;
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        const size_t rows_and_columns[] = {p->n_rows, p->n_cols};
        if (!gradient->values[i]) continue;
        tensors[n] = (dlg_tensor_source){.name = p->name, .n_dims = p->n_dims, .values = gradient->values[i]};
        memcpy(tensors[n++].shape, rows_and_columns + (2 - p->n_dims), p->n_dims * sizeof *rows_and_columns);
    }
    const dlg_status status = dlg_safetensors_write(path, n, tensors, dtype, n_metadata, metadata, err);
    dlg_free(tensors);
    return status;
}

const dlg_real *dlg_gradient_at(const dlg_gradient *gradient, const dlg_parameter *parameter)
{
    return gradient->values[parameter - gradient->model->parameters];
}

double dlg_gradient_rounding_at(const dlg_gradient *gradient, const dlg_parameter *parameter)
{
    return gradient->rounding ? gradient->rounding[parameter - gradient->model->parameters] : 0;
}

const dlg_real *dlg_gradient_of(const dlg_gradient *gradient, const char *parameter_name)
{
    return dlg_gradient_at(gradient, dlg_model_parameter(gradient->model, parameter_name));
}

dlg_stack dlg_gradient_inputs(const dlg_gradient *gradient, const dlg_block_roles *block)
{
    const dlg_parameter *const weights[] = {block->query.weight, block->key.weight, block->value.weight};
    dlg_stack stack = {.n_in = weights[0]->n_cols};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        const dlg_real *g = dlg_gradient_at(gradient, weights[i]);
        if (!g || (i && weights[i] == weights[i - 1])) continue; /* frozen; or one weight makes them all */
        stack.blocks[stack.n_blocks] = g;
        stack.n_rows[stack.n_blocks++] = weights[i]->n_rows;
    }
    return stack;
}
