#include "scene.h"

#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const size_t lengths[SENTENCES] = {5, 3, 6};
const size_t masked[N_MASKED] = {2, 6, 9, 12}, n_masked[SENTENCES] = {1, 1, 2};

const scene_kind kinds[KINDS] = {
    {"masked LM, tied", DLG_MASKED_LM, true, DLG_GELU_ERF, 1e-12},
    {"masked LM, untied", DLG_MASKED_LM, false, DLG_GELU_TANH, 1e-3},
    {"classifier", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_ERF, 1e-12},
    {"classifier, gelu by tanh", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_TANH, 1e-5},
};

static dlg_model *model_of(size_t kind, uint64_t seed)
{
    const dlg_config config = {
        .task = kinds[kind].task,
        .vocabulary_size = WORDS,
        .hidden_size = HIDDEN,
        .n_layers = 2,
        .n_heads = 2,
        .intermediate_size = 12,
        .max_positions = 7,
        .n_token_types = 2,
        .n_labels = 4,
        .gelu = kinds[kind].gelu,
        .layer_norm_eps = kinds[kind].eps,
        .initializer_range = 0.3,
        .tied_decoder = kinds[kind].tied,
    };
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, kinds[kind].name, &config, seed, NULL), DLG_OK);
    return model;
}

void batch_of(dlg_batch *out, dlg_task task, size_t n_sentences, const size_t *of_length, size_t n_predicted,
              const size_t *rows)
{
    assert_int_equal(dlg_batch_create(out, task, n_sentences, of_length, NULL), DLG_OK);
    if (task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(out, n_predicted, rows, NULL), DLG_OK);
}

void open_scene(scene *v, size_t kind, uint64_t seed)
{
    dlg_random random = dlg_random_at(seed, dlg_random_stream("step"));
    v->model = model_of(kind, seed);
    batch_of(&v->batch, kinds[kind].task, SENTENCES, lengths, sizeof masked / sizeof *masked, masked);
    for (size_t i = 0; i < v->batch.n_rows; i++) v->fed[i] = (uint32_t)dlg_random_below(&random, WORDS);
    for (size_t i = 0; i < v->batch.n_predicted; i++)
        v->labels[i] = (size_t)dlg_random_below(&random, kinds[kind].task == DLG_MASKED_LM ? WORDS : 4);
}

void close_scene(scene *v)
{
    dlg_batch_release(&v->batch);
    dlg_model_free(v->model);
}

dlg_gradient share(const scene *v, const dlg_batch *batch, const uint32_t *fed, const size_t *labels, double *loss)
{
    const dlg_step step = {batch, fed, labels};
    dlg_gradient gradient;
    assert_int_equal(dlg_gradient_share(&gradient, loss, v->model, &step, NULL), DLG_OK);
    return gradient;
}

void create_objective(attack *a, const char *distance_name)
{
    assert_int_equal(dlg_distance_find(&a->distance, distance_name, NULL), DLG_OK);
    assert_int_equal(dlg_objective_create(&a->objective, &a->gradient, &a->scene.batch, MAX_LABELS, a->distance, NULL),
                     DLG_OK);
}

void open_attack(attack *a, size_t kind, const char *distance_name, double noise, uint64_t seed)
{
    open_scene(&a->scene, kind, seed);
    const scene *v = &a->scene;
    a->gradient = share(v, &v->batch, v->fed, v->labels, NULL);
    for (size_t i = 0; i < a->gradient.n; i++) {
        const size_t n = dlg_parameter_items(&v->model->parameters[i]);
        const double std = noise * sqrt(dlg_dot(n, a->gradient.values[i], a->gradient.values[i]) / (double)n);
        for (size_t k = 0; k < n; k++)
            a->gradient.owned[i][k] +=
                (dlg_real)(std * dlg_random_normal_at(seed, dlg_random_stream(v->model->parameters[i].name), k));
    }
    create_objective(a, distance_name);
    a->n = dlg_objective_size(a->objective);
    assert_int_equal(a->n, v->batch.n_rows * HIDDEN);
    const size_t n_predicted = v->batch.n_predicted;
    dlg_random random = dlg_random_at(seed, dlg_random_stream("soft labels"));
    dlg_random_normal_fill(a->x, a->n, 0.5, seed, dlg_random_stream("dummy"));
    for (size_t j = 0; j < MAX_LABELS; j++) a->label[j] = (size_t)dlg_random_below(&random, 4);
    for (size_t i = 0; i < n_predicted * MAX_LABELS; i++)
        a->share[i] = (dlg_real)(dlg_random_uniform(&random) / (double)n_predicted);
    a->labels = (dlg_soft_labels){MAX_LABELS, a->label, a->share};
}

void close_attack(attack *a)
{
    dlg_objective_free(a->objective);
    dlg_gradient_release(&a->gradient);
    close_scene(&a->scene);
}
