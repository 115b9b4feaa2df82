/**
 * Gradients against a model: what a file of them may hold, by what name everything else is refused, and the
 * participant's own.
 */
#include "gradient/gradient.h"

#include "matching/objective.h"
#include "scarce.h"
#include "scratch.h"
#include "shared_step.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char file[] = "case.g", query[] = "bert.encoder.layer.0.attention.self.query.weight";

/* The file of the gradient that is open; one at a time. */
static dlg_safetensors *opened;

static dlg_status open_written(dlg_gradient *gradient, const char *path, const dlg_model *model, dlg_error *err)
{
    *gradient = (dlg_gradient){0};
    dlg_status status = dlg_safetensors_open(&opened, path, err);
    if (!status) status = dlg_gradient_open(gradient, opened, model, err);
    if (!status) return DLG_OK;
    dlg_safetensors_close(opened);
    opened = NULL;
    return status;
}

static void close_written(dlg_gradient *gradient)
{
    dlg_gradient_release(gradient);
    dlg_safetensors_close(opened);
    opened = NULL;
}

/* Write, open, and compare every gradient with the tensor of number i, whose name may have changed. */
static void check_opens(const small_model *small, dlg_dtype dtype, double tolerance)
{
    dlg_error err = {0};
    dlg_gradient gradient;
    const char *path = small_model_write(small, file, dtype);
    if (open_written(&gradient, path, small->model, &err)) fail_msg("%s", err.message);
    assert_ptr_equal(gradient.model, small->model);
    assert_int_equal(gradient.n, small->model->n_parameters);
    for (size_t i = 0; i < gradient.n; i++) {
        const dlg_parameter *p = &small->model->parameters[i];
        assert_ptr_equal(dlg_gradient_of(&gradient, p->name), gradient.values[i]);
        for (size_t k = 0; k < dlg_parameter_items(p); k++)
            if (!(fabs((double)gradient.values[i][k] - (double)small->numbers[i][k]) <= tolerance))
                fail_msg("%s[%zu]: want %g, found %g", p->name, k, (double)small->numbers[i][k],
                         (double)gradient.values[i][k]);
    }
    close_written(&gradient);
}

static void opens_every_dtype(void **state)
{
    (void)state;
    for (int task = DLG_MASKED_LM; task <= DLG_SEQUENCE_CLASSIFICATION; task++) {
        small_model small;
        small_model_create(&small, (dlg_task)task);
        check_opens(&small, DLG_F64, 0);
        check_opens(&small, DLG_F32, 1e-7);
        check_opens(&small, DLG_F16, 2e-3);
        check_opens(&small, DLG_BF16, 1e-2);
        small_model_release(&small);
    }
}

static void opens_under_other_names(void **state)
{
    (void)state;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_rename_all(&small, "bert.", "");
    small_model_rename_all(&small, "LayerNorm.weight", "LayerNorm.gamma");
    small_model_rename_all(&small, "LayerNorm.bias", "LayerNorm.beta");
    small_model_rename(&small, "cls.predictions.bias", "cls.predictions.decoder.bias");
    check_opens(&small, DLG_F32, 1e-7);
    small_model_release(&small);
}

/* The word embedding's gradient is the one that no attack needs. */
static void opens_without_word_embeddings(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_gradient gradient;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    small_model_drop(&small, "bert.embeddings.word_embeddings.weight");
    if (open_written(&gradient, small_model_write(&small, file, DLG_F32), small.model, &err))
        fail_msg("%s", err.message);
    assert_null(dlg_gradient_of(&gradient, "bert.embeddings.word_embeddings.weight"));
    assert_non_null(dlg_gradient_of(&gradient, query));
    close_written(&gradient);
    small_model_release(&small);
}

static void assert_empty(const dlg_gradient *gradient)
{
    assert_null(gradient->values);
    assert_null(gradient->owned);
    assert_null(gradient->file);
}

/* Write what `small` has become and expect a refusal that names the file and the object. The model stays what it
 * was. */
static void check_refused(small_model *small, dlg_status wanted, const char *object)
{
    dlg_error err = {0};
    dlg_gradient gradient;
    const char *path = small_model_write(small, file, DLG_F32);
    assert_refused(open_written(&gradient, path, small->model, &err), wanted, &err, path, object);
    assert_empty(&gradient);
    small_model_release(small);
    small_model_create(small, DLG_MASKED_LM);
}

static void refuses_tensors(void **state)
{
    (void)state;
    small_model small, other;
    small_model_create(&small, DLG_MASKED_LM);
    while (small.n) small_model_drop(&small, small.tensors[0].name);
    check_refused(&small, DLG_EFORMAT, "want gradients of small's parameters, found none");

    small.tensors[small_model_find(&small, query)].shape[1] = 7;
    check_refused(&small, DLG_ESHAPE, "query.weight: want shape (8, 8), found (8, 7): not a gradient of ");

    small.tensors[small_model_find(&small, "bert.embeddings.word_embeddings.weight")].shape[0] = 12;
    check_refused(&small, DLG_ESHAPE, "word_embeddings.weight: want shape (11, 8), found (12, 8)");

    small_model_add(&small, "bert.encoder.layer.1.output.dense.bias", 8);
    check_refused(&small, DLG_EFORMAT, "bert.encoder.layer.1.output.dense.bias is not a parameter of small (mlm)");

    /* What a model's file may carry beside its parameters has no gradient. */
    small_model_add(&small, "bert.pooler.dense.bias", 8);
    check_refused(&small, DLG_EFORMAT, "bert.pooler.dense.bias is not a parameter");

    for (size_t i = 0; i < small.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&small.model->parameters[i]); k++) small.numbers[i][k] = 0;
    check_refused(&small, DLG_EFORMAT, "every gradient is zero");

    /* Gradients of another task on the same encoder. */
    small_model_create(&other, DLG_SEQUENCE_CLASSIFICATION);
    dlg_model *model = other.model;
    other.model = small.model;
    small.model = model;
    check_refused(&other, DLG_EFORMAT, "bert.pooler.dense.bias is not a parameter of small (mlm)");
    small_model_release(&other);
    check_refused(&small, DLG_EFORMAT, "cls.predictions.bias is not a parameter of small (cls)");
    small_model_release(&small);
}

static void refuses_numbers(void **state)
{
    (void)state;
    static const float marker = 12345.678F, bad[] = {NAN, INFINITY, -INFINITY};
    static const uint16_t half_marker = 0x7bff /* 65504 */, half_infinity = 0x7c00;
    dlg_error err = {0};
    dlg_gradient gradient;
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    for (size_t i = 0; i < 3; i++) {
        small.numbers[small_model_find(&small, query)][3] = (dlg_real)marker;
        const char *path = small_model_write(&small, file, DLG_F32);
        small_model_patch(path, &marker, &bad[i], sizeof marker);
        assert_refused(open_written(&gradient, path, small.model, &err), DLG_ENONFINITE, &err, path, query);
        assert_empty(&gradient);
    }
    small.numbers[small_model_find(&small, query)][3] = 65504;
    const char *path = small_model_write(&small, file, DLG_F16);
    small_model_patch(path, &half_marker, &half_infinity, sizeof half_marker);
    assert_refused(open_written(&gradient, path, small.model, &err), DLG_ENONFINITE, &err, path, query);

    small.numbers[small_model_find(&small, query)][3] = 0;
    path = small_model_write(&small, file, DLG_F32);
    small_model_patch(path, "\"F32\"", "\"U32\"", 5);
    assert_refused(open_written(&gradient, path, small.model, &err), DLG_EFORMAT, &err, path, "U32");
    assert_empty(&gradient);

    assert_refused(open_written(&gradient, "no/such.g", small.model, &err), DLG_EIO, &err, "no/such.g", "no/such.g");
    assert_empty(&gradient);
    small_model_release(&small);
}

/* ---- the participant's own, and what an attack makes of it ---- */

/* A step of two sentences, and everything that attempts need. */
typedef struct {
    shared_step step;
    const char *path;
} scene;

static void open_scene(scene *v)
{
    small_model small;
    small_model_create(&small, DLG_MASKED_LM);
    v->path = small_model_write(&small, file, DLG_F16);
    step_begin(&v->step, small.model, 2, (const size_t[]){5, 3});
    small.model = NULL; /* the step's from here on */
    small_model_release(&small);
    memcpy(v->step.fed, (const uint32_t[]){CLS, 5, MASK, 9, SEP, CLS, MASK, SEP}, 8 * sizeof *v->step.fed);
    memcpy(v->step.labels, (const size_t[]){7, 10}, 2 * sizeof *v->step.labels);
    step_share(&v->step, 2, (const size_t[]){2, 6});
}

static dlg_status attempt_open(void *argument, dlg_error *err)
{
    const scene *v = argument;
    dlg_gradient gradient;
    const dlg_status status = open_written(&gradient, v->path, v->step.model, err);
    if (status) assert_empty(&gradient);
    close_written(&gradient);
    return status;
}

static dlg_status attempt_create(void *argument, dlg_error *err)
{
    const scene *v = argument;
    dlg_gradient gradient;
    const dlg_status status = dlg_gradient_create(&gradient, v->step.model, err);
    if (status) assert_empty(&gradient);
    dlg_gradient_release(&gradient);
    return status;
}

static dlg_status attempt_share(void *argument, dlg_error *err)
{
    const scene *v = argument;
    const dlg_step step = {&v->step.batch, v->step.fed, v->step.labels, NULL, NULL, NULL};
    dlg_gradient gradient;
    const dlg_status status = dlg_gradient_share(&gradient, NULL, v->step.model, &step, err);
    if (status) assert_empty(&gradient);
    dlg_gradient_release(&gradient);
    return status;
}

static dlg_status attempt_objective(void *argument, dlg_error *err)
{
    const scene *v = argument;
    dlg_objective *objective;
    const dlg_distance *distance;
    assert_int_equal(dlg_distance_find(&distance, "l2", NULL), DLG_OK);
    const dlg_status status = dlg_objective_create(&objective, &v->step.gradient, &v->step.batch, 2, distance, err);
    assert_true(!objective == (status != DLG_OK));
    dlg_objective_free(objective);
    return status;
}

static dlg_status attempt_batch(void *argument, dlg_error *err)
{
    (void)argument;
    dlg_batch batch;
    dlg_status status = dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, 2, (size_t[]){5, 3}, err);
    if (!status) status = dlg_batch_predict(&batch, 2, (size_t[]){2, 6}, err);
    dlg_batch_release(&batch);
    return status;
}

static void survives_allocation_failures(void **state)
{
    (void)state;
    scene v;
    open_scene(&v);
    assert_true(fail_every_allocation(attempt_open, &v) > v.step.gradient.n);
    assert_true(fail_every_allocation(attempt_create, &v) > v.step.gradient.n);
    assert_true(fail_every_allocation(attempt_share, &v) > v.step.gradient.n);
    assert_true(fail_every_allocation(attempt_objective, &v) > 10);
    assert_int_equal(fail_every_allocation(attempt_batch, &v), 5);
    step_release(&v.step);
}

/* A sentence that the model has no positions for. */
static void refuses_long_sentences(void **state)
{
    (void)state;
    static const uint32_t ten[10] = {0};
    scene v;
    dlg_error err = {0};
    dlg_gradient gradient;
    dlg_batch batch;
    open_scene(&v);
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, 1, (size_t[]){10}, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, 1, (size_t[]){2}, NULL), DLG_OK);
    const dlg_step step = {&batch, ten, &(size_t){7}, NULL, NULL, NULL};
    assert_refused(dlg_gradient_share(&gradient, NULL, v.step.model, &step, &err), DLG_ESHAPE, &err, "small",
                   "want sentences of at most 9 tokens, found one of 10");
    assert_empty(&gradient);
    dlg_batch_release(&batch);
    step_release(&v.step);
}

static void refuses_other_distances(void **state)
{
    (void)state;
    dlg_error err = {0};
    const dlg_distance *distance;
    assert_refused(dlg_distance_find(&distance, "l3", &err), DLG_EARG, &err, "l2, relative, cosine, l2_l1 or tag",
                   "l3");
    assert_null(distance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_every_dtype),
        cmocka_unit_test(opens_under_other_names),
        cmocka_unit_test(opens_without_word_embeddings),
        cmocka_unit_test(refuses_tensors),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(survives_allocation_failures),
        cmocka_unit_test(refuses_long_sentences),
        cmocka_unit_test(refuses_other_distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
