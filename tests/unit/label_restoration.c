/**
 * The class of every sentence of a batch, off the gradient of the head's first layer: with BERT's tanh and DistilBERT's
 * ReLU.
 */
#include "analytic/labels/label_restoration.h"

#include "models/architecture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, VOCABULARY = 200, POSITIONS = 32, CLASSES = 4, N_SENTENCES = 3 };

static const size_t lengths[N_SENTENCES] = {9, 7, 6}, classes[N_SENTENCES] = {3, 0, 2};

static dlg_model *make_model(const dlg_architecture *architecture)
{
    const dlg_config config = {.architecture = architecture,
                               .task = DLG_SEQUENCE_CLASSIFICATION,
                               .vocabulary_size = VOCABULARY,
                               .hidden_size = 64,
                               .n_layers = 2,
                               .n_heads = 2,
                               .intermediate_size = 128,
                               .max_positions = POSITIONS,
                               .n_token_types = 2,
                               .n_labels = CLASSES,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.1,
                               .tied_decoder = true};
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, "small", &config, 5, NULL), DLG_OK);
    return model;
}

static void share(dlg_gradient *out, const dlg_model *model, size_t n_sentences)
{
    uint32_t fed[32];
    dlg_batch batch;
    assert_int_equal(dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, n_sentences, lengths, NULL), DLG_OK);
    for (size_t b = 0; b < n_sentences; b++) {
        for (size_t i = batch.first[b]; i < batch.first[b + 1]; i++) fed[i] = (uint32_t)(20 + 7 * i);
        fed[batch.first[b]] = CLS;
        fed[batch.first[b + 1] - 1] = SEP;
    }
    assert_int_equal(dlg_gradient_share(out, NULL, model, &(dlg_step){&batch, fed, classes}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

static void check(const dlg_architecture *architecture, size_t n_sentences)
{
    dlg_label_restoration found;
    dlg_gradient gradient;
    size_t n_found = 0;
    dlg_model *model = make_model(architecture);
    share(&gradient, model, n_sentences);
    assert_int_equal(dlg_label_restoration_solve(&found, &gradient, NULL), DLG_OK);
    assert_int_equal(found.n_sentences, n_sentences);
    assert_true(found.is_solved);
    assert_true(found.scale > 0.99 && found.scale < 1.01);
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t i = 0; i < n_sentences; i++) n_found += found.label[i] == classes[b];
    assert_int_equal(n_found, n_sentences);
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
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
    dlg_gradient gradient;
    dlg_model *model = make_model(&dlg_bert);
    share(&gradient, model, N_SENTENCES);
    const dlg_parameter *head = model->roles.head.weight;
    dlg_real *g = gradient.owned[head - model->parameters];
    for (size_t i = 0; i < dlg_parameter_items(head); i++)
        g[i] += (dlg_real)1e-2 * ((dlg_real)(i * 7919 % 101) / 50 - 1);
    assert_int_equal(dlg_label_restoration_solve(&found, &gradient, NULL), DLG_OK);
    assert_false(found.is_solved);
    dlg_gradient_release(&gradient);
    dlg_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(behind_tanh), cmocka_unit_test(behind_relu),
                                       cmocka_unit_test(not_of_noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
