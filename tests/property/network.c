/*
 * The whole network and the whole objective on small models of every kind: what a batch is to its sentences, the distance's derivative
 * against differences, the symmetry of the loss's second derivative, and that an evaluation is repeatable and allocates nothing.
 */
#include "close.h"
#include "leak/objective.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IS_DOUBLE = sizeof(dlg_real) == sizeof(double), WORDS = 23, HIDDEN = 8, SENTENCES = 3, MAX_ROWS = 16 };

static const size_t lengths[SENTENCES] = {5, 3, 6};

/* The rows that are predicted, sentence by sentence: one, one and two. */
static const size_t masked[] = {2, 6, 9, 12}, n_masked[SENTENCES] = {1, 1, 2};

static const struct {
    const char *name;
    dlg_task task;
    bool tied;
    dlg_gelu_form gelu;
    double eps;
} kinds[] = {
    {"masked LM, tied", DLG_MASKED_LM, true, DLG_GELU_ERF, 1e-12},
    {"masked LM, untied", DLG_MASKED_LM, false, DLG_GELU_TANH, 1e-3},
    {"classifier", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_ERF, 1e-12},
    {"classifier, gelu by tanh", DLG_SEQUENCE_CLASSIFICATION, true, DLG_GELU_TANH, 1e-5},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *const distances[] = {"l2", "relative", "cosine", "l2_l1", "tag"};
enum { DISTANCES = sizeof distances / sizeof *distances };

/* A model, and a step of three sentences on it. */
typedef struct {
    dlg_model *model;
    dlg_batch batch;
    uint32_t fed[MAX_ROWS];
    size_t labels[MAX_ROWS];
} scene;

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

static void batch_of(dlg_batch *out, dlg_task task, size_t n_sentences, const size_t *of_length, size_t n_predicted, const size_t *rows)
{
    assert_int_equal(dlg_batch_create(out, task, n_sentences, of_length, NULL), DLG_OK);
    if (task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(out, n_predicted, rows, NULL), DLG_OK);
}

static void open_scene(scene *v, size_t kind, uint64_t seed)
{
    dlg_random random = dlg_random_at(seed, dlg_random_stream("step"));
    v->model = model_of(kind, seed);
    batch_of(&v->batch, kinds[kind].task, SENTENCES, lengths, sizeof masked / sizeof *masked, masked);
    for (size_t i = 0; i < v->batch.n_rows; i++) v->fed[i] = (uint32_t)dlg_random_below(&random, WORDS);
    for (size_t i = 0; i < v->batch.n_predicted; i++)
        v->labels[i] = (size_t)dlg_random_below(&random, kinds[kind].task == DLG_MASKED_LM ? WORDS : 4);
}

static void close_scene(scene *v)
{
    dlg_batch_release(&v->batch);
    dlg_model_free(v->model);
}

static dlg_gradient share(const scene *v, const dlg_batch *batch, const uint32_t *fed, const size_t *labels, double *loss)
{
    const dlg_step step = {batch, fed, labels};
    dlg_gradient gradient;
    assert_int_equal(dlg_gradient_share(&gradient, loss, v->model, &step, NULL), DLG_OK);
    return gradient;
}

/* The gradient of a batch is that of its sentences, each weighted by its part of the predictions: nothing leaks from one to another. */
static void check_batch(size_t kind, uint64_t seed)
{
    const bool is_mlm = kinds[kind].task == DLG_MASKED_LM;
    scene v;
    double loss, sum = 0;
    open_scene(&v, kind, seed);
    dlg_gradient whole = share(&v, &v.batch, v.fed, v.labels, &loss);
    double *sums[64];
    assert_true(whole.n <= 64);
    for (size_t i = 0; i < whole.n; i++) sums[i] = calloc(dlg_parameter_items(&v.model->parameters[i]), sizeof **sums);
    for (size_t b = 0, label = 0; b < SENTENCES; b++) {
        size_t rows[MAX_ROWS];
        const size_t n = is_mlm ? n_masked[b] : 1;
        for (size_t i = 0; i < n; i++) rows[i] = is_mlm ? masked[label + i] - v.batch.first[b] : 0;
        dlg_batch one;
        batch_of(&one, kinds[kind].task, 1, &lengths[b], n, rows);
        double one_loss;
        dlg_gradient part = share(&v, &one, v.fed + v.batch.first[b], v.labels + label, &one_loss);
        const double weight = (double)n / (double)v.batch.n_predicted;
        sum += weight * one_loss;
        for (size_t i = 0; i < part.n; i++)
            for (size_t k = 0; k < dlg_parameter_items(&v.model->parameters[i]); k++) sums[i][k] += weight * (double)part.values[i][k];
        label += n;
        dlg_gradient_release(&part);
        dlg_batch_release(&one);
    }
    bool ok = dlg_is_near("loss", loss, sum, IS_DOUBLE ? 1e-13 : 1e-5);
    for (size_t i = 0; i < whole.n; i++) {
        const dlg_parameter *p = &v.model->parameters[i];
        /* The key bias's gradient is zero but for rounding. */
        if (!strstr(p->name, "key.bias"))
            ok &= dlg_is_close(p->name, dlg_parameter_items(p), whole.values[i], sums[i], IS_DOUBLE ? 1e-12 : 1e-4);
        free(sums[i]);
    }
    if (!ok) fail_msg("%s, seed %d", kinds[kind].name, (int)seed);
    dlg_gradient_release(&whole);
    close_scene(&v);
}

static void batch_is_the_sum_of_its_sentences(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (uint64_t seed = 1; seed <= 3; seed++) check_batch(kind, seed);
}

/* ---- the objective ---- */

enum { MAX_LABELS = 5 };

/* An objective on a scene's gradient, a dummy point and soft labels. */
typedef struct {
    scene scene;
    dlg_gradient gradient;
    const dlg_distance *distance;
    dlg_objective *objective;
    size_t n;                       /* numbers in x */
    dlg_real x[MAX_ROWS * HIDDEN];
    size_t label[MAX_LABELS];
    dlg_real share[MAX_ROWS * MAX_LABELS];
    dlg_soft_labels labels;
} attack;

static void create_objective(attack *a, const char *distance_name)
{
    assert_int_equal(dlg_distance_find(&a->distance, distance_name, NULL), DLG_OK);
    assert_int_equal(dlg_objective_create(&a->objective, &a->gradient, &a->scene.batch, MAX_LABELS, a->distance, NULL), DLG_OK);
}

/* `noise` in the shared gradient, relative to each tensor: targets become dense. */
static void open_attack(attack *a, size_t kind, const char *distance_name, double noise, uint64_t seed)
{
    open_scene(&a->scene, kind, seed);
    const scene *v = &a->scene;
    a->gradient = share(v, &v->batch, v->fed, v->labels, NULL);
    for (size_t i = 0; i < a->gradient.n; i++) {
        const size_t n = dlg_parameter_items(&v->model->parameters[i]);
        const double std = noise * sqrt(dlg_dot(n, a->gradient.values[i], a->gradient.values[i]) / (double)n);
        for (size_t k = 0; k < n; k++)
            a->gradient.owned[i][k] += (dlg_real)(std * dlg_random_normal_at(seed, dlg_random_stream(v->model->parameters[i].name), k));
    }
    create_objective(a, distance_name);
    a->n = dlg_objective_size(a->objective);
    assert_int_equal(a->n, v->batch.n_rows * HIDDEN);
    const size_t n_predicted = v->batch.n_predicted;
    dlg_random random = dlg_random_at(seed, dlg_random_stream("soft labels"));
    dlg_random_normal_fill(a->x, a->n, 0.5, seed, dlg_random_stream("dummy"));
    for (size_t j = 0; j < MAX_LABELS; j++) a->label[j] = (size_t)dlg_random_below(&random, 4);
    for (size_t i = 0; i < n_predicted * MAX_LABELS; i++) a->share[i] = (dlg_real)(dlg_random_uniform(&random) / (double)n_predicted);
    a->labels = (dlg_soft_labels){MAX_LABELS, a->label, a->share};
}

static void close_attack(attack *a)
{
    dlg_objective_free(a->objective);
    dlg_gradient_release(&a->gradient);
    close_scene(&a->scene);
}

/* D with one number moved by `by` */
static double moved(attack *a, dlg_real *number, double by)
{
    dlg_real dx[MAX_ROWS * HIDDEN];
    const dlg_real before = *number;
    *number = (dlg_real)((double)before + by);
    const double d = dlg_objective_evaluate(a->objective, &a->labels, a->x, dx);
    *number = before;
    return d;
}

/* Absolute differences have kinks, and a shorter step meets fewer of them. */
static void check_derivative(size_t kind, const char *distance_name, bool has_kinks, double noise, uint64_t seed)
{
    const double step = IS_DOUBLE ? (has_kinks ? 1e-7 : 1e-5) : 5e-3;
    const double tolerance = IS_DOUBLE ? (has_kinks ? 1e-5 : 1e-6) : has_kinks ? 5e-2 : 2e-2;
    attack a;
    open_attack(&a, kind, distance_name, noise, seed);
    const size_t n_shares = a.scene.batch.n_predicted * MAX_LABELS;
    dlg_real dx[MAX_ROWS * HIDDEN], dshare[MAX_ROWS * MAX_LABELS];
    double want_dx[MAX_ROWS * HIDDEN], want_dshare[MAX_ROWS * MAX_LABELS];
    size_t n_dense, n_targets;
    dlg_objective_targets(a.objective, &n_dense, &n_targets);
    /* With noise those are dense that have fewer rows than inputs: the head's. */
    assert_true(noise > 0 ? n_dense > 0 && n_dense < n_targets : n_dense == 0);
    dlg_objective_evaluate(a.objective, &a.labels, a.x, dx);
    dlg_objective_label_derivative(a.objective, dshare);
    for (size_t i = 0; i < a.n; i++) want_dx[i] = (moved(&a, &a.x[i], step) - moved(&a, &a.x[i], -step)) / (2 * step);
    for (size_t i = 0; i < n_shares; i++) want_dshare[i] = (moved(&a, &a.share[i], step) - moved(&a, &a.share[i], -step)) / (2 * step);
    if (!dlg_is_close("dD/dx", a.n, dx, want_dx, tolerance) || !dlg_is_close("dD/dY", n_shares, dshare, want_dshare, tolerance))
        fail_msg("%s, %s, noise %g, seed %d", kinds[kind].name, distance_name, noise, (int)seed);
    close_attack(&a);
}

static void derivative_of_every_distance(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++)
            for (uint64_t seed = 1; seed <= 2; seed++) {
                check_derivative(kind, distances[i], i > 2, 0, seed);
                check_derivative(kind, distances[i], i > 2, 0.1, seed);
            }
}

/* At the words that were fed, with the labels known, nothing is left of D but rounding; a target drops what a float would not hold. */
static void nothing_is_left_at_the_truth(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++) {
            attack a;
            open_attack(&a, kind, distances[i], 0, 1);
            const scene *v = &a.scene;
            const dlg_real *table = dlg_model_word_embeddings(v->model);
            const size_t n = v->batch.n_predicted;
            dlg_real dx[MAX_ROWS * HIDDEN], certain[MAX_ROWS * MAX_ROWS] = {0};
            for (size_t k = 0; k < n; k++) certain[k * n + k] = 1;
            for (size_t k = 0; k < a.n; k++) a.x[k] = table[v->fed[k / HIDDEN] * HIDDEN + k % HIDDEN];
            const dlg_soft_labels labels = {n, v->labels, certain};
            const double d = dlg_objective_evaluate(a.objective, &labels, a.x, dx), scale = dlg_objective_scale(a.objective);
            const double rounding = (IS_DOUBLE ? 1e-10 : 1) * a.distance->rounding;
            if (!(d >= -1e-12 * scale && d < rounding * scale))
                fail_msg("%s, %s: D is %g of %g", kinds[kind].name, distances[i], d, scale);
            close_attack(&a);
        }
}

/* What D is where g = 0: the norms that are compared, their number, 1, or squares and absolutes. */
static void scale_of_every_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < DISTANCES; i++) {
        attack a;
        double norms = 0, absolutes = 0, n = 0;
        open_attack(&a, 1, distances[i], 0.1, 1);
        for (size_t k = 0; k < a.gradient.n; k++) {
            const dlg_parameter *p = &a.scene.model->parameters[k];
            if (strstr(p->name, "key.bias") || strstr(p->name, "word_embeddings")) continue;
            norms += dlg_dot(dlg_parameter_items(p), a.gradient.values[k], a.gradient.values[k]);
            absolutes += dlg_sum_of_absolutes(dlg_parameter_items(p), a.gradient.values[k]);
            n++;
        }
        const double want[DISTANCES] = {norms, n, 1, norms + 0.01 * absolutes, 0}, scale = dlg_objective_scale(a.objective);
        if (i < 4) assert_true(dlg_is_near(distances[i], scale, want[i], 1e-12));
        else assert_true(scale > norms + 0.002 * absolutes && scale < norms + 0.008 * absolutes); /* weights from 0.01 to nearly 0 */
        close_attack(&a);
    }
}

static void evaluation_is_repeatable_and_allocates_nothing(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < DISTANCES; i++) {
            attack a, b;
            dlg_real first[MAX_ROWS * HIDDEN], again[MAX_ROWS * HIDDEN], other[MAX_ROWS * HIDDEN];
            open_attack(&a, kind, distances[i], i ? 0.1 : 0, 1);
            open_attack(&b, kind, distances[i], i ? 0.1 : 0, 1);
            const size_t allocations = dlg_allocation_count();
            const double d = dlg_objective_evaluate(a.objective, &a.labels, a.x, first);
            moved(&a, a.x, 1);
            const double d_again = dlg_objective_evaluate(a.objective, &a.labels, a.x, again);
            const double d_other = dlg_objective_evaluate(b.objective, &b.labels, b.x, other);
            assert_int_equal(dlg_allocation_count(), allocations);
            assert_memory_equal(&d, &d_again, sizeof d);
            assert_memory_equal(&d, &d_other, sizeof d);
            assert_memory_equal(first, again, a.n * sizeof *first);
            assert_memory_equal(first, other, a.n * sizeof *first);
            close_attack(&a);
            close_attack(&b);
        }
}

/* ---- the loss's second derivative ---- */

/* <v, H u>, H the second derivative of the loss by x; every direction in the weights is zero. `scale` gets ||v|| ||H u||. */
static double bilinear(dlg_network *network, const dlg_real *x, const dlg_real *u, const dlg_real *v, double *scale)
{
    const size_t n = network->words->n_rows * network->words->n_cols;
    memcpy(network->words->x, x, n * sizeof *x);
    memcpy(network->words->rx, u, n * sizeof *u);
    dlg_tape_forward(&network->tape);
    dlg_tape_backward(&network->tape);
    dlg_tape_gradient(&network->tape);
    dlg_tape_rforward(&network->tape);
    dlg_tape_rbackward(&network->tape);
    *scale = sqrt(dlg_dot(n, v, v) * dlg_dot(n, network->words->rdx, network->words->rdx));
    return dlg_dot(n, v, network->words->rdx);
}

static void second_derivative_is_symmetric(void **state)
{
    (void)state;
    double worst = 0;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            attack a;
            dlg_network network;
            dlg_real u[MAX_ROWS * HIDDEN], v[MAX_ROWS * HIDDEN];
            double scale, other_scale;
            open_attack(&a, kind, "l2", 0, seed);
            assert_int_equal(dlg_network_create(&network, a.scene.model, &a.scene.batch, MAX_LABELS, NULL), DLG_OK);
            network.loss->n_labels = MAX_LABELS;
            network.loss->label = a.label;
            network.loss->share = a.share;
            network.loss->count = MAX_LABELS;
            dlg_random_normal_fill(u, a.n, 1, seed, dlg_random_stream("u"));
            dlg_random_normal_fill(v, a.n, 1, seed, dlg_random_stream("v"));
            const double vhu = bilinear(&network, a.x, u, v, &scale), uhv = bilinear(&network, a.x, v, u, &other_scale);
            const double off = fabs(vhu - uhv) / fmax(scale, other_scale);
            worst = fmax(worst, off);
            if (!(off <= (IS_DOUBLE ? 1e-13 : 1e-4))) fail_msg("%s, seed %d: off by %.2e", kinds[kind].name, (int)seed, off);
            dlg_network_release(&network);
            close_attack(&a);
        }
    printf("<u,Hv> and <v,Hu> differ by %.1e at most\n", worst);
}

/* The same of a model that no gradient is taken of: its stream of sums, normalised on the way, and attention that looks back. */
static void second_derivative_of_gpt2_is_symmetric(void **state)
{
    (void)state;
    static const size_t rows[] = {0, 1, 3, 5, 6, 8, 11, 12}, label[] = {1, 7, 3, 0, 22, 9, 4, 7};
    enum { N = sizeof rows / sizeof *rows };
    const dlg_config config = {.task = DLG_CAUSAL_LM, .vocabulary_size = WORDS, .hidden_size = HIDDEN, .n_layers = 2, .n_heads = 2,
                               .intermediate_size = 12, .max_positions = 7, .gelu = DLG_GELU_TANH, .layer_norm_eps = 1e-5,
                               .initializer_range = 0.3, .tied_decoder = true};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        dlg_model *model;
        dlg_batch batch;
        dlg_network network;
        dlg_real x[MAX_ROWS * HIDDEN], u[MAX_ROWS * HIDDEN], v[MAX_ROWS * HIDDEN], share[N * N] = {0};
        double scale, other_scale;
        for (size_t i = 0; i < N; i++) share[i * N + i] = 1;
        assert_int_equal(dlg_model_preset(&model, "GPT-2", &config, seed, NULL), DLG_OK);
        assert_int_equal(dlg_batch_create(&batch, DLG_CAUSAL_LM, SENTENCES, lengths, NULL), DLG_OK);
        assert_int_equal(dlg_batch_predict(&batch, N, rows, NULL), DLG_OK);
        assert_int_equal(dlg_network_create(&network, model, &batch, N, NULL), DLG_OK);
        network.loss->n_labels = N;
        network.loss->label = label;
        network.loss->share = share;
        network.loss->count = N;
        dlg_random_normal_fill(x, batch.n_rows * HIDDEN, 1, seed, dlg_random_stream("x"));
        dlg_random_normal_fill(u, batch.n_rows * HIDDEN, 1, seed, dlg_random_stream("u"));
        dlg_random_normal_fill(v, batch.n_rows * HIDDEN, 1, seed, dlg_random_stream("v"));
        const double vhu = bilinear(&network, x, u, v, &scale), uhv = bilinear(&network, x, v, u, &other_scale);
        const double off = fabs(vhu - uhv) / fmax(scale, other_scale);
        if (!(scale > 0 && off <= (IS_DOUBLE ? 1e-13 : 1e-4))) fail_msg("seed %d: off by %.2e", (int)seed, off);
        dlg_network_release(&network);
        dlg_batch_release(&batch);
        dlg_model_free(model);
    }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_is_the_sum_of_its_sentences),
        cmocka_unit_test(derivative_of_every_distance),
        cmocka_unit_test(nothing_is_left_at_the_truth),
        cmocka_unit_test(scale_of_every_distance),
        cmocka_unit_test(evaluation_is_repeatable_and_allocates_nothing),
        cmocka_unit_test(second_derivative_is_symmetric),
        cmocka_unit_test(second_derivative_of_gpt2_is_symmetric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
