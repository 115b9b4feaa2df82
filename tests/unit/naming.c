/** Which tensor is which parameter: wrappers, parameters with two names, buffers, and what metadata say. */
#include "gradient/gradient.h"
#include "models/naming.h"

#include "scratch.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char words[] = "bert.embeddings.word_embeddings.weight", decoder[] = "cls.predictions.decoder.weight",
                  bias[] = "cls.predictions.bias", decoder_bias[] = "cls.predictions.decoder.bias";

/* As a model's directory. */
static dlg_status open_model(const small_model *small, dlg_error *err)
{
    dlg_model *model;
    small_model_write_config(DLG_MASKED_LM);
    small_model_write(small, "model.safetensors", DLG_F32);
    const dlg_status status = dlg_model_load(&model, scratch_directory(), DLG_FORWARD_ONLY, err);
    if (status) return status;
    for (size_t i = 0; i < model->n_parameters; i++)
        assert_true(fabs((double)(model->parameters[i].value[0] - small->numbers[i][0])) < 1e-6);
    dlg_model_free(model);
    return DLG_OK;
}

/* As a gradient, of which all is there but what is left out, if not NULL; that may be named by an entry of metadata. */
static dlg_status open_gradient(const small_model *small, const char *left_out, const dlg_metadata *entry,
                                dlg_error *err)
{
    dlg_safetensors *file = NULL;
    dlg_gradient gradient;
    dlg_tensor_source tensors[SMALL_TENSORS];
    size_t n = 0;
    for (size_t i = 0; i < small->n; i++)
        if (!left_out || strcmp(small->names[i], left_out) != 0) tensors[n++] = small->tensors[i];
    const char *path = scratch_path("case.g");
    dlg_status status = dlg_safetensors_write(path, n, tensors, DLG_F32, entry ? 1 : 0, entry, err);
    if (!status) status = dlg_safetensors_open(&file, path, err);
    if (status) fail_msg("%s", err->message);
    status = dlg_gradient_open(&gradient, file, small->model, err);
    for (size_t i = 0; i < gradient.n; i++) {
        assert_non_null(gradient.values[i]);
        assert_true(fabs((double)(gradient.values[i][0] - small->numbers[i][0])) < 1e-6);
    }
    dlg_gradient_release(&gradient);
    dlg_safetensors_close(file);
    return status;
}

static void check_opens(const small_model *small)
{
    dlg_error err;
    if (open_gradient(small, NULL, NULL, &err) || open_model(small, &err)) fail_msg("%s", err.message);
}

static void check_refused(const small_model *small, const char *object)
{
    dlg_error err = {0};
    assert_refused(open_gradient(small, NULL, NULL, &err), DLG_EFORMAT, &err, "case.g", object);
    assert_refused(open_model(small, &err), DLG_EFORMAT, &err, "model.safetensors", object);
}

static void wrap_all(small_model *small, const char *wrapper)
{
    for (size_t i = 0; i < small->n; i++) {
        char name[sizeof small->names[i]];
        snprintf(name, sizeof name, "%s%.80s", wrapper, small->names[i]);
        memcpy(small->names[i], name, sizeof name);
    }
}

static void wrappers(void **state)
{
    (void)state;
    static const char *const cases[] = {"module.",           "_orig_mod.",        "_module.",
                                        "base_model.model.", "module._orig_mod.", "_orig_mod.module.module."};
    for (size_t i = 0; i < COUNT(cases); i++) {
        small_model small;
        small_model_create(&small, DLG_MASKED_LM);
        wrap_all(&small, cases[i]);
        check_opens(&small);
        small_model_release(&small);
    }
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_rename_all(&small, "bert.", "");
    wrap_all(&small, "module.");
    check_opens(&small);
    small_model_rename(&small, "module.embeddings.LayerNorm.bias", "embeddings.LayerNorm.bias");
    check_refused(&small, "tensor module.cls.predictions.bias");
    small_model_release(&small);
    small_model_create(&small, DLG_MASKED_LM);
    wrap_all(&small, "_forward_module.model.");
    check_opens(&small);
    small_model_rename(&small, "_forward_module.model.cls.predictions.bias", "cls.predictions.bias");
    check_refused(&small, "tensor _forward_module.model.bert.");
    small_model_release(&small);
}

/* Either name of a parameter that is used in two places, or both. */
static void two_names(void **state)
{
    (void)state;
    static const char *const names[][2] = {{words, decoder}, {bias, decoder_bias}};
    for (size_t i = 0; i < COUNT(names); i++) {
        small_model small;
        small_model_create(&small, DLG_MASKED_LM);
        const size_t copy = small_model_copy(&small, names[i][0], names[i][1]);
        check_opens(&small);
        small.numbers[copy][1] += 1;
        check_refused(&small, "want the same numbers, for both are one parameter, found others");
        small.tensors[copy].shape[0]--;
        check_refused(&small, "want the same numbers, for both are one parameter, found others");
        small_model_release(&small);
        small_model_create(&small, DLG_MASKED_LM);
        small_model_rename(&small, names[i][0], names[i][1]);
        check_opens(&small);
        wrap_all(&small, "_orig_mod.");
        check_opens(&small);
        small_model_release(&small);
    }
}

/* As safetensors writes tensors that lie in one memory: what is not there is the same as another. */
static void metadata(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"bert.encoder.layer.0.output.LayerNorm.bias", "bert.encoder.layer.0.attention.output.LayerNorm.bias"},
        {"module.bert.encoder.layer.0.output.LayerNorm.bias",
         "module.bert.encoder.layer.0.attention.output.LayerNorm.bias"}};
    for (size_t i = 0; i < COUNT(names); i++) {
        const dlg_metadata entry = {names[i][0], names[i][1]};
        small_model small;
        dlg_error err;
        small_model_create(&small, DLG_MASKED_LM);
        if (i) wrap_all(&small, "module.");
        const size_t left_out = small_model_find(&small, names[i][0]), same = small_model_find(&small, names[i][1]);
        memcpy(small.numbers[left_out], small.numbers[same], 8 * sizeof *small.numbers[same]);
        if (open_gradient(&small, names[i][0], &entry, &err)) fail_msg("%s", err.message);
        small_model_release(&small);
    }
}

/* What is no parameter at all, in the integers it is made of. */
static void buffers(void **state)
{
    (void)state;
    static const char *const names[] = {"bert.embeddings.position_ids", "embeddings.token_type_ids", "embeddings.odd"};
    static const dlg_dtype dtypes[] = {DLG_I64, DLG_I32, DLG_BOOL};
    const int64_t numbers[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < COUNT(names); i++) {
        small_model small;
        dlg_array arrays[SMALL_TENSORS + 1];
        dlg_safetensors *set;
        dlg_gradient gradient;
        dlg_error err = {0};
        small_model_create(&small, DLG_MASKED_LM);
        for (size_t k = 0; k < small.n; k++) {
            arrays[k] = (dlg_array){.name = small.names[k],
                                    .dtype = sizeof(dlg_real) == 4 ? DLG_F32 : DLG_F64,
                                    .n_dims = small.tensors[k].n_dims,
                                    .values = small.numbers[k]};
            memcpy(arrays[k].shape, small.tensors[k].shape, sizeof small.tensors[k].shape);
        }
        arrays[small.n] =
            (dlg_array){.name = names[i], .dtype = dtypes[i], .n_dims = 2, .shape = {1, 4}, .values = numbers};
        if (dlg_safetensors_of_arrays(&set, "arrays", small.n + 1, arrays, &err)) fail_msg("%s", err.message);
        assert_int_equal(dlg_gradient_open(&gradient, set, small.model, &err), DLG_OK);
        dlg_gradient_release(&gradient);
        dlg_safetensors_close(set);
        small_model_release(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrappers), cmocka_unit_test(two_names),
                                       cmocka_unit_test(metadata), cmocka_unit_test(buffers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
