/** Whether a text explains a gradient: the true one does, of every tensor; what does as well as others is not taken. */
#include "matching/explanation.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/tolerance.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 120, HIDDEN = 32, POSITIONS = 16, LENGTH = 9, MASKED = 4, TWIN = 77, WRONG = 5 };

typedef enum { TIED, UNTIED, CLASSIFIER, KINDS } kind;

static void share(shared_step *s, kind k)
{
    dlg_config config =
        step_config(k == CLASSIFIER ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    config.tied_decoder = k == TIED;
    step_begin(s, step_model(&config, 3), 1, (const size_t[]){LENGTH});
    for (uint32_t i = 1; i + 1 < LENGTH; i++) s->fed[i] = 10 + 11 * i;
    if (k != CLASSIFIER) s->fed[MASKED] = MASK;
    s->labels[0] = k == CLASSIFIER ? 1 : 60;
    /* Another word with the embedding of one that was fed. */
    dlg_real *words = (dlg_real *)(uintptr_t)dlg_model_word_embeddings(s->model);
    memcpy(words + TWIN * HIDDEN, words + s->fed[WRONG] * HIDDEN, HIDDEN * sizeof *words);
    step_share(s, k != CLASSIFIER, (const size_t[]){MASKED});
}

/* Of these tokens, with the label where it belongs. */
static dlg_explanation explain(const shared_step *s, const uint32_t *fed, const dlg_distance *distance)
{
    const dlg_real certain = 1, *words = dlg_model_word_embeddings(s->model);
    const dlg_soft_labels labels = {1, s->labels, &certain, NULL, NULL, false};
    dlg_objective *objective;
    dlg_real x[LENGTH * HIDDEN], *rows = dlg_allocate(DLG_EXPLANATION_ROWS * HIDDEN, sizeof *rows);
    assert_int_equal(dlg_objective_create(&objective, &s->gradient, &s->batch, 1, distance, NULL), DLG_OK);
    for (size_t i = 0; i < LENGTH; i++) memcpy(x + i * HIDDEN, words + fed[i] * HIDDEN, HIDDEN * sizeof *x);
    assert_true(isfinite(dlg_objective_distance(objective, &labels, x)));
    const dlg_explanation found = dlg_explanation_find(objective, fed, rows);
    dlg_objective_free(objective);
    dlg_free(rows);
    return found;
}

static void of_the_text(void **state)
{
    (void)state;
    const dlg_distance *const distances[] = {&dlg_l2, &dlg_relative, &dlg_cosine, &dlg_l2_l1, &dlg_tag_distance};
    for (kind k = 0; k < KINDS; k++)
        for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
            shared_step s;
            share(&s, k);
            const dlg_explanation found = explain(&s, s.fed, distances[i]);
            assert_true(dlg_explanation_is_complete(&found));
            assert_true(found.whole < 1e-5 && found.worst < 1e-4 && found.text > 1e-3);
            step_release(&s);
        }
}

static void not_of_another(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++) {
        shared_step s;
        share(&s, k);
        s.fed[WRONG] = 111;
        const dlg_explanation found = explain(&s, s.fed, &dlg_l2);
        assert_false(dlg_explanation_is_complete(&found));
        step_release(&s);
    }
}

/* A token with the same embedding has the same distance; its row of the word embedding's gradient is another. */
static void not_of_a_twin(void **state)
{
    (void)state;
    for (kind k = 0; k < KINDS; k++) {
        shared_step s;
        share(&s, k);
        s.fed[WRONG] = TWIN;
        const dlg_explanation found = explain(&s, s.fed, &dlg_l2);
        assert_false(dlg_explanation_is_complete(&found));
        assert_string_equal(found.tensor, s.model->roles.words->name);
        step_release(&s);
    }
}

/* One number drowns all others: the sum of squares is as good for any text. */
static void not_where_the_text_is_rounding(void **state)
{
    (void)state;
    for (int by_all = 0; by_all < 2; by_all++) {
        shared_step s;
        share(&s, CLASSIFIER);
        const dlg_parameter *bias = s.model->roles.decoder.bias;
        for (size_t i = 0; i < s.gradient.n; i++)
            for (size_t j = 0; j < dlg_parameter_items(&s.model->parameters[i]); j++)
                if (&s.model->parameters[i] != bias)
                    s.gradient.owned[i][j] *= by_all ? (dlg_real)(dlg_roundoff / 100) : (dlg_real)1e-6;
        if (!by_all) s.fed[WRONG] = 111;
        const dlg_explanation found = explain(&s, s.fed, &dlg_l2);
        assert_false(dlg_explanation_is_complete(&found));
        if (by_all) assert_false(dlg_explanation_is_of_text(&found));
        step_release(&s);
    }
}

static void not_of_nothing(void **state)
{
    (void)state;
    assert_false(dlg_explanation_is_complete(&(dlg_explanation){0}));
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_text),    cmocka_unit_test(not_of_another),
        cmocka_unit_test(not_of_a_twin),  cmocka_unit_test(not_where_the_text_is_rounding),
        cmocka_unit_test(not_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
