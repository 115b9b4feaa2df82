/**
 * The class of every sentence of a batch, off the gradient of the head's first layer: with BERT's tanh and DistilBERT's
 * ReLU.
 */
#include "analytic/labels/label_restoration.h"

#include "models/architecture.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { VOCABULARY = 200, POSITIONS = 32, CLASSES = 4, N_SENTENCES = 3 };

static const size_t lengths[N_SENTENCES] = {9, 7, 6}, classes[N_SENTENCES] = {3, 0, 2};

/* As trained weights are: in fresh ones, of two classes, a vector and what is opposite to it do alike. */
static void shift(const dlg_model *model)
{
    const dlg_parameter *of[] = {model->roles.blocks[model->config.n_layers - 1].output_norm.shift,
                                 model->roles.head.bias, model->roles.decoder.bias};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        dlg_real *value = (dlg_real *)(size_t)of[i]->value; /* drawn: the model's own memory */
        for (size_t k = 0; k < dlg_parameter_items(of[i]); k++) value[k] += (dlg_real)(0.3 * cos((double)(5 * k + i)));
    }
}

static void share_of(shared_step *s, const dlg_architecture *architecture, size_t n_classes, size_t n_sentences)
{
    dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, VOCABULARY, 64, POSITIONS);
    config.architecture = architecture;
    config.n_labels = n_classes;
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 5), n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 7 * i);
    if (n_classes == 2) shift(s->model);
    for (size_t b = 0; b < N_SENTENCES; b++) s->labels[b] = classes[b] % n_classes;
    step_share(s, 0, NULL);
}

static void share(shared_step *s, const dlg_architecture *architecture, size_t n_sentences)
{
    share_of(s, architecture, CLASSES, n_sentences);
}

static void check(const dlg_architecture *architecture, size_t n_sentences)
{
    dlg_label_restoration found;
    shared_step s;
    size_t n_found = 0;
    share(&s, architecture, n_sentences);
    assert_int_equal(dlg_label_restoration_solve(&found, &s.gradient, NULL), DLG_OK);
    assert_int_equal(found.n_sentences, n_sentences);
    assert_true(found.is_solved);
    assert_true(found.scale > 0.99 && found.scale < 1.01);
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t i = 0; i < n_sentences; i++) n_found += found.label[i] == classes[b];
    assert_int_equal(n_found, n_sentences);
    step_release(&s);
}

static void behind_tanh(void **state)
{
    (void)state;
    check(&dlg_bert, N_SENTENCES);
}

/* Of three the descent does not come from one piece of a ReLU to another: then the classes are guessed
 * (infer_labels.h). */
static void behind_relu(void **state)
{
    (void)state;
    check(&dlg_distilbert, 2);
}

/* Noise in the head's gradient fills its rank: nothing is said. */
static void not_of_noise(void **state)
{
    (void)state;
    dlg_label_restoration found;
    shared_step s;
    share(&s, &dlg_bert, N_SENTENCES);
    const dlg_parameter *head = s.model->roles.head.weight;
    dlg_real *g = s.gradient.owned[head - s.model->parameters];
    for (size_t i = 0; i < dlg_parameter_items(head); i++)
        g[i] += (dlg_real)1e-2 * ((dlg_real)(i * 7919 % 101) / 50 - 1);
    assert_int_equal(dlg_label_restoration_solve(&found, &s.gradient, NULL), DLG_OK);
    assert_false(found.is_solved);
    step_release(&s);
}

static void solve_scaled(dlg_label_restoration *found, size_t n_classes, size_t n_sentences, double factor)
{
    shared_step s;
    share_of(&s, &dlg_bert, n_classes, n_sentences);
    for (size_t i = 0; i < s.gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&s.model->parameters[i]); k++)
            s.gradient.owned[i][k] *= (dlg_real)factor;
    assert_int_equal(dlg_label_restoration_solve(found, &s.gradient, NULL), DLG_OK);
    assert_true(found->is_solved);
    step_release(&s);
}

/* One sentence of two classes: of a factor with the other sign it is the other class, so that only a factor of 1 says
 * which. */
static void one_of_two_classes(void **state)
{
    (void)state;
    dlg_label_restoration found;
    solve_scaled(&found, 2, 1, 1);
    assert_true(found.is_only && fabs(found.scale - 1) < 1e-5);
    assert_int_equal(found.label[0], classes[0] % 2);
    solve_scaled(&found, 2, 1, 0.35);
    assert_false(found.is_only);
    solve_scaled(&found, 2, 1, -0.35);
    assert_false(found.is_only);
    solve_scaled(&found, CLASSES, 1, 0.35);
    assert_true(found.is_only && fabs(found.scale - 0.35) < 1e-5);
}

/* The factor is the same for each only with their own classes. */
static void several_of_two_classes(void **state)
{
    (void)state;
    static const double factors[] = {1, 0.35, -0.35};
    for (size_t i = 0; i < 3; i++) {
        dlg_label_restoration found;
        size_t n_ones = 0;
        solve_scaled(&found, 2, N_SENTENCES, factors[i]);
        for (size_t b = 0; b < N_SENTENCES; b++) n_ones += found.label[b];
        assert_int_equal(n_ones, 1);
        assert_true(found.is_only && fabs(found.scale / factors[i] - 1) < 1e-3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(behind_tanh), cmocka_unit_test(behind_relu),
                                       cmocka_unit_test(not_of_noise), cmocka_unit_test(one_of_two_classes),
                                       cmocka_unit_test(several_of_two_classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
