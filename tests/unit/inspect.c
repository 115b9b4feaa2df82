/** What can be read off a gradient that nothing was done to: every fact. */
#include "inspected.h"
#include "scarce.h"
#include "analysed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_single(const shared_step *s)
{
    dlg_inspection found = inspected_read(s);
    assert_int_equal(found.length_ground.sure, DLG_CERTAIN);
    inspected_assert_text(&found, s);
    assert_int_equal(found.text_ground.sure, DLG_CERTAIN);
    assert_true(found.fits && found.fits_ground.sure == DLG_CERTAIN);
    assert_int_equal(found.n_sentences, 1);
    assert_int_equal(found.n_sentences_most, 1);
    assert_int_equal(found.sentences_ground.sure, DLG_CERTAIN);
    assert_int_equal(found.lengths[0], s->batch.n_rows);
    assert_int_equal(found.lengths_ground.sure, DLG_CERTAIN);
    inspected_assert_labels(&found, s);
    assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
    inspected_assert_tokens(&found, s);
    size_t n_masked = 0;
    for (size_t t = 0; t < s->batch.n_rows; t++)
        if (s->fed[t] == MASK) assert_int_equal(found.masked[n_masked++], t);
    assert_int_equal(found.n_masked, n_masked);
    assert_true(fabs(found.scale - 1) < 1e-3);
    assert_false(found.is_defended);
    assert_true(found.traces.noise == 0 && !found.traces.is_pruned && found.traces.rounding == DLG_NOT_ROUNDED);
    dlg_inspection_release(&found);
}

static void one_sentence(void **state)
{
    (void)state;
    shared_step s;
    const size_t length = 20;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    assert_single(&s);
    step_release(&s);
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, false), 1, &length, 3, 5, 3);
    assert_single(&s);
    step_release(&s);
}

/* 32 masks, five labels that come again; more tokens than the model is wide. */
static void many_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"trained-model", "trained-mini"};
    shared_step s;
    const size_t length = 101;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 32, 3, 27);
    assert_single(&s);
    step_release(&s);
    for (size_t i = 0; i < 2; i++) {
        dlg_model *model = inspected_trained(names[i]);
        if (!model) continue;
        inspected_share(&s, model, 1, &length, 32, 3, 27);
        dlg_inspection found = inspected_read(&s);
        inspected_assert_labels(&found, &s);
        inspected_assert_text(&found, &s);
        assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
        dlg_inspection_release(&found);
        step_release(&s);
    }
}

static void ranks(void **state)
{
    (void)state;
    shared_step s;
    const size_t length = 20;
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, &length, 3, 5, 3);
    dlg_inspection found = inspected_read(&s);
    assert_int_equal(found.n_ranks, 13);
    for (size_t i = 0; i < found.n_ranks; i++) {
        assert_true(found.ranks[i].rank.is_clear);
        /* softmax does not see a shift: one less */
        const bool is_key = strstr(found.ranks[i].parameter->name, "key") != NULL;
        if (i < 6) assert_int_equal(found.ranks[i].rank.rank, 20 - is_key);
    }
    assert_string_equal(found.ranks[12].parameter->name, "cls.predictions.transform.dense.weight");
    assert_int_equal(found.ranks[12].rank.rank, 3);
    dlg_inspection_release(&found);
    step_release(&s);
}

static void a_batch(void **state)
{
    (void)state;
    shared_step s;
    const size_t lengths[] = {14, 11, 8};
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 3, lengths, 6, 4, 6);
    dlg_inspection found = inspected_read(&s);
    assert_int_equal(found.length, 14);
    assert_true(found.fits);
    assert_true(found.n_sentences == 3 && found.n_sentences_most >= 3);
    assert_int_equal(found.sentences_ground.sure, DLG_LIKELY);
    assert_null(found.text);
    inspected_assert_labels(&found, &s);
    inspected_assert_tokens(&found, &s);
    for (size_t i = 0; i < 3; i++) assert_int_equal(found.lengths[i], lengths[i]);
    assert_int_equal(found.lengths_ground.sure, DLG_GUESSED);
    dlg_inspection_release(&found);
    step_release(&s);
}

static void classes(void **state)
{
    (void)state;
    static const size_t lengths[] = {9, 12, 7, 10, 8, 11, 6, 9}, labels[] = {3, 0, 3, 1, 1, 1, 2, 3};
    for (size_t n = 1; n <= 8; n++) {
        dlg_model *model = inspected_trained("trained-cls/model");
        for (int is_trained = 0; is_trained < 1 + (model != NULL); is_trained++) {
            shared_step s;
            inspected_share_classes(&s, is_trained ? model : inspected_preset(DLG_SEQUENCE_CLASSIFICATION, true), n,
                                    lengths, labels);
            dlg_inspection found = inspected_read(&s);
            assert_int_equal(found.n_sentences, n);
            assert_int_equal(found.n_sentences_most, n);
            inspected_assert_labels(&found, &s);
            /* Random weights make sentences so much alike that single precision no longer tells more than a few
             * apart. */
            if (is_trained ? n <= 6 : n <= 3) {
                assert_int_equal(found.labels_ground.sure, DLG_CERTAIN);
                assert_true(fabs(found.scale - 1) < 0.01);
            }
            inspected_assert_tokens(&found, &s);
            assert_int_equal(found.text != NULL, n == 1);
            dlg_inspection_release(&found);
            step_release(&s);
        }
    }
}

static dlg_status inspect_again(void *argument, dlg_error *err)
{
    const shared_step *s = argument;
    dlg_inspection found;
    const dlg_status status = analysed_inspection(&found, &s->gradient, err);
    dlg_inspection_release(&found);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    shared_step s;
    const size_t lengths[] = {9, 7}, labels[] = {1, 3};
    inspected_share(&s, inspected_preset(DLG_MASKED_LM, true), 1, lengths, 2, 3, 2);
    assert_true(fail_every_allocation(inspect_again, &s) > 30);
    step_release(&s);
    inspected_share_classes(&s, inspected_preset(DLG_SEQUENCE_CLASSIFICATION, true), 2, lengths, labels);
    assert_true(fail_every_allocation(inspect_again, &s) > 30);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sentence), cmocka_unit_test(many_labels), cmocka_unit_test(ranks),
        cmocka_unit_test(a_batch),      cmocka_unit_test(classes),     cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
