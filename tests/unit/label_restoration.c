/**
 * The class of every sentence of a batch, off the gradient of the head's first layer: with BERT's tanh and DistilBERT's
 * ReLU.
 */
#include "analytic/labels/label_restoration.h"

#include "models/architecture.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 200, POSITIONS = 32, CLASSES = 4, N_SENTENCES = 3 };

static const size_t lengths[N_SENTENCES] = {9, 7, 6}, classes[N_SENTENCES] = {3, 0, 2};

static void share(shared_step *s, const dlg_architecture *architecture, size_t n_sentences)
{
    dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, VOCABULARY, 64, POSITIONS);
    config.architecture = architecture;
    config.n_labels = CLASSES;
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 5), n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 7 * i);
    memcpy(s->labels, classes, sizeof classes);
    step_share(s, 0, NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(behind_tanh), cmocka_unit_test(behind_relu),
                                       cmocka_unit_test(not_of_noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
