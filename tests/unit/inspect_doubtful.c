/**
 * What can be read off a gradient that was defended, or is not of this model: what is left, and that it is not called
 * certain.
 */
#include "inspected.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static dlg_inspection inspect_defended(const char *spec, size_t length)
{
    shared_step s;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    step_defend(&s, spec, 1);
    dlg_inspection found = inspected_read(&s);
    assert_int_equal(found.length, length);
    assert_true(found.is_defended);
    inspected_assert_labels(&found, &s);
    assert_true(found.labels_ground.sure >= DLG_GUESSED);
    step_release(&s);
    return found;
}

static void rounded(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        dlg_rounding rounding;
    } cases[] = {{"fp16", DLG_ROUNDED_F16}, {"bf16", DLG_ROUNDED_BF16}, {"int8", DLG_ROUNDED_LEVELS}};
    for (size_t i = 0; i < 3; i++) {
        dlg_inspection found = inspect_defended(cases[i].spec, 20);
        assert_int_equal(found.traces.rounding, cases[i].rounding);
        assert_false(found.traces.is_pruned);
        assert_true(found.traces.noise == 0);
        if (found.traces.rounding == DLG_ROUNDED_LEVELS)
            assert_true(found.traces.n_levels > 64 && found.traces.n_levels <= 127);
        dlg_inspection_release(&found);
    }
}

static void pruned(void **state)
{
    (void)state;
    dlg_inspection found = inspect_defended("prune:0.4", 20);
    assert_true(found.traces.is_pruned);
    assert_true(fabs(found.traces.zeros - 0.4) < 0.01);
    assert_int_equal(found.traces.rounding, DLG_NOT_ROUNDED);
    dlg_inspection_release(&found);
}

static void noisy(void **state)
{
    (void)state;
    dlg_inspection found = inspect_defended("gaussian:1e-4", 20);
    assert_true(fabs(found.traces.noise / 1e-4 - 1) < 0.05 && fabs(found.traces.kurtosis - 3) < 0.3);
    for (size_t i = 0; i < found.n_ranks; i++)
        assert_false(found.ranks[i].rank.is_clear && found.ranks[i].rank.rank > 20);
    dlg_inspection_release(&found);
    found = inspect_defended("laplace:1e-4", 20);
    assert_true(fabs(found.traces.noise / (sqrt(2) * 1e-4) - 1) < 0.05 && fabs(found.traces.kurtosis - 6) < 1);
    dlg_inspection_release(&found);
}

/* Where the text fills all positions nothing shows noise. */
static void nothing_behind(void **state)
{
    (void)state;
    shared_step s;
    dlg_defence_traces traces;
    const size_t all = POSITIONS;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &all, 3, 5, 3);
    assert_int_equal(dlg_defence_traces_find(&traces, &s.gradient, POSITIONS, NULL), DLG_OK);
    assert_int_equal(traces.n_behind, 0);
    assert_true(traces.noise == 0 && traces.kurtosis == 0);
    step_release(&s);
}

static void clipped(void **state)
{
    (void)state;
    shared_step s;
    const size_t length = 20;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    dlg_inspection found = inspected_read(&s);
    const double norm = found.traces.norm;
    assert_false(found.traces.is_norm_round);
    dlg_inspection_release(&found);
    inspected_scale(&s, 0.5 / norm);
    found = inspected_read(&s);
    assert_true(found.traces.is_norm_round);
    inspected_assert_labels(&found, &s);
    assert_true(fabs(found.scale * norm / 0.5 - 1) < 1e-3);
    assert_int_equal(found.scale_ground.sure, DLG_CERTAIN);
    dlg_inspection_release(&found);
    step_release(&s);
}

/* Where entries were clipped one by one no rank is that of the rows: one sentence is not taken for many. */
static void clipped_entries(void **state)
{
    (void)state;
    shared_step s;
    const size_t length = 20;
    inspected_share(&s, inspected_preset(DLG_SEQUENCE_CLASSIFICATION, false), 1, &length, 3, 5, 3);
    for (size_t i = 0; i < s.gradient.n; i++) {
        const size_t n = dlg_parameter_items(&s.model->parameters[i]);
        dlg_real *g = s.gradient.owned[i];
        const dlg_real bound = dlg_largest_absolute(n, g) / 4;
        for (size_t k = 0; k < n; k++) g[k] = g[k] > bound ? bound : g[k] < -bound ? -bound : g[k];
    }
    dlg_inspection found = inspected_read(&s);
    assert_true(found.traces.is_clipped && found.is_defended);
    assert_true(found.n_sentences <= 2 && found.sentences_ground.sure <= DLG_GUESSED);
    assert_true(found.text_ground.sure != DLG_CERTAIN);
    dlg_inspection_release(&found);
    step_release(&s);
}

static void nothing_to_see(void **state)
{
    (void)state;
    shared_step s;
    const size_t length = 20;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    for (size_t i = 0; i < s.gradient.n; i++)
        dlg_random_normal_fill(s.gradient.owned[i], dlg_parameter_items(&s.model->parameters[i]), 1e-2, 5, (uint32_t)i);
    dlg_inspection found = inspected_read(&s);
    assert_true(found.text_ground.sure == DLG_UNSEEN && found.masked_ground.sure == DLG_UNSEEN);
    assert_true(found.labels_ground.sure < DLG_CERTAIN && found.tokens_ground.sure < DLG_CERTAIN);
    dlg_inspection_release(&found);
    step_release(&s);
}

/* Nothing is certain of what another model, or none, made. */
static void assert_uncertain(const shared_step *s)
{
    dlg_inspection found = inspected_read(s);
    const dlg_ground *grounds[] = {&found.length_ground, &found.sentences_ground, &found.lengths_ground,
                                   &found.labels_ground, &found.tokens_ground,    &found.masked_ground,
                                   &found.text_ground,   &found.scale_ground};
    assert_false(found.fits);
    assert_int_equal(found.fits_ground.sure, DLG_LIKELY);
    for (size_t i = 0; i < sizeof grounds / sizeof *grounds; i++) assert_true(grounds[i]->sure < DLG_LIKELY);
    dlg_inspection_release(&found);
}

static void of_another_model(void **state)
{
    (void)state;
    const size_t lengths[] = {20, 13}, labels[] = {1, 3};
    for (size_t n = 1; n <= 2; n++)
        for (size_t task = 0; task < 2; task++) {
            shared_step s;
            if (task)
                inspected_share_classes(&s, inspected_preset(DLG_SEQUENCE_CLASSIFICATION, true), n, lengths, labels);
            else inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), n, lengths, 3, 5, 3);
            dlg_model *other;
            assert_int_equal(dlg_model_preset(&other, "other", &s.model->config, 2, NULL), DLG_OK);
            s.gradient.model = other;
            assert_uncertain(&s);
            dlg_model_free(other);
            step_release(&s);
        }
}

/* What comes back through the embeddings is this model's; what its first layer was given is not. */
static void of_another_first_layer(void **state)
{
    (void)state;
    shared_step s, other;
    const size_t lengths[] = {20, 13};
    for (size_t n = 1; n <= 2; n++) {
        inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), n, lengths, 3, 5, 3);
        other.model = NULL;
        assert_int_equal(dlg_model_preset(&other.model, "other", &s.model->config, 2, NULL), DLG_OK);
        inspected_share(&other, other.model, n, lengths, 3, 5, 3);
        for (size_t i = 0; i < s.gradient.n; i++)
            if (strstr(s.model->parameters[i].name, "layer.0.attention.self"))
                memcpy(s.gradient.owned[i], other.gradient.owned[i],
                       dlg_parameter_items(&s.model->parameters[i]) * sizeof(dlg_real));
        assert_uncertain(&s);
        step_release(&s);
        step_release(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounded),        cmocka_unit_test(pruned),           cmocka_unit_test(noisy),
        cmocka_unit_test(clipped),        cmocka_unit_test(clipped_entries),  cmocka_unit_test(nothing_behind),
        cmocka_unit_test(nothing_to_see), cmocka_unit_test(of_another_model), cmocka_unit_test(of_another_first_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
