#include "scene.h"

#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const size_t lengths[SENTENCES] = {5, 3, 6};
const size_t masked[N_MASKED] = {2, 6, 9, 12}, n_masked[SENTENCES] = {1, 1, 2};

const scene_kind kinds[KINDS] = {
    {"masked LM, tied", DLG_MASKED_LM, true, DLG_GELU_ERF, 1e-12},
    {"masked LM, untied", DLG_MASKED_LM, false, DLG_GELU_TANH, 1e-3},
    {"classifier", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_ERF, 1e-12},
    {"classifier, gelu by tanh", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_TANH, 1e-5},
    {"masked LM, relu", DLG_MASKED_LM, true, DLG_RELU, 1e-12},
};

static dlg_model *model_of(size_t kind, uint64_t seed)
{
    dlg_config config = step_config(kinds[kind].task, WORDS, HIDDEN, 7);
    config.n_labels = 4;
    config.activation = kinds[kind].activation;
    config.layer_norm_eps = kinds[kind].eps;
    config.initializer_range = 0.3;
    config.tied_decoder = kinds[kind].tied;
    return step_model(&config, seed);
}

void open_scene(shared_step *v, size_t kind, uint64_t seed)
{
    const bool is_masked = kinds[kind].task == DLG_MASKED_LM;
    dlg_random random = dlg_random_at(seed, dlg_random_stream("step"));
    step_begin(v, model_of(kind, seed), SENTENCES, lengths);
    if (is_masked) assert_int_equal(dlg_batch_predict(&v->batch, N_MASKED, masked, NULL), DLG_OK);
    for (size_t i = 0; i < v->batch.n_rows; i++) v->fed[i] = (uint32_t)dlg_random_below(&random, WORDS);
    for (size_t i = 0; i < v->batch.n_predicted; i++)
        v->labels[i] = (size_t)dlg_random_below(&random, is_masked ? WORDS : 4);
}

void create_objective(attack *a, const char *distance_name)
{
    assert_int_equal(dlg_distance_find(&a->distance, distance_name, NULL), DLG_OK);
    assert_int_equal(
        dlg_objective_create(&a->objective, &a->step.gradient, &a->step.batch, MAX_LABELS, a->distance, NULL), DLG_OK);
}

void open_attack(attack *a, size_t kind, const char *distance_name, double noise, uint64_t seed)
{
    open_scene(&a->step, kind, seed);
    shared_step *v = &a->step;
    step_share(v, 0, NULL);
    for (size_t i = 0; i < a->step.gradient.n; i++) {
        const size_t n = dlg_parameter_items(&v->model->parameters[i]);
        const double std = noise * sqrt(dlg_dot(n, a->step.gradient.values[i], a->step.gradient.values[i]) / (double)n);
        for (size_t k = 0; k < n; k++)
            a->step.gradient.owned[i][k] +=
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
    a->labels = (dlg_soft_labels){MAX_LABELS, a->label, a->share, NULL, NULL, false};
}

void close_attack(attack *a)
{
    dlg_objective_free(a->objective);
    step_release(&a->step);
}
