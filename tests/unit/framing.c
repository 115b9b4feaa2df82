/** Texts that are not one between begin and end: pairs, padding that takes part, pieces of longer ones. */
#include "analytic/tokens/segments.h"
#include "analysed.h"
#include "attacks/classes.h"
#include "base/memory.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 9, MOST_SENTENCES = 2, PAD = 0 };

static const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};

/* Sentences as they are fed, with their types; of a masked LM the fourth token of each is to be predicted. */
static void share(shared_step *s, dlg_task task, size_t n_sentences, const uint32_t texts[][LENGTH],
                  const size_t types[][LENGTH], const size_t *lengths)
{
    dlg_config config = step_config(task, 200, 64, 32);
    size_t rows[MOST_SENTENCES], used[MOST_SENTENCES * LENGTH];
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 1), n_sentences, lengths);
    for (size_t b = 0; b < n_sentences; b++) {
        memcpy(s->fed + s->batch.first[b], texts[b], lengths[b] * sizeof **texts);
        if (types) memcpy(used + s->batch.first[b], types[b], lengths[b] * sizeof **types);
        rows[b] = s->batch.first[b] + 3;
        s->labels[b] = task == DLG_MASKED_LM ? 40 + b : b;
        if (task == DLG_MASKED_LM) s->fed[rows[b]] = MASK;
    }
    dlg_batch_set_types(&s->batch, types ? used : NULL);
    step_share(s, task == DLG_MASKED_LM ? n_sentences : 0, rows);
}

/* Which of the shared sentences a found one is, types and all; as many as there are: none. */
static size_t which(const dlg_attack_result *r, const shared_step *s, size_t b)
{
    const size_t n = r->first[b + 1] - r->first[b], *types = r->knowledge->types;
    for (size_t k = 0; k < s->batch.n_sentences; k++) {
        const size_t from = s->batch.first[k];
        bool is_it = s->batch.first[k + 1] - from == n;
        for (size_t t = 0; is_it && t < n; t++)
            is_it = r->state.fed[r->first[b] + t] == s->fed[from + t] &&
                    (types ? types[r->first[b] + t] : 0) == s->batch.type[from + t];
        if (is_it) return k;
    }
    return s->batch.n_sentences;
}

/* Told nothing, the attack finds them all. @return the framing that it knew of */
static unsigned assert_found(const shared_step *s)
{
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
    dlg_attack_result result;
    dlg_knowledge knowledge = {0};
    bool seen[MOST_SENTENCES] = {false};
    assert_int_equal(analysed_knowledge(&knowledge, &s->gradient, NULL), DLG_OK);
    assert_int_equal(analysed_attack(&dlg_attack_auto, &result, &s->gradient, &knowledge, &options, NULL, NULL),
                     DLG_OK);
    assert_int_equal(result.end, DLG_EXPLAINED);
    assert_int_equal(result.n_sentences, s->batch.n_sentences);
    for (size_t b = 0; b < result.n_sentences; b++) {
        const size_t k = which(&result, s, b);
        assert_true(k < s->batch.n_sentences && !seen[k]);
        seen[k] = true;
    }
    const unsigned framing = knowledge.special.framing;
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
    return framing;
}

/* With begin and end where every text has them. */
static const uint32_t pairs[][LENGTH] = {{CLS, 20, 21, 22, SEP, 30, 31, 32, SEP}, {CLS, 50, SEP, 61, 62, 63, SEP}};
static const size_t pair_types[][LENGTH] = {{0, 0, 0, 0, 0, 1, 1, 1, 1}, {0, 0, 0, 1, 1, 1, 1}};

static void segments(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        size_t types[LENGTH];
        double misfit;
        share(&s, tasks[k], 1, pairs, pair_types, (const size_t[]){LENGTH});
        assert_int_equal(dlg_segments_count(&s.gradient, LENGTH), 2);
        assert_int_equal(dlg_segments_find(types, &misfit, &s.gradient, LENGTH, NULL), DLG_OK);
        assert_true(misfit < 1e-4);
        assert_memory_equal(types, pair_types[0], sizeof types);
        dlg_allocation_fail_from(1);
        assert_int_equal(dlg_segments_find(types, &misfit, &s.gradient, LENGTH, NULL), DLG_ENOMEM);
        dlg_allocation_fail_from(0);
        step_release(&s);
        share(&s, tasks[k], 1, pairs, NULL, (const size_t[]){LENGTH});
        assert_int_equal(dlg_segments_count(&s.gradient, LENGTH), 1);
        step_defend(&s, "gaussian:1e-4", 3); /* noise stands in the second type's row too */
        assert_int_equal(dlg_segments_count(&s.gradient, LENGTH), 1);
        step_release(&s);
    }
}

static void one_pair(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        share(&s, tasks[k], 1, pairs, pair_types, (const size_t[]){LENGTH});
        assert_int_equal(assert_found(&s), DLG_PAIRED);
        step_release(&s);
    }
}

static void two_pairs(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        share(&s, tasks[k], 2, pairs, pair_types, (const size_t[]){LENGTH, 7});
        assert_int_equal(assert_found(&s), DLG_PAIRED);
        step_release(&s);
    }
}

static void a_pair_and_one_alone(void **state)
{
    (void)state;
    static const uint32_t texts[][LENGTH] = {{CLS, 20, 21, 22, SEP, 30, 31, 32, SEP}, {CLS, 50, 61, 62, SEP}};
    static const size_t types[][LENGTH] = {{0, 0, 0, 0, 0, 1, 1, 1, 1}, {0}};
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        share(&s, tasks[k], 2, texts, types, (const size_t[]){LENGTH, 5});
        assert_int_equal(assert_found(&s), DLG_PAIRED);
        step_release(&s);
    }
}

static void padding(void **state)
{
    (void)state;
    static const uint32_t behind[][LENGTH] = {{CLS, 20, 21, 22, 23, 24, 25, 26, SEP},
                                              {CLS, 50, 61, 62, 63, SEP, PAD, PAD, PAD}},
                          before[][LENGTH] = {{PAD, PAD, CLS, 50, 61, 62, 63, 64, SEP},
                                              {CLS, 20, 21, 22, 23, 24, 25, 26, SEP}};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n <= 2; n++) {
            shared_step s;
            share(&s, tasks[k], n, behind + (2 - n), NULL, (const size_t[]){LENGTH, LENGTH});
            assert_int_equal(assert_found(&s), DLG_PADDED_BEHIND);
            step_release(&s);
            share(&s, tasks[k], n, before, NULL, (const size_t[]){LENGTH, LENGTH});
            assert_int_equal(assert_found(&s), DLG_PADDED_BEFORE);
            step_release(&s);
        }
}

static void pieces(void **state)
{
    (void)state;
    static const uint32_t texts[][LENGTH] = {{70, 20, 21, 22, 23, 24, 25, 26, 71},
                                             {80, 50, 61, 62, 63, 64, 65, 66, 81}};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n <= 2; n++) {
            dlg_inspection found;
            shared_step s;
            share(&s, tasks[k], n, texts, NULL, (const size_t[]){LENGTH, LENGTH});
            assert_int_equal(assert_found(&s), DLG_CUT);
            assert_int_equal(analysed_inspection(&found, &s.gradient, NULL), DLG_OK);
            assert_true(found.fits);
            dlg_inspection_release(&found);
            step_release(&s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments),  cmocka_unit_test(one_pair),
        cmocka_unit_test(two_pairs), cmocka_unit_test(a_pair_and_one_alone),
        cmocka_unit_test(padding),   cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
