/**
 * Scores: what counts as right, that the order of a batch does not, and that too long, too short, too many and too few
 * are all wrong.
 */
#include "report/scores.h"

#include "scarce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\nfish\nswims\n.\nin\n";
enum { CLS = 2, SEP = 3, RED = 5, FISH, SWIMS, STOP, IN };

static int create_tokenizer(void **state)
{
    return dlg_tokenizer_create((dlg_tokenizer **)state, "vocabulary", VOCABULARY, sizeof VOCABULARY - 1, DLG_UNCASED,
                                NULL) != DLG_OK;
}

static int close_tokenizer(void **state)
{
    dlg_tokenizer_close(*state);
    return 0;
}

/* One side: sentences end to end, each ended by a 0, the last by two. */
typedef struct {
    size_t n, first[8];
    uint32_t tokens[64];
} text;

static text parse(const uint32_t *ids)
{
    text t = {0};
    size_t n_tokens = 0;
    for (; *ids; ids++) {
        for (; *ids; ids++) t.tokens[n_tokens++] = *ids;
        t.first[++t.n] = n_tokens;
    }
    return t;
}

#define TEXT(...) parse((const uint32_t[]){__VA_ARGS__, 0, 0})

/* No label is true, none was found. */
static dlg_scores compare(void **state, text found, text wanted)
{
    int64_t labels[64];
    dlg_scores scores;
    for (size_t i = 0; i < 64; i++) labels[i] = DLG_NO_LABEL;
    const dlg_attack_result result = {.state = {.tokens = found.tokens}, .n_sentences = found.n, .first = found.first};
    const dlg_truth truth = {.n_sentences = wanted.n,
                             .n_rows = wanted.first[wanted.n],
                             .first = wanted.first,
                             .ids = wanted.tokens,
                             .labels = labels};
    const dlg_knowledge knowledge = {0};
    assert_int_equal(dlg_scores_compute(&scores, &result, &knowledge, &truth, *state, NULL), DLG_OK);
    return scores;
}

static void assert_scores(dlg_scores scores, size_t n_right, size_t n_tokens, size_t n_exact, size_t n_sentences)
{
    assert_int_equal(scores.n_right, n_right);
    assert_int_equal(scores.n_tokens, n_tokens);
    assert_int_equal(scores.n_exact, n_exact);
    assert_int_equal(scores.n_sentences, n_sentences);
    assert_true(dlg_scores_token_accuracy(&scores) == (double)n_right / (double)n_tokens);
    assert_true(dlg_scores_exact_match(&scores) == (n_exact == n_sentences));
    assert_true(dlg_scores_bag_similarity(&scores) >= dlg_scores_token_accuracy(&scores));
}

static void one_sentence(void **state)
{
    const text truth = TEXT(CLS, RED, FISH, SEP);
    assert_scores(compare(state, TEXT(CLS, RED, FISH, SEP), truth), 4, 4, 1, 1);
    assert_scores(compare(state, TEXT(CLS, RED, SWIMS, SEP), truth), 3, 4, 0, 1);
    assert_scores(compare(state, TEXT(CLS, CLS, RED, FISH), truth), 1, 4, 0, 1);
}

static void other_lengths(void **state)
{
    const text truth = TEXT(CLS, RED, FISH, SEP);
    assert_scores(compare(state, TEXT(CLS, RED, FISH), truth), 3, 4, 0, 1);
    assert_scores(compare(state, TEXT(CLS, RED, FISH, SEP, SEP), truth), 4, 5, 0, 1);
}

static void batches(void **state)
{
    const text truth = TEXT(CLS, RED, SEP, 0, CLS, FISH);
    assert_scores(compare(state, TEXT(CLS, RED, SEP, 0, CLS, SWIMS), truth), 4, 5, 1, 2);
    /* a sentence that was not found */
    assert_scores(compare(state, TEXT(CLS, RED, SEP), truth), 3, 5, 1, 2);
    /* one that never was */
    assert_scores(compare(state, truth, TEXT(CLS, RED, SEP)), 3, 5, 1, 2);
    assert_scores(compare(state, TEXT(CLS, FISH), truth), 2, 5, 1, 2); /* the second one */
    /* the other way round */
    assert_scores(compare(state, TEXT(CLS, FISH, 0, CLS, RED, SEP), truth), 5, 5, 2, 2);
    assert_scores(compare(state, TEXT(CLS, SWIMS, 0, CLS, RED, SEP), truth), 4, 5, 1, 2);
}

/* Three sentences in every order. */
static void permutations(void **state)
{
    const text truth = TEXT(CLS, RED, FISH, SEP, 0, CLS, RED, SWIMS, SEP, 0, CLS, FISH, SWIMS, STOP, SEP);
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t o = 0; o < 6; o++) {
        text found = {.n = 3};
        for (size_t b = 0; b < 3; b++) {
            const size_t from = truth.first[orders[o][b]], n = truth.first[orders[o][b] + 1] - from;
            memcpy(found.tokens + found.first[b], truth.tokens + from, n * sizeof *found.tokens);
            found.first[b + 1] = found.first[b] + n;
        }
        const dlg_scores scores = compare(state, found, truth);
        assert_scores(scores, 13, 13, 3, 3);
        assert_true(fabs(scores.rouge.longest.f1 - 1) < 1e-12 && fabs(scores.rouge_special.two.recall - 1) < 1e-12);
    }
}

/* The first found sentence is exact; the other matching has as many tokens right. */
static void exact_sentences_first(void **state)
{
    const text truth = TEXT(RED, FISH, SWIMS, STOP, 0, RED, FISH, STOP, STOP);
    const text found = TEXT(RED, FISH, SWIMS, STOP, 0, IN, FISH, SWIMS, STOP);
    assert_scores(compare(state, found, truth), 6, 8, 1, 2);
}

static void bag(void **state)
{
    const text truth = TEXT(CLS, RED, RED, FISH, SEP);
    dlg_scores scores = compare(state, TEXT(CLS, FISH, RED, RED, SEP), truth);
    assert_int_equal(scores.n_right, 3);
    assert_true(dlg_scores_bag_similarity(&scores) == 1);
    scores = compare(state, TEXT(CLS, RED, RED, RED, SEP, SEP), truth); /* a word too often, one missing */
    assert_int_equal(scores.n_in_bag, 4);
    assert_int_equal(scores.n_bag, 6);
}

static void labels(void **state)
{
    const text same = TEXT(CLS, RED, FISH, SEP);
    size_t found[] = {RED, RED, SWIMS};
    int64_t masked[] = {DLG_NO_LABEL, SWIMS, RED, DLG_NO_LABEL}, classes[] = {1, 0};
    dlg_scores scores;
    const dlg_attack_result result = {
        .state = {.tokens = same.tokens}, .n_sentences = 1, .first = (size_t *)same.first};
    dlg_truth truth = {
        .n_sentences = 1, .n_rows = 4, .first = (size_t *)same.first, .ids = (uint32_t *)same.tokens, .labels = masked};
    dlg_knowledge knowledge = {.n_labels = 3, .labels = found};
    assert_int_equal(dlg_scores_compute(&scores, &result, &knowledge, &truth, *state, NULL), DLG_OK);
    assert_int_equal(scores.n_labels_right, 2);
    assert_true(dlg_scores_label_accuracy(&scores) == 2.0 / 3);

    /* Classes: one a sentence. */
    const text two = TEXT(CLS, SEP, 0, RED, SEP);
    size_t guess[] = {0, 0};
    truth = (dlg_truth){.is_classification = true,
                        .n_sentences = 2,
                        .n_rows = 4,
                        .first = (size_t *)two.first,
                        .ids = (uint32_t *)two.tokens,
                        .labels = classes};
    knowledge = (dlg_knowledge){.n_labels = 2, .labels = guess};
    assert_int_equal(dlg_scores_compute(&scores, &result, &knowledge, &truth, *state, NULL), DLG_OK);
    assert_int_equal(scores.n_labels_right, 1);
    assert_int_equal(scores.n_labels, 2);
}

static void special_tokens_in_rouge(void **state)
{
    const dlg_scores scores = compare(state, TEXT(CLS, FISH, STOP, SEP), TEXT(CLS, RED, STOP, SEP));
    assert_true(scores.rouge.one.f1 == 0);
    assert_true(fabs(scores.rouge_special.one.f1 - 2.0 / 3) < 1e-15); /* cls fish sep against cls red sep */
    assert_true(scores.rouge_special.two.f1 == 0);
}

/* The mean over the sentences, of which one was not found. */
static void rouge_of_a_batch(void **state)
{
    const dlg_scores scores =
        compare(state, TEXT(CLS, RED, FISH, SEP), TEXT(CLS, SWIMS, SEP, 0, CLS, RED, FISH, SWIMS, SEP));
    assert_true(fabs(scores.rouge.one.precision - 1.0 / 2) < 1e-15);
    assert_true(fabs(scores.rouge.one.recall - 1.0 / 3) < 1e-15);
    assert_true(fabs(scores.rouge.one.f1 - 0.4) < 1e-15);
}

static void nothing_found(void **state)
{
    const text truth = TEXT(CLS, RED, FISH, SEP);
    dlg_scores scores;
    int64_t none[] = {DLG_NO_LABEL, DLG_NO_LABEL, DLG_NO_LABEL, RED};
    const dlg_attack_result result = {.n_sentences = 1, .first = (size_t *)truth.first};
    const dlg_truth wanted = {
        .n_sentences = 1, .n_rows = 4, .first = (size_t *)truth.first, .ids = (uint32_t *)truth.tokens, .labels = none};
    assert_int_equal(dlg_scores_compute(&scores, &result, &(dlg_knowledge){0}, &wanted, *state, NULL), DLG_OK);
    assert_scores(scores, 0, 4, 0, 1);
    assert_int_equal(scores.n_labels, 1);
    assert_true(dlg_scores_label_accuracy(&scores) == 0 && scores.rouge_special.one.f1 == 0);
}

static dlg_status score_a_batch(void *tokenizer, dlg_error *err)
{
    const text truth = TEXT(CLS, RED, SEP, 0, CLS, FISH);
    int64_t none[5] = {RED, RED, RED, RED, RED};
    dlg_scores scores;
    const dlg_attack_result result = {
        .state = {.tokens = truth.tokens}, .n_sentences = 2, .first = (size_t *)truth.first};
    const dlg_truth wanted = {
        .n_sentences = 2, .n_rows = 5, .first = (size_t *)truth.first, .ids = (uint32_t *)truth.tokens, .labels = none};
    return dlg_scores_compute(&scores, &result, &(dlg_knowledge){0}, &wanted, tokenizer, err);
}

static void no_memory(void **state)
{
    assert_true(fail_every_allocation(score_a_batch, *state) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sentence),
        cmocka_unit_test(other_lengths),
        cmocka_unit_test(batches),
        cmocka_unit_test(permutations),
        cmocka_unit_test(exact_sentences_first),
        cmocka_unit_test(bag),
        cmocka_unit_test(labels),
        cmocka_unit_test(special_tokens_in_rouge),
        cmocka_unit_test(rouge_of_a_batch),
        cmocka_unit_test(nothing_found),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, create_tokenizer, close_tokenizer);
}
