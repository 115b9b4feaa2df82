/**
 * The whole network on small models of every kind: what a batch is to its sentences, and the symmetry of the loss's
 * second derivative.
 */
#include "close.h"
#include "math/blas.h"
#include "math/random.h"
#include "models/architecture.h"
#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dlg_gradient share(const shared_step *v, const dlg_batch *batch, const uint32_t *fed, const size_t *labels,
                          double *loss)
{
    const dlg_step step = {batch, fed, labels, NULL, NULL, NULL};
    dlg_gradient gradient;
    assert_int_equal(dlg_gradient_share(&gradient, loss, v->model, &step, NULL), DLG_OK);
    return gradient;
}

/* The gradient of a batch is that of its sentences, each weighted by its part of the predictions: nothing leaks from
 * one to another. */
static void check_batch(size_t kind, uint64_t seed)
{
    const bool is_mlm = kinds[kind].task == DLG_MASKED_LM;
    shared_step v;
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
        assert_int_equal(dlg_batch_create(&one, kinds[kind].task, 1, &lengths[b], NULL), DLG_OK);
        if (is_mlm) assert_int_equal(dlg_batch_predict(&one, n, rows, NULL), DLG_OK);
        double one_loss;
        dlg_gradient part = share(&v, &one, v.fed + v.batch.first[b], v.labels + label, &one_loss);
        const double weight = (double)n / (double)v.batch.n_predicted;
        sum += weight * one_loss;
        for (size_t i = 0; i < part.n; i++)
            for (size_t k = 0; k < dlg_parameter_items(&v.model->parameters[i]); k++)
                sums[i][k] += weight * (double)part.values[i][k];
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
    step_release(&v);
}

static void batch_is_the_sum_of_its_sentences(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (uint64_t seed = 1; seed <= 3; seed++) check_batch(kind, seed);
}

/* ---- the loss's second derivative ---- */

/* <v, H u>, H the second derivative of the loss by x; every direction in the weights is zero. `scale` gets ||v|| ||H
 * u||. */
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
            assert_int_equal(dlg_network_create(&network, a.step.model, &a.step.batch, DLG_BOTH_WAYS, MAX_LABELS, NULL),
                             DLG_OK);
            network.loss->n_labels = MAX_LABELS;
            network.loss->label = a.label;
            network.loss->share = a.share;
            network.loss->count = MAX_LABELS;
            dlg_random_normal_fill(u, a.n, 1, seed, dlg_random_stream("u"));
            dlg_random_normal_fill(v, a.n, 1, seed, dlg_random_stream("v"));
            const double vhu = bilinear(&network, a.x, u, v, &scale), uhv = bilinear(&network, a.x, v, u, &other_scale);
            const double off = fabs(vhu - uhv) / fmax(scale, other_scale);
            worst = fmax(worst, off);
            if (!(off <= (IS_DOUBLE ? 1e-13 : 1e-4)))
                fail_msg("%s, seed %d: off by %.2e", kinds[kind].name, (int)seed, off);
            dlg_network_release(&network);
            close_attack(&a);
        }
    printf("<u,Hv> and <v,Hu> differ by %.1e at most\n", worst);
}

/* The same of a model that no gradient is taken of: its stream of sums, normalised on the way, and attention that looks
 * back. */
static void second_derivative_of_gpt2_is_symmetric(void **state)
{
    (void)state;
    static const size_t rows[] = {0, 1, 3, 5, 6, 8, 11, 12}, label[] = {1, 7, 3, 0, 22, 9, 4, 7};
    enum { N = sizeof rows / sizeof *rows };
    dlg_config config = step_config(DLG_CAUSAL_LM, WORDS, HIDDEN, 7);
    config.architecture = &dlg_gpt2;
    config.activation = DLG_GELU_TANH;
    config.layer_norm_eps = 1e-5;
    config.initializer_range = 0.3;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        dlg_model *model = step_model(&config, seed);
        dlg_batch batch;
        dlg_network network;
        dlg_real x[MAX_ROWS * HIDDEN], u[MAX_ROWS * HIDDEN], v[MAX_ROWS * HIDDEN], share[N * N] = {0};
        double scale, other_scale;
        for (size_t i = 0; i < N; i++) share[i * N + i] = 1;
        assert_int_equal(dlg_batch_create(&batch, DLG_CAUSAL_LM, SENTENCES, lengths, NULL), DLG_OK);
        assert_int_equal(dlg_batch_predict(&batch, N, rows, NULL), DLG_OK);
        assert_int_equal(dlg_network_create(&network, model, &batch, DLG_BOTH_WAYS, N, NULL), DLG_OK);
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
        cmocka_unit_test(second_derivative_is_symmetric),
        cmocka_unit_test(second_derivative_of_gpt2_is_symmetric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
