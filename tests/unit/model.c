/**
 * Models: what a directory may hold and by what name everything else is refused; presets and the numbers they are drawn
 * from.
 */
#include "models/model.h"

#include "scarce.h"
#include "scratch.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char query[] = "bert.encoder.layer.0.attention.self.query.weight";

/* Write what `small` has become beside a config.json, and open it. */
static dlg_status open_written(dlg_model **out, const small_model *small, dlg_task task, dlg_dtype dtype,
                               dlg_error *err)
{
    small_model_write_config(task);
    small_model_write(small, "model.safetensors", dtype);
    return dlg_model_load(out, scratch_directory(), DLG_BOTH_WAYS, err);
}

/* Open, and compare every parameter with the tensor of number i, whose name may have changed. */
static void check_opens(const small_model *small, dlg_task task, dlg_dtype dtype, double tolerance)
{
    dlg_error err = {0};
    dlg_model *model;
    if (open_written(&model, small, task, dtype, &err)) fail_msg("%s", err.message);
    assert_string_equal(model->name, scratch_directory());
    assert_true(model->n_parameters <= small->n);
    size_t n_numbers = 0;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const dlg_parameter *p = &model->parameters[i];
        n_numbers += dlg_parameter_items(p);
        for (size_t k = 0; k < dlg_parameter_items(p); k++)
            if (!(fabs((double)p->value[k] - (double)small->numbers[i][k]) <=
                  tolerance * fabs((double)small->numbers[i][k])))
                fail_msg("%s[%zu]: want %g, found %g", p->name, k, (double)small->numbers[i][k], (double)p->value[k]);
    }
    assert_int_equal(dlg_model_size(model), n_numbers);
    assert_ptr_equal(dlg_model_word_embeddings(model), model->parameters[0].value);
    dlg_model_free(model);
}

static void opens_every_dtype(void **state)
{
    (void)state;
    static const struct {
        dlg_dtype dtype;
        double tolerance;
    } dtypes[] = {{DLG_F64, 0}, {DLG_F32, 6e-8}, {DLG_F16, 5e-4}, {DLG_BF16, 4e-3}};
    for (int task = DLG_MASKED_LM; task <= DLG_SEQUENCE_CLASSIFICATION; task++)
        for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
            small_model small;
            small_model_create(&small, (dlg_task)task);
            /* Near zero half precision keeps fewer digits. */
            for (size_t t = 0; t < small.n; t++)
                for (size_t k = 0; k < dlg_parameter_items(&small.model->parameters[t]); k++)
                    if (fabs((double)small.numbers[t][k]) < 1e-3) small.numbers[t][k] = (dlg_real)0.25;
            check_opens(&small, (dlg_task)task, dtypes[i].dtype, dtypes[i].tolerance);
            small_model_release(&small);
        }
}

/* Names as files of all ages have them. */
static void opens_under_other_names(void **state)
{
    (void)state;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_rename_all(&small, "bert.", "");
    check_opens(&small, DLG_MASKED_LM, DLG_F32, 6e-8);
    small_model_rename_all(&small, "LayerNorm.weight", "LayerNorm.gamma");
    small_model_rename_all(&small, "LayerNorm.bias", "LayerNorm.beta");
    check_opens(&small, DLG_MASKED_LM, DLG_F32, 6e-8);
    small_model_rename(&small, "cls.predictions.bias", "cls.predictions.decoder.bias");
    check_opens(&small, DLG_MASKED_LM, DLG_F32, 6e-8);
    small_model_add(&small, "bert.pooler.dense.bias", 8);
    small_model_add(&small, "cls.seq_relationship.bias", 2);
    check_opens(&small, DLG_MASKED_LM, DLG_F32, 6e-8);
    small_model_release(&small);
}

/* GPT-2: weights lie transposed; with and without the prefix, and with what older files and tied decoders hold
 * besides. */
static void opens_gpt2(void **state)
{
    (void)state;
    static const char fc[] = "transformer.h.0.mlp.c_fc.weight";
    dlg_error err;
    dlg_model *model;
    small_model small;
    small_model_create(&small, DLG_CAUSAL_LM);
    const size_t i = small_model_find(&small, fc);
    for (int round = 0; round < 3; round++) {
        if (round == 1) small_model_rename_all(&small, "transformer.", "");
        if (round == 2) {
            small_model_copy(&small, "wte.weight", "lm_head.weight");
            small_model_add(&small, "h.0.attn.bias", 81);
            small_model_add(&small, "h.0.attn.masked_bias", 1);
        }
        if (open_written(&model, &small, DLG_CAUSAL_LM, DLG_F64, &err)) fail_msg("%s", err.message);
        const dlg_parameter *p = dlg_model_parameter(model, fc);
        assert_int_equal(p->n_rows, 12);
        assert_int_equal(p->n_cols, 8);
        for (size_t row = 0; row < 12; row++)
            for (size_t col = 0; col < 8; col++)
                assert_true(p->value[row * 8 + col] == small.numbers[i][col * 12 + row]);
        assert_ptr_equal(dlg_model_word_embeddings(model), dlg_model_parameter(model, "transformer.wte.weight")->value);
        dlg_model_free(model);
    }
    small_model_release(&small);
}

/* Write, spoil, and expect a refusal that names the file and what is wrong in it. */
static void check_refused(small_model *small, dlg_task task, dlg_status wanted, const char *object)
{
    dlg_error err = {0};
    dlg_model *model = small->model;
    assert_refused(open_written(&model, small, task, DLG_F32, &err), wanted, &err, "model.safetensors", object);
    assert_null(model);
    small_model_release(small);
    small_model_create(small, DLG_MASKED_LM);
}

static void refuses_tensors(void **state)
{
    (void)state;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_drop(&small, query);
    check_refused(&small, DLG_MASKED_LM, DLG_EFORMAT, "bert.encoder.layer.0.attention.self.query.weight is missing");

    small.tensors[small_model_find(&small, query)].shape[0] = 9;
    check_refused(&small, DLG_MASKED_LM, DLG_ESHAPE,
                  "bert.encoder.layer.0.attention.self.query.weight: want shape (8, 8), found (9, 8)");

    small.tensors[small_model_find(&small, query)].n_dims = 1;
    check_refused(&small, DLG_MASKED_LM, DLG_ESHAPE, "query.weight: want shape (8, 8), found (8)");

    small.tensors[small_model_find(&small, "cls.predictions.bias")].shape[0] = 10;
    check_refused(&small, DLG_MASKED_LM, DLG_ESHAPE, "cls.predictions.bias: want shape (11), found (10)");

    small_model_add(&small, "bert.encoder.layer.1.output.dense.bias", 8);
    check_refused(&small, DLG_MASKED_LM, DLG_EFORMAT, "bert.encoder.layer.1.output.dense.bias has no place");

    small_model_add(&small, "bert.encoder.layer.0.adapter.bias", 8);
    check_refused(&small, DLG_MASKED_LM, DLG_EFORMAT,
                  "adapter.bias has no place in a BERT for masked language modelling");

    /* A masked LM where a classifier is announced, and the other way round. */
    check_refused(&small, DLG_SEQUENCE_CLASSIFICATION, DLG_EFORMAT, "bert.pooler.dense.weight is missing");
    small_model_release(&small);
    small_model_create(&small, DLG_SEQUENCE_CLASSIFICATION);
    check_refused(&small, DLG_MASKED_LM, DLG_EFORMAT, "classifier");
    small_model_release(&small);
}

static void refuses_tensors_of_gpt2(void **state)
{
    (void)state;
    static const struct {
        const char *spoiled, *object;
        dlg_status status;
    } cases[] = {
        {"transformer.h.0.attn.c_attn.weight", "transformer.h.0.attn.c_attn.weight: want shape (8, 24), found (9, 24)",
         DLG_ESHAPE},
        {"transformer.h.0.attn.c_attn.bias", "transformer.h.0.attn.c_attn.bias: want shape (24), found (9)",
         DLG_ESHAPE},
        {"transformer.wte.weight", "transformer.wte.weight: want shape (11, 8), found (9, 8)", DLG_ESHAPE},
        {"transformer.wpe.weight", "transformer.wpe.weight is missing", DLG_EFORMAT},
        {"transformer.ln_f.bias", "transformer.ln_f.bias is missing", DLG_EFORMAT},
        {"transformer.h.0.mlp.c_proj.weight", "transformer.h.0.mlp.c_proj.weight is missing", DLG_EFORMAT},
        {NULL, "transformer.h.1.ln_1.bias has no place in a GPT-2 for causal language modelling", DLG_EFORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err = {0};
        dlg_model *model;
        small_model small;
        small_model_create(&small, DLG_CAUSAL_LM);
        if (!cases[i].spoiled) small_model_add(&small, "transformer.h.1.ln_1.bias", 8);
        else if (cases[i].status == DLG_EFORMAT) small_model_drop(&small, cases[i].spoiled);
        else small.tensors[small_model_find(&small, cases[i].spoiled)].shape[0] = 9;
        assert_refused(open_written(&model, &small, DLG_CAUSAL_LM, DLG_F32, &err), cases[i].status, &err,
                       "model.safetensors", cases[i].object);
        assert_null(model);
        small_model_release(&small);
    }
}

/* A number that the writer would not write. */
static void refuses_numbers(void **state)
{
    (void)state;
    static const float marker = 12345.678F, bad[] = {NAN, INFINITY, -INFINITY};
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small.numbers[small_model_find(&small, query)][5] = (dlg_real)marker;
    small_model_write_config(DLG_MASKED_LM);
    for (size_t i = 0; i < 3; i++) {
        dlg_error err = {0};
        dlg_model *model;
        const char *path = small_model_write(&small, "model.safetensors", DLG_F32);
        small_model_patch(path, &marker, &bad[i], sizeof marker);
        assert_refused(dlg_model_load(&model, scratch_directory(), DLG_BOTH_WAYS, &err), DLG_ENONFINITE, &err, path,
                       query);
        assert_non_null(strstr(err.message, "5"));
        assert_null(model);
    }
    small_model_release(&small);
}

static void refuses_files(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_model *model;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_write_config(DLG_MASKED_LM);
    const char *path = small_model_write(&small, "model.safetensors", DLG_F32);
    small_model_patch(path, "\"F32\"", "\"I32\"", 5);
    assert_refused(dlg_model_load(&model, scratch_directory(), DLG_BOTH_WAYS, &err), DLG_EFORMAT, &err, path, "I32");
    assert_null(model);

    assert_int_equal(unlink(path), 0);
    assert_refused(dlg_model_load(&model, scratch_directory(), DLG_BOTH_WAYS, &err), DLG_EIO, &err, scratch_directory(),
                   "model.safetensors");
    assert_null(model);

    assert_int_equal(unlink(scratch_path("config.json")), 0);
    assert_refused(dlg_model_load(&model, scratch_directory(), DLG_BOTH_WAYS, &err), DLG_EIO, &err, scratch_directory(),
                   "config.json");
    assert_null(model);
    small_model_release(&small);
}

static dlg_status attempt_open(void *directory, dlg_error *err)
{
    dlg_model *model;
    const dlg_status status = dlg_model_load(&model, directory, DLG_BOTH_WAYS, err);
    assert_true(!model == (status != DLG_OK));
    dlg_model_free(model);
    return status;
}

static dlg_status attempt_preset(void *config, dlg_error *err)
{
    dlg_model *model;
    const dlg_status status = dlg_model_preset(&model, "small", config, 1, err);
    assert_true(!model == (status != DLG_OK));
    dlg_model_free(model);
    return status;
}

static void survives_allocation_failures(void **state)
{
    (void)state;
    char directory[1024];
    snprintf(directory, sizeof directory, "%s", scratch_directory());
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_write_config(DLG_MASKED_LM);
    small_model_write(&small, "model.safetensors", DLG_F16);
    assert_true(fail_every_allocation(attempt_open, directory) > small.n);
    assert_true(fail_every_allocation(attempt_preset, &small.model->config) > small.n);
    small_model_release(&small);
    small_model_create(&small, DLG_CAUSAL_LM);
    small_model_write_config(DLG_CAUSAL_LM);
    small_model_write(&small, "model.safetensors", DLG_F16);
    assert_true(fail_every_allocation(attempt_open, directory) > small.n);
    small_model_release(&small);
}

/* ---- presets ---- */

static dlg_model *preset(const char *name, dlg_task task, uint64_t seed)
{
    dlg_config config;
    dlg_model *model;
    assert_int_equal(dlg_config_preset(&config, name, task, 100, 3, NULL), DLG_OK);
    assert_int_equal(dlg_model_preset(&model, name, &config, seed, NULL), DLG_OK);
    return model;
}

/* FNV-1a over the weights as single precision, little-endian, in the order of the parameters: the same in a build of
 * either precision. */
static uint64_t hash_of(const dlg_model *model)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < model->n_parameters; i++)
        for (size_t k = 0; k < dlg_parameter_items(&model->parameters[i]); k++) {
            const float number = (float)model->parameters[i].value[k];
            uint32_t bits;
            memcpy(&bits, &number, sizeof bits);
            for (int byte = 0; byte < 4; byte++) hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3;
        }
    return hash;
}

/* A seed is a model: whoever makes a gradient on it and whoever attacks that must have the same weights, on any machine
 * and in any year. */
static void presets_are_the_same_everywhere(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        dlg_task task;
        uint64_t seed, hash;
    } known[] = {
        {"tiny", DLG_MASKED_LM, 0, 0x57897898c4069d3e},
        {"tiny", DLG_MASKED_LM, 1, 0xe4b9c8885b41ba79},
        {"tiny", DLG_SEQUENCE_CLASSIFICATION, 0, 0x253dabc5fa9dc557},
        {"mini", DLG_MASKED_LM, 0, 0xd7dd5607806c6e5b},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        dlg_model *model = preset(known[i].name, known[i].task, known[i].seed);
        const uint64_t hash = hash_of(model);
        if (hash != known[i].hash) {
            printf("%s, %s, seed %d: want 0x%016llx, found 0x%016llx\n", known[i].name, dlg_task_name(known[i].task),
                   (int)known[i].seed, (unsigned long long)known[i].hash, (unsigned long long)hash);
            ok = false;
        }
        dlg_model_free(model);
    }
    assert_true(ok);
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcmp(name + n - m, ending);
}

/* transformers' conventions: layer norms 1 and 0, biases 0, [PAD]'s embedding 0, everything else N(0, 0.02^2). */
static void presets_follow_transformers(void **state)
{
    (void)state;
    for (int task = DLG_MASKED_LM; task <= DLG_SEQUENCE_CLASSIFICATION; task++) {
        dlg_model *model = preset("tiny", (dlg_task)task, 5);
        double total = 0, squares = 0, n_drawn = 0;
        for (size_t i = 0; i < model->n_parameters; i++) {
            const dlg_parameter *p = &model->parameters[i];
            const bool is_word_embedding = strstr(p->name, "word_embeddings") != NULL;
            const bool is_one = ends_with(p->name, "LayerNorm.weight"), is_zero = ends_with(p->name, "bias");
            for (size_t k = 0; k < dlg_parameter_items(p); k++) {
                const double value = (double)p->value[k];
                const bool is_padding = is_word_embedding && k < p->n_cols;
                if (is_one) assert_true(value == 1);
                else if (is_zero || is_padding) assert_true(value == 0);
                else total += value, squares += value * value, n_drawn++;
            }
        }
        const double mean = total / n_drawn, std = sqrt(squares / n_drawn);
        assert_true(n_drawn > 400000);
        assert_true(fabs(mean) < 4 * 0.02 / sqrt(n_drawn));
        assert_true(fabs(std - 0.02) < 4 * 0.02 / sqrt(2 * n_drawn));
        dlg_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_every_dtype),
        cmocka_unit_test(opens_under_other_names),
        cmocka_unit_test(opens_gpt2),
        cmocka_unit_test(refuses_tensors),
        cmocka_unit_test(refuses_tensors_of_gpt2),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(survives_allocation_failures),
        cmocka_unit_test(presets_are_the_same_everywhere),
        cmocka_unit_test(presets_follow_transformers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
