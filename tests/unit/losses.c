/**
 * Gradients of other losses than the plain mean cross-entropy: the text is recovered all the same, and the loss is
 * named, with its factor.
 */
#include "attacks/classes.h"
#include "analysed.h"
#include "models/forward.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { WORDS = 200, HIDDEN = 64, POSITIONS = 20, MOST_SENTENCES = 3, MOST_CLASSES = 6, ROWS_EACH = 2 };

static const size_t lengths[MOST_SENTENCES] = {11, 8, 6};

/* So many sentences, whose tokens and labels differ; n_classes 0: a masked LM with labels in two rows of each. */
static void begin(shared_step *s, size_t n_classes, size_t n_sentences, dlg_step *step)
{
    dlg_config config = step_config(n_classes ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM, WORDS, HIDDEN, POSITIONS);
    size_t rows[MOST_SENTENCES * ROWS_EACH];
    config.initializer_range = 0.1;
    if (n_classes) config.n_labels = n_classes;
    step_begin(s, step_model(&config, 5), n_sentences, lengths);
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = 1; t + 1 < lengths[b]; t++) s->fed[s->batch.first[b] + t] = (uint32_t)(10 + 17 * t + 3 * b);
    for (size_t i = 0; !n_classes && i < n_sentences * ROWS_EACH; i++) {
        rows[i] = s->batch.first[i / ROWS_EACH] + 1 + i / ROWS_EACH + 2 * (i % ROWS_EACH);
        s->fed[rows[i]] = MASK;
        s->labels[i] = 30 + 7 * i;
    }
    for (size_t b = 0; n_classes && b < n_sentences; b++) s->labels[b] = (b + 1) % n_classes;
    if (!n_classes) assert_int_equal(dlg_batch_predict(&s->batch, n_sentences * ROWS_EACH, rows, NULL), DLG_OK);
    *step = (dlg_step){&s->batch, s->fed, s->labels, NULL, NULL, NULL};
}

static void share(shared_step *s, const dlg_step *step)
{
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, step, NULL), DLG_OK);
}

/* Attack it: the text must be recovered. @return the loss that was found */
static dlg_loss attack(const shared_step *s, bool has_labels)
{
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
    dlg_knowledge knowledge = {0};
    dlg_attack_result r;
    assert_int_equal(analysed_knowledge(&knowledge, &s->gradient, NULL), DLG_OK);
    assert_int_equal(analysed_attack(&dlg_attack_auto, &r, &s->gradient, &knowledge, &options, NULL, NULL), DLG_OK);
    if (r.end != DLG_EXPLAINED)
        print_error("%zu sentences, %zu classes, %zu predicted: %s\n", s->batch.n_sentences, s->model->config.n_labels,
                    s->batch.n_predicted, dlg_attack_end_name(r.end));
    assert_int_equal(r.end, DLG_EXPLAINED);
    assert_int_equal(r.n_rows, s->batch.n_rows);
    assert_int_equal(r.n_sentences, s->batch.n_sentences);
    for (size_t i = 0; i < r.n_sentences; i++) { /* lengths differ: each sentence is known by its own */
        size_t b = 0;
        while (lengths[b] != r.first[i + 1] - r.first[i]) assert_true(++b < s->batch.n_sentences);
        assert_memory_equal(r.state.fed + r.first[i], s->fed + s->batch.first[b], lengths[b] * sizeof *s->fed);
    }
    assert_int_equal(r.state.knowledge->n_labels, has_labels ? s->batch.n_predicted : 0);
    const dlg_loss loss = r.state.loss;
    dlg_attack_result_release(&r);
    dlg_knowledge_release(&knowledge);
    return loss;
}

static void assert_near(double a, double b)
{
    assert_true(fabs(a - b) <= 2e-3 * fabs(b));
}

static const struct {
    size_t n_classes, n_sentences;
} cases[] = {{0, 1}, {0, 2}, {2, 1}, {2, 3}, {3, 1}, {3, 3}, {6, 2}};

enum { N_CASES = sizeof cases / sizeof *cases };

static void a_factor_of_either_sign(void **state)
{
    (void)state;
    const double factors[] = {0.35, -0.01};
    for (size_t k = 0; k < N_CASES; k++)
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
            shared_step s;
            dlg_step step;
            const dlg_softmax_loss loss = {factors[i], 0};
            begin(&s, cases[k].n_classes, cases[k].n_sentences, &step);
            step.loss = &loss;
            share(&s, &step);
            const dlg_loss found = attack(&s, true);
            assert_int_equal(found.kind, DLG_LOSS_MEAN);
            const bool is_open = cases[k].n_classes == 2 && cases[k].n_sentences == 1;
            if (is_open && factors[i] < 0) assert_near(found.other_factor, factors[i]);
            else assert_near(found.softmax.factor, factors[i]);
            assert_int_equal(found.other_factor != 0, is_open && factors[i] != 1);
            step_release(&s);
        }
}

/* Of one sentence and two classes smoothing is a factor, and nothing else. */
static void smoothed_labels(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_CASES; k++) {
        shared_step s;
        dlg_step step;
        const dlg_softmax_loss loss = {-2, 0.1};
        begin(&s, cases[k].n_classes, cases[k].n_sentences, &step);
        step.loss = &loss;
        share(&s, &step);
        const bool is_open = cases[k].n_classes == 2 && cases[k].n_sentences == 1;
        const dlg_loss found = attack(&s, true);
        assert_int_equal(found.kind, is_open ? DLG_LOSS_MEAN : DLG_LOSS_SMOOTHED);
        if (!is_open) {
            assert_near(found.softmax.factor, -2);
            assert_near(found.softmax.smoothing, 0.1);
        }
        step_release(&s);
    }
}

static void rows_of_different_weight(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_CASES; k++) {
        shared_step s;
        dlg_step step;
        double weights[MOST_SENTENCES * ROWS_EACH], sum = 0;
        begin(&s, cases[k].n_classes, cases[k].n_sentences, &step);
        const size_t n = s.batch.n_predicted;
        for (size_t i = 0; i < n; i++) sum += weights[i] = 1 + (double)(i * i);
        for (size_t i = 0; i < n; i++) weights[i] /= sum;
        step.weights = weights;
        share(&s, &step);
        const dlg_loss found = attack(&s, true);
        assert_int_equal(found.kind, n > 1 ? DLG_LOSS_WEIGHTED : DLG_LOSS_MEAN);
        assert_near(found.softmax.factor, 1);
        step_release(&s);
    }
}

/* Two sentences of two classes: smoothing makes any two weights, but none less than nothing or beyond a half. */
static void two_weights(void **state)
{
    (void)state;
    static const double weights[][2] = {{0.52, 0.48}, {0.9, 0.1}, {0.3, 0.7}};
    for (size_t k = 0; k < sizeof weights / sizeof *weights; k++) {
        shared_step s;
        dlg_step step;
        begin(&s, 2, 2, &step);
        step.weights = weights[k];
        share(&s, &step);
        const dlg_loss found = attack(&s, true);
        assert_true(found.kind == DLG_LOSS_WEIGHTED ||
                    (found.kind == DLG_LOSS_SMOOTHED && found.is_weighted_too && found.softmax.smoothing < 0.5));
        step_release(&s);
    }
}

/*
 * A sentence that stands there again with another class, alone and beside another one: there are as many sentences as
 * went in, with their classes. Of two classes a factor would do as well, if the mean were not plain.
 */
static void one_sentence_with_two_classes(void **state)
{
    (void)state;
    for (size_t k = 0; k < 8; k++) {
        const size_t n_classes = k < 4 ? 3 : 2, n = k % 2 ? 3 : 2;
        const size_t twins[] = {11, 11, 8};
        const dlg_softmax_loss loss = {k < 4 && k >= 2 ? -0.35 : 1, 0};
        shared_step s;
        dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, WORDS, HIDDEN, POSITIONS);
        config.initializer_range = 0.1;
        config.n_labels = n_classes;
        step_begin(&s, step_model(&config, 5 + k), n, twins);
        for (size_t b = 0; b < n; b++) {
            s.labels[b] = b % 2;
            for (size_t t = 1; t + 1 < twins[b]; t++)
                s.fed[s.batch.first[b] + t] = (uint32_t)(10 + 17 * t + 3 * (b / 2));
        }
        const dlg_step step = {.batch = &s.batch, .fed = s.fed, .labels = s.labels, .loss = &loss};
        share(&s, &step);
        const dlg_attack_options options = {
            .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
        dlg_knowledge knowledge = {0};
        dlg_attack_result r;
        assert_int_equal(analysed_knowledge(&knowledge, &s.gradient, NULL), DLG_OK);
        assert_int_equal(analysed_attack(&dlg_attack_auto, &r, &s.gradient, &knowledge, &options, NULL, NULL), DLG_OK);
        assert_int_equal(r.end, DLG_EXPLAINED);
        assert_int_equal(r.n_sentences, n);
        assert_int_equal(r.state.loss.kind, DLG_LOSS_MEAN);
        assert_near(r.state.loss.softmax.factor, loss.factor);
        size_t n_twins = 0;
        for (size_t b = 0; b < n; b++) {
            if (r.first[b + 1] - r.first[b] != twins[0]) continue;
            assert_memory_equal(r.state.fed + r.first[b], s.fed, twins[0] * sizeof *s.fed);
            n_twins += 1 + r.state.knowledge->labels[b];
        }
        assert_int_equal(n_twins, 1 + 2); /* classes 0 and 1 */
        dlg_attack_result_release(&r);
        dlg_knowledge_release(&knowledge);
        step_release(&s);
    }
}

/* What the model says of the step's text: logits, but for a constant of each row if they are softmax' own. */
static void predict(const shared_step *s, double *logits)
{
    dlg_forward forward = {.model = s->model};
    const dlg_network *network;
    const dlg_forward_text text = {s->batch.n_sentences, lengths, s->fed, s->batch.n_predicted,
                                   s->batch.predicted,   NULL};
    assert_int_equal(dlg_forward_run(&network, &forward, &text, NULL), DLG_OK);
    const dlg_linear_role *decoder = &s->model->roles.decoder;
    const dlg_value *in = network->decoder->x;
    const size_t C = decoder->weight->n_rows, H = in->n_cols;
    for (size_t i = 0; i < in->n_rows; i++)
        for (size_t c = 0; c < C; c++) {
            logits[i * C + c] = (double)decoder->bias->value[c];
            for (size_t j = 0; j < H; j++)
                logits[i * C + c] += (double)in->x[i * H + j] * (double)decoder->weight->value[c * H + j];
        }
    dlg_forward_release(&forward);
}

/* Several labels a text: each class is there or not. */
static void several_labels(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MOST_SENTENCES; n++) {
        shared_step s;
        dlg_step step;
        double logits[MOST_SENTENCES * MOST_CLASSES];
        dlg_real slopes[MOST_SENTENCES * MOST_CLASSES];
        begin(&s, MOST_CLASSES, n, &step);
        predict(&s, logits);
        for (size_t i = 0; i < n * MOST_CLASSES; i++)
            slopes[i] = (dlg_real)(0.5 * (1 / (1 + exp(-logits[i])) - (i % 4 < 2)) / (double)(n * MOST_CLASSES));
        step.slopes = slopes;
        share(&s, &step);
        const dlg_loss found = attack(&s, false);
        assert_int_equal(found.kind, DLG_LOSS_BINARY);
        assert_near(found.softmax.factor, 0.5);
        step_release(&s);
    }
}

/* Of two classes one is there and one is not, and the model says nearly the opposite of one as of the other. */
static void several_labels_that_are_nearly_one(void **state)
{
    (void)state;
    for (size_t first = 0; first < 2; first++) {
        shared_step s;
        dlg_step step;
        double logits[2];
        dlg_real slopes[2];
        begin(&s, 2, 1, &step);
        predict(&s, logits);
        dlg_real *bias = (dlg_real *)(uintptr_t)s.model->roles.decoder.bias->value;
        bias[0] -= (dlg_real)(logits[0] + logits[1] - 2e-3);
        predict(&s, logits);
        for (size_t c = 0; c < 2; c++) slopes[c] = (dlg_real)(0.5 * (1 / (1 + exp(-logits[c])) - (c == first)));
        step.slopes = slopes;
        share(&s, &step);
        assert_int_equal(attack(&s, false).kind, DLG_LOSS_BINARY);
        step_release(&s);
    }
}

static void regression(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MOST_SENTENCES; n++) {
        shared_step s;
        dlg_step step;
        const dlg_real slopes[] = {(dlg_real)0.3, (dlg_real)-0.2, (dlg_real)0.11};
        begin(&s, 1, n, &step);
        step.slopes = slopes;
        share(&s, &step);
        assert_int_equal(attack(&s, false).kind, DLG_LOSS_SQUARED);
        step_release(&s);
    }
}

/* Distilled from a teacher that spreads each row over three classes, or tokens. */
static void soft_labels(void **state)
{
    (void)state;
    const size_t of_classes[] = {0, MOST_CLASSES};
    static double logits[MOST_SENTENCES * ROWS_EACH * WORDS];
    static dlg_real slopes[MOST_SENTENCES * ROWS_EACH * WORDS];
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        dlg_step step;
        begin(&s, of_classes[k], 2, &step);
        predict(&s, logits);
        const size_t n = s.batch.n_predicted, C = of_classes[k] ? of_classes[k] : WORDS;
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t c = 0; c < C; c++) sum += exp(logits[i * C + c]);
            for (size_t c = 0; c < C; c++) {
                const double wanted = c == i ? 0.5 : c == i + 1 ? 0.3 : c == i + 2 ? 0.2 : 0;
                slopes[i * C + c] = (dlg_real)((exp(logits[i * C + c]) / sum - wanted) / (double)n);
            }
        }
        step.slopes = slopes;
        share(&s, &step);
        assert_int_equal(attack(&s, false).kind, DLG_LOSS_OTHER);
        step_release(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_factor_of_either_sign),
        cmocka_unit_test(smoothed_labels),
        cmocka_unit_test(rows_of_different_weight),
        cmocka_unit_test(two_weights),
        cmocka_unit_test(one_sentence_with_two_classes),
        cmocka_unit_test(several_labels),
        cmocka_unit_test(several_labels_that_are_nearly_one),
        cmocka_unit_test(regression),
        cmocka_unit_test(soft_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
