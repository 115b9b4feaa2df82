#include "models/model.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"
#include "models/architecture.h"
#include "models/naming.h"

#include <assert.h>
#include <string.h>

static dlg_status load_parameter(dlg_parameter *parameter, const dlg_naming *naming, dlg_error *err)
{
    const char *path = dlg_safetensors_path(naming->file);
    const dlg_tensor *tensor;
    dlg_status status = dlg_naming_find(&tensor, naming, parameter, err);
    if (status) return status;
    if (!tensor) return dlg_fail(err, DLG_EFORMAT, "%s: tensor %s is missing", path, parameter->name);
    status = dlg_parameter_check_shape(parameter, tensor, path, err);
    return status ? status : dlg_parameter_read(&parameter->value, &parameter->owned, parameter, tensor, path, err);
}

static dlg_status refuse_unknown(const dlg_model *model, const dlg_naming *naming, dlg_error *err)
{
    static const char *const purposes[] = {[DLG_MASKED_LM] = "masked language modelling",
                                           [DLG_SEQUENCE_CLASSIFICATION] = "sequence classification",
                                           [DLG_CAUSAL_LM] = "causal language modelling"};
    for (size_t i = 0; i < dlg_safetensors_count(model->file); i++) {
        const char *name = dlg_naming_at(naming, i);
        bool known =
            dlg_architecture_of(&model->config)->is_left_behind(&model->config, name) || dlg_naming_is_buffer(name);
        for (size_t k = 0; k < model->n_parameters && !known; k++) known = dlg_naming_fits(&model->parameters[k], name);
        if (!known)
            return dlg_fail(err, DLG_EFORMAT, "%s: tensor %s has no place in a %s for %s",
                            dlg_safetensors_path(model->file), dlg_safetensors_at(model->file, i)->name,
                            dlg_architecture_of(&model->config)->kind, purposes[model->config.task]);
    }
    return DLG_OK;
}

static dlg_status load_parameters(dlg_model *model, dlg_error *err)
{
    const dlg_naming naming = dlg_naming_of(model->file);
    dlg_status status = refuse_unknown(model, &naming, err);
    for (size_t i = 0; !status && i < model->n_parameters; i++) {
        status = dlg_check_interrupt(err);
        if (!status) status = load_parameter(&model->parameters[i], &naming, err);
    }
    return status;
}

static dlg_status draw_parameter(dlg_parameter *parameter, double std, uint64_t seed, dlg_error *err)
{
    const size_t n = dlg_parameter_items(parameter);
    const dlg_status status = dlg_check_interrupt(err);
    if (status) return status;
    parameter->owned = dlg_allocate(n, sizeof *parameter->owned);
    if (!parameter->owned) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %zu numbers", parameter->name, n);
    parameter->value = parameter->owned;
    switch (parameter->draw) {
    case DLG_DRAW_NORMAL:
    case DLG_DRAW_EMBEDDING:
        dlg_random_normal_fill(parameter->owned, n, std, seed, dlg_random_stream(parameter->name));
        if (parameter->draw == DLG_DRAW_EMBEDDING)
            memset(parameter->owned, 0, parameter->n_cols * sizeof *parameter->owned);
        break;
    case DLG_DRAW_ONE:
        for (size_t i = 0; i < n; i++) parameter->owned[i] = 1;
        break;
    case DLG_DRAW_ZERO: break;
    }
    return DLG_OK;
}

static dlg_status prepare_ways(const dlg_model *model, dlg_prepared_linear *linear, dlg_ways ways, dlg_error *err)
{
    dlg_stack stack = {.n_blocks = linear->n_parts, .n_in = linear->n_in};
    for (size_t i = 0; i < linear->n_parts; i++) {
        stack.blocks[i] = model->parameters[linear->weight[i]].value;
        stack.n_rows[i] = model->parameters[linear->weight[i]].n_rows;
    }
    dlg_status status = dlg_packed_weight_create(&linear->packed, &stack, err);
    if (!status && ways == DLG_BOTH_WAYS) status = dlg_packed_weight_pack_both_ways(linear->packed, err);
    /* packed, its numbers in the file are not read again: do not hold both */
    for (size_t i = 0; i < stack.n_blocks; i++)
        dlg_safetensors_rest_range(model->file, stack.blocks[i],
                                   stack.n_rows[i] * stack.n_in * sizeof *stack.blocks[i]);
    if (status) return status;
    const bool has_bias = linear->bias[0] != DLG_NO_PARAMETER;
    if (has_bias) linear->bias_value = model->parameters[linear->bias[0]].value;
    if (has_bias && linear->n_parts == 1) return DLG_OK;
    linear->bias_owned = dlg_allocate(linear->n_out, sizeof *linear->bias_owned);
    if (!linear->bias_owned) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", model->name);
    for (size_t i = 0, row = 0; has_bias && i < linear->n_parts; row += stack.n_rows[i++])
        memcpy(linear->bias_owned + row, model->parameters[linear->bias[i]].value,
               stack.n_rows[i] * sizeof *linear->bias_owned);
    linear->bias_value = linear->bias_owned;
    return DLG_OK;
}

static dlg_status prepare_linear(const dlg_model *model, dlg_prepared_linear *linear, dlg_error *err)
{
    return prepare_ways(model, linear, DLG_FORWARD_ONLY, err);
}

static dlg_status prepare_both_ways(const dlg_model *model, dlg_prepared_linear *linear, dlg_error *err)
{
    return prepare_ways(model, linear, DLG_BOTH_WAYS, err);
}

dlg_status dlg_model_describe(dlg_model **out, const char *name, const dlg_config *config, dlg_error *err)
{
    dlg_model *model = dlg_allocate(1, sizeof *model);
    if (model) model->name = dlg_copy_string(name);
    *out = model;
    if (!model || !model->name) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", name);
    model->config = *config;
    const dlg_architecture *architecture = dlg_architecture_of(config);
    model->parameters = dlg_allocate(DLG_MOST_PARAMETERS_OF_BLOCK * config->n_layers + DLG_MOST_PARAMETERS_BESIDE,
                                     sizeof *model->parameters);
    model->linears =
        dlg_allocate(DLG_MOST_LINEARS_OF_BLOCK * config->n_layers + DLG_MOST_LINEARS_BESIDE, sizeof *model->linears);
    if (!model->parameters || !model->linears) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", name);
    model->roles.blocks = dlg_allocate(config->n_layers, sizeof *model->roles.blocks);
    model->no_type = dlg_allocate(config->hidden_size, sizeof *model->no_type);
    if (!model->roles.blocks || !model->no_type) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", name);
    architecture->describe(model);
    assert(model->n_parameters <= DLG_MOST_PARAMETERS_OF_BLOCK * config->n_layers + DLG_MOST_PARAMETERS_BESIDE);
    assert(model->n_linears <= DLG_MOST_LINEARS_OF_BLOCK * config->n_layers + DLG_MOST_LINEARS_BESIDE);
    return DLG_OK;
}

typedef dlg_status for_linear(const dlg_model *, dlg_prepared_linear *, dlg_error *);

/* From the last one, which is the decoder: it is the largest, and nobody shall wait for it alone. */
static dlg_status for_each_linear(const dlg_model *model, for_linear *act, dlg_error *err)
{
    dlg_status status = DLG_OK;
    dlg_safetensors_rest(model->file);
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = model->n_linears; i > 0; i--) {
        dlg_error found;
        dlg_status its_status = dlg_check_interrupt(&found);
        if (!its_status) its_status = act(model, &model->linears[i - 1], &found);
        if (!its_status) continue;
#pragma omp critical
        {
            status = its_status;
            if (err) *err = found;
        }
    }
    dlg_safetensors_rest(model->file); /* what the tensors' ends brought along */
    return status;
}

static dlg_status pack_both_ways(const dlg_model *model, dlg_prepared_linear *linear, dlg_error *err)
{
    (void)model;
    return dlg_packed_weight_pack_both_ways(linear->packed, err);
}

dlg_status dlg_model_pack_both_ways(const dlg_model *model, dlg_error *err)
{
    return for_each_linear(model, pack_both_ways, err);
}

/* Hand the model over when all went well, else free it. */
static dlg_status finish(dlg_model **out, dlg_model *model, dlg_status status)
{
    if (status) dlg_model_free(model);
    *out = status ? NULL : model;
    return status;
}

dlg_status dlg_model_load(dlg_model **out, const char *directory, dlg_ways ways, dlg_error *err)
{
    return dlg_model_load_weights(out, directory, directory, ways, err);
}

dlg_status dlg_model_load_weights(dlg_model **out, const char *directory, const char *weights, dlg_ways ways,
                                  dlg_error *err)
{
    dlg_model *model = NULL;
    dlg_config config;
    *out = NULL;
    char *path = dlg_path_join(directory, "config.json");
    if (!path) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", directory);
    dlg_status status = dlg_config_read(&config, path, err);
    dlg_free(path);
    if (status) return status;
    status = dlg_model_describe(&model, directory, &config, err);
    if (!status) status = dlg_safetensors_open_directory(&model->file, weights, err);
    if (!status) status = load_parameters(model, err);
    if (!status) status = for_each_linear(model, ways == DLG_BOTH_WAYS ? prepare_both_ways : prepare_linear, err);
    return finish(out, model, status);
}

dlg_status dlg_model_preset(dlg_model **out, const char *name, const dlg_config *config, uint64_t seed, dlg_error *err)
{
    dlg_model *model = NULL;
    dlg_status status = dlg_model_describe(&model, name, config, err);
    if (!status) model->seed = seed;
    for (size_t i = 0; !status && i < model->n_parameters; i++)
        status = draw_parameter(&model->parameters[i], config->initializer_range, seed, err);
    if (!status) status = for_each_linear(model, prepare_linear, err);
    return finish(out, model, status);
}

dlg_status dlg_model_with(dlg_model **out, const dlg_model *like, const dlg_real *const *values, dlg_error *err)
{
    dlg_model *model = NULL;
    dlg_status status = dlg_model_describe(&model, like->name, &like->config, err);
    for (size_t i = 0; !status && i < model->n_parameters; i++) {
        dlg_parameter *p = &model->parameters[i];
        const size_t n = dlg_parameter_items(p);
        p->value = p->owned = dlg_allocate(n, sizeof *p->owned);
        if (p->owned) memcpy(p->owned, values[i], n * sizeof *p->owned);
        else status = dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", like->name, p->name);
    }
    if (!status) status = for_each_linear(model, prepare_linear, err);
    return finish(out, model, status);
}

void dlg_model_free(dlg_model *model)
{
    if (!model) return;
    for (size_t i = 0; i < model->n_linears; i++) {
        dlg_packed_weight_free(model->linears[i].packed);
        dlg_free(model->linears[i].bias_owned);
    }
    for (size_t i = 0; i < model->n_parameters; i++) dlg_free(model->parameters[i].owned);
    dlg_free(model->linears);
    dlg_free(model->roles.blocks);
    dlg_free(model->no_type);
    dlg_free(model->parameters);
    dlg_safetensors_close(model->file);
    dlg_tokenizer_close(model->tokenizer);
    dlg_free(model->name);
    dlg_free(model);
}

size_t dlg_model_size(const dlg_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < model->n_parameters; i++) n += dlg_parameter_items(&model->parameters[i]);
    return n;
}

const dlg_parameter *dlg_model_parameter(const dlg_model *model, const char *name)
{
    for (size_t i = 0; i < model->n_parameters; i++)
        if (!strcmp(model->parameters[i].name, name)) return &model->parameters[i];
    assert(false && "a parameter of that name");
    return NULL;
}

uint32_t dlg_model_padding(const dlg_model *model)
{
    return model->tokenizer ? dlg_tokenizer_special(model->tokenizer).pad : UINT32_MAX;
}

const dlg_real *dlg_model_types(const dlg_model *model, size_t *n)
{
    *n = model->roles.types ? model->roles.types->n_rows : 1;
    return model->roles.types ? model->roles.types->value : model->no_type;
}

const dlg_real *dlg_model_word_embeddings(const dlg_model *model)
{
    return model->roles.words->value;
}
