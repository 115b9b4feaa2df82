/** What arrives as a gradient and is none, or has no names: lists, copies of tied parameters, buffers, weights. */
#include "gradient/gradient.h"

#include "archive.h"
#include "scratch.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static archive zip;
static archive_bytes npy;

/* The shape as Python writes it, and the numbers in float. */
static void add(const char *name, const dlg_tensor_source *tensor)
{
    static float numbers[1 << 12];
    char dict[160], shape[64];
    size_t n = 1;
    for (size_t d = 0; d < tensor->n_dims; d++) n *= tensor->shape[d];
    assert_true(n <= sizeof numbers / sizeof *numbers);
    for (size_t i = 0; i < n; i++) numbers[i] = (float)tensor->values[i];
    snprintf(shape, sizeof shape, tensor->n_dims == 1 ? "%zu," : "%zu, %zu", tensor->shape[0], tensor->shape[1]);
    snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", shape);
    npy.n = 0;
    archive_npy(&npy, dict, numbers, n * sizeof *numbers);
    archive_add(&zip, name, npy.bytes, npy.n, true);
}

/* In the order of the model's parameters; named arr_0 ... */
static void add_listed(const small_model *small, size_t i, size_t place)
{
    char name[32];
    snprintf(name, sizeof name, "arr_%zu.npy", place);
    add(name, &small->tensors[i]);
}

static dlg_status open_list(dlg_gradient *out, dlg_safetensors **file, const small_model *small, dlg_error *err)
{
    *out = (dlg_gradient){0};
    archive_end(&zip, false);
    dlg_status status = dlg_safetensors_open(file, scratch_file("x.npz", zip.file.bytes, zip.file.n), err);
    if (!status) status = dlg_gradient_open(out, *file, small->model, err);
    memset(&zip, 0, sizeof zip);
    return status;
}

static void check_opens(const small_model *small)
{
    dlg_gradient gradient;
    dlg_safetensors *file;
    dlg_error err;
    if (open_list(&gradient, &file, small, &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&small->model->parameters[i]); k++)
            assert_true(gradient.values[i][k] == (dlg_real)(float)small->numbers[i][k]);
    dlg_gradient_release(&gradient);
    dlg_safetensors_close(file);
}

static void lists_in_the_models_order(void **state)
{
    (void)state;
    for (int task = DLG_MASKED_LM; task <= DLG_SEQUENCE_CLASSIFICATION; task++) {
        small_model small;
        small_model_create(&small, (dlg_task)task);
        for (size_t i = 0; i < small.n; i++) add_listed(&small, i, i);
        check_opens(&small);
        /* a buffer first, and the tied one again at the end, as a state_dict has them */
        npy.n = 0;
        archive_npy(&npy, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "12345678", 8);
        archive_add(&zip, "arr_0.npy", npy.bytes, npy.n, false);
        for (size_t i = 0; i < small.n; i++) add_listed(&small, i, i + 1);
        add_listed(&small, 0, small.n + 1);
        check_opens(&small);
        small_model_release(&small);
    }
}

static void refused_lists(void **state)
{
    (void)state;
    small_model small;
    dlg_gradient gradient;
    dlg_safetensors *file = NULL;
    dlg_error err;
    small_model_create(&small, DLG_MASKED_LM);
    for (size_t i = 0; i + 1 < small.n; i++) add_listed(&small, i, i);
    assert_refused(open_list(&gradient, &file, &small, &err), DLG_ESHAPE, &err, "x.npz", "a list without names: want");
    dlg_safetensors_close(file);
    for (size_t i = 0; i < small.n; i++) add_listed(&small, i, i < 2 ? 1 - i : i);
    assert_refused(open_list(&gradient, &file, &small, &err), DLG_ESHAPE, &err, "x.npz", "arr_0: want shape (");
    assert_non_null(
        strstr(err.message, "a list without names, of which this should be bert.embeddings.word_embeddings"));
    dlg_safetensors_close(file);
    for (size_t i = 0; i < small.n; i++) add_listed(&small, i, i);
    small.numbers[0][0] += 1;
    add_listed(&small, 0, small.n);
    assert_refused(open_list(&gradient, &file, &small, &err), DLG_ESHAPE, &err, "x.npz", "found more");
    dlg_safetensors_close(file);
    small_model_release(&small);
}

/* The weights themselves, all of them; most of them; and after a little training. */
static void weights(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        small_model small;
        dlg_gradient gradient = {0};
        dlg_safetensors *file = NULL;
        dlg_error err = {0};
        small_model_create(&small, DLG_MASKED_LM);
        for (size_t i = 0; i < small.n; i++) {
            const dlg_parameter *p = &small.model->parameters[i];
            const bool is_other = kind == 1 ? i % 4 == 0 : kind == 3 ? i % 4 != 0 : false;
            for (size_t k = 0; k < dlg_parameter_items(p) && !is_other; k++)
                small.numbers[i][k] = p->value[k] * (kind == 2 ? 1.03F : 1);
        }
        const char *path = small_model_write(&small, "w.g", sizeof(dlg_real) == sizeof(double) ? DLG_F64 : DLG_F32);
        dlg_status status = dlg_safetensors_open(&file, path, &err);
        if (!status) status = dlg_gradient_open(&gradient, file, small.model, &err);
        if (kind == 3) assert_int_equal(status, DLG_OK); /* few are no weights */
        else
            assert_refused(status, DLG_EFORMAT, &err, path,
                           kind == 2 ? "want a gradient, found weights of" : "want a gradient, found the weights of");
        dlg_gradient_release(&gradient);
        dlg_safetensors_close(file);
        small_model_release(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_in_the_models_order), cmocka_unit_test(refused_lists),
                                       cmocka_unit_test(weights)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
