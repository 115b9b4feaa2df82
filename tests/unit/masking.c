/** The participant's masks: how many, where, and what is fed in their place. */
#include "gradient/masking.h"

#include "io/truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 42, MASK = 4, VOCABULARY = 1000 };

static size_t apply(dlg_masking masking, uint64_t seed, size_t sentence, size_t n, uint32_t *fed, int64_t *labels)
{
    size_t n_chosen = 0;
    masking.mask = MASK;
    masking.vocabulary_size = VOCABULARY;
    for (size_t i = 0; i < n; i++) {
        fed[i] = (uint32_t)(100 + i);
        labels[i] = DLG_NO_LABEL;
    }
    assert_int_equal(dlg_masking_apply(&masking, seed, sentence, n, 0, fed, labels, NULL), DLG_OK);
    for (size_t i = 0; i < n; i++) {
        if (labels[i] == DLG_NO_LABEL) {
            assert_int_equal(fed[i], 100 + i);
        } else {
            assert_true(i > 0 && i + 1 < n);
            assert_int_equal(labels[i], 100 + i);
            n_chosen++;
        }
    }
    return n_chosen;
}

/* As Python's max(1, round(rate * (n - 2))), whose round is half to even. */
static void counts(void **state)
{
    (void)state;
    static const struct {
        double rate;
        size_t n, wanted;
    } cases[] = {{0.15, 3, 1}, {0.15, 4, 1}, {0.15, 12, 2}, {0.15, 15, 2}, {0.15, 26, 4}, {0.15, 42, 6},
                 {0.5, 5, 2},  {0.5, 7, 2},  {0.5, 9, 4},   {0, 42, 1},    {1, 42, 40},   {1, 3, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t fed[LENGTH];
        int64_t labels[LENGTH];
        assert_int_equal(apply((dlg_masking){.rate = cases[i].rate}, i, 0, cases[i].n, fed, labels), cases[i].wanted);
    }
}

static void every_place_alike(void **state)
{
    (void)state;
    size_t chosen[LENGTH] = {0};
    uint32_t fed[LENGTH];
    int64_t labels[LENGTH];
    for (uint64_t seed = 0; seed < 2000; seed++) {
        apply((dlg_masking){.rate = 0.15}, seed, 0, LENGTH, fed, labels);
        for (size_t i = 0; i < LENGTH; i++) {
            assert_int_equal(fed[i], labels[i] == DLG_NO_LABEL ? 100 + i : MASK);
            chosen[i] += labels[i] != DLG_NO_LABEL;
        }
    }
    /* 300 +- 5 standard deviations of 16 */
    for (size_t i = 1; i + 1 < LENGTH; i++) assert_in_range(chosen[i], 220, 380);
}

static void bert_style(void **state)
{
    (void)state;
    size_t n_mask = 0, n_kept = 0, n_random = 0;
    uint32_t fed[LENGTH];
    int64_t labels[LENGTH];
    for (uint64_t seed = 0; seed < 1000; seed++) {
        apply((dlg_masking){.rate = 0.5, .style = DLG_MASK_BERT}, seed, 0, LENGTH, fed, labels);
        for (size_t i = 0; i < LENGTH; i++) {
            if (labels[i] == DLG_NO_LABEL) continue;
            assert_true(fed[i] < VOCABULARY);
            if (fed[i] == MASK) n_mask++;
            else if (fed[i] == 100 + i) n_kept++;
            else n_random++;
        }
    }
    assert_int_equal(n_mask + n_kept + n_random, 20000);
    assert_in_range(n_mask, 15700, 16300);
    assert_in_range(n_kept, 1780, 2220);
    assert_in_range(n_random, 1780, 2220);
}

/* The same again; another seed or sentence chooses otherwise. */
static void repeatable(void **state)
{
    (void)state;
    uint32_t fed[4][LENGTH];
    int64_t labels[4][LENGTH];
    static const struct {
        uint64_t seed;
        size_t sentence;
    } draws[] = {{3, 1}, {3, 1}, {4, 1}, {3, 2}};
    for (size_t i = 0; i < 4; i++)
        apply((dlg_masking){.rate = 0.5, .style = DLG_MASK_BERT}, draws[i].seed, draws[i].sentence, LENGTH, fed[i],
              labels[i]);
    assert_memory_equal(fed[0], fed[1], sizeof fed[0]);
    assert_memory_equal(labels[0], labels[1], sizeof labels[0]);
    assert_true(memcmp(labels[0], labels[2], sizeof labels[0]) != 0);
    assert_true(memcmp(labels[0], labels[3], sizeof labels[0]) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(every_place_alike),
                                       cmocka_unit_test(bert_style), cmocka_unit_test(repeatable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
