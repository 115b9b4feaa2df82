/** Whole sentences read off single places: of a batch all, those too that end at the same place. */
#include "analytic/sequences/context_reading.h"

#include "analytic/sequences/sequence_check.h"
#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { VOCABULARY = 200, POSITIONS = 32, LONGEST = 9, N_SENTENCES = 3 };

static const size_t lengths[N_SENTENCES] = {9, 9, 7};

/* A classifier's batch of that hidden size. One word stands in all sentences at the same place, one here and there. */
static void share(shared_step *s, size_t hidden)
{
    dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, VOCABULARY, hidden, POSITIONS);
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 1), N_SENTENCES, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 5 * i);
    for (size_t b = 0; b < N_SENTENCES; b++) {
        s->fed[s->batch.first[b] + 2 + b] = 15;
        s->fed[s->batch.first[b] + 1] = 16;
        s->labels[b] = b;
    }
    step_share(s, 0, NULL);
}

/* Every sentence of the batch is read off one of its places, and one that has the same end as another is, too. */
static void sentences_read_off_single_places(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    dlg_sequence_check *check;
    dlg_context_reading *reading;
    size_t index[LONGEST], length, n_seen = 0;
    bool is_over = false;
    share(&s, 64);
    dlg_sequences found = {.n_positions = LONGEST};
    assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
    assert_int_equal(dlg_candidates_from_embedding(&c, &s.gradient, NULL), DLG_OK);
    assert_int_equal(dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL), DLG_OK);
    assert_int_equal(dlg_context_reading_create(&reading, &s.gradient, &c, special, NULL), DLG_OK);
    assert_non_null(reading);
    while (found.n < N_SENTENCES && !is_over) {
        assert_int_equal(dlg_context_reading_next(reading, &found, &is_over, &length, index, NULL), DLG_OK);
        if (!length || !dlg_sequence_check_has(check, length, index) || dlg_sequences_has(&found, length, index))
            continue;
        assert_int_equal(dlg_sequences_add(&found, length, index, 0, NULL), DLG_OK);
        dlg_sequence_check_found(check, length, index);
    }
    assert_int_equal(found.n, N_SENTENCES);
    for (size_t b = 0; b < N_SENTENCES; b++) {
        for (size_t t = 0; t < lengths[b]; t++) index[t] = dlg_candidates_index(&c, s.fed[s.batch.first[b] + t], t, 0);
        n_seen += dlg_sequences_has(&found, lengths[b], index);
    }
    assert_int_equal(n_seen, N_SENTENCES);
    dlg_sequences_release(&found);
    dlg_context_reading_free(reading);
    dlg_sequence_check_free(check);
    dlg_candidates_release(&c);
    step_release(&s);
}

/* Where tokens fill the hidden size nothing is read off a place. */
static void nothing_to_read_off_places(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c = {0};
    dlg_context_reading *reading;
    bool is_over = false;
    size_t length = 1, index[LONGEST];
    const dlg_sequences found = {.n_positions = LONGEST};
    share(&s, 32);
    assert_true(s.batch.n_rows + 8 >= 32);
    assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
    assert_int_equal(dlg_context_reading_create(&reading, &s.gradient, &c, special, NULL), DLG_OK);
    assert_null(reading);
    assert_int_equal(dlg_context_reading_next(reading, &found, &is_over, &length, index, NULL), DLG_OK);
    assert_true(is_over);
    assert_int_equal(length, 0);
    dlg_candidates_release(&c);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_read_off_single_places),
        cmocka_unit_test(nothing_to_read_off_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
