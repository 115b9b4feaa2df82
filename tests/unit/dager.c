/**
 * What layers 0 and 1 give away: the tokens of every position, whole sentences, batches, parts of batches; and that
 * nothing is claimed of a gradient that fits none.
 */
#include "attacks/classes.h"

#include "analytic/sequences/attention_groups.h"
#include "analytic/sequences/sequence_search.h"
#include "math/random.h"
#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 200, POSITIONS = 32, LONGEST = 12, N_SENTENCES = 3 };

static const size_t lengths[N_SENTENCES] = {12, 9, 7}, classes[N_SENTENCES] = {1, 0, 2};

/* A batch, two words of which stand in several sentences. twin: the second sentence is the first once more. */
static void share_some(shared_step *s, dlg_task task, size_t n_sentences, const size_t *of_length, bool twin)
{
    dlg_config config = step_config(task, VOCABULARY, 64, POSITIONS);
    size_t rows[N_SENTENCES];
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 1), n_sentences, of_length);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 5 * i);
    for (size_t b = 0; b < n_sentences; b++) {
        const size_t first = s->batch.first[b];
        s->fed[first + 2 + b] = 15; /* here and there */
        s->fed[first + 4] = task == DLG_MASKED_LM ? MASK : 16;
        rows[b] = first + 4;
        s->labels[b] = task == DLG_MASKED_LM ? 77 + b : classes[b];
    }
    if (twin) memcpy(s->fed + s->batch.first[1], s->fed, of_length[0] * sizeof *s->fed);
    step_share(s, task == DLG_MASKED_LM ? n_sentences : 0, rows);
}

static void share(shared_step *s, dlg_task task, size_t n_sentences)
{
    share_some(s, task, n_sentences, lengths, false);
}

static void candidates_of_one_sentence(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    share(&s, DLG_MASKED_LM, 1);
    assert_int_equal(analysed_candidates(&c, &s.gradient, lengths[0]), DLG_OK);
    assert_true(c.sees);
    assert_int_equal(c.rank, lengths[0]);
    for (size_t t = 0; t < lengths[0]; t++) {
        assert_int_equal(c.first[t + 1] - c.first[t], 1);
        assert_int_equal(c.token[c.first[t]], s.fed[t]);
        assert_true(c.outside[t] < 1e-3);
    }
    assert_true(dlg_candidates_has(&c, MASK, 4));
    assert_false(dlg_candidates_has(&c, MASK, 5));
    dlg_candidates_release(&c);
    step_release(&s);
}

/* Where hundreds of thousands are as near as those that were there, the vocabulary is not looked through, and a part of
 * the candidates is none. */
static void no_candidates_where_all_are_near(void **state)
{
    (void)state;
    enum { NARROW = 16, MANY_WORDS = 120000, LENGTH = 15 };
    const dlg_config config = step_config(DLG_MASKED_LM, MANY_WORDS, NARROW, POSITIONS);
    shared_step s;
    dlg_candidates c;
    step_begin(&s, step_model(&config, 1), 1, (const size_t[]){LENGTH});
    for (uint32_t i = 1; i + 1 < LENGTH; i++) s.fed[i] = 20 + 7 * i;
    step_share(&s, 1, (const size_t[]){4});
    assert_int_equal(analysed_candidates(&c, &s.gradient, LENGTH), DLG_OK);
    assert_true(c.rank + 2 >= LENGTH && c.rank < NARROW);
    assert_int_equal(c.first[LENGTH], 0);
    assert_false(c.sees);
    dlg_candidates_release(&c);
    step_release(&s);
}

static void candidates_of_a_batch(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, N_SENTENCES);
    assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
    assert_int_equal(dlg_candidates_from_embedding(&c, &s.gradient, NULL), DLG_OK);
    assert_true(c.sees && c.has_tokens);
    size_t n_certain = 0;
    for (size_t i = 0; i < s.batch.n_rows; i++) assert_true(dlg_candidates_has(&c, s.fed[i], s.batch.position[i]));
    for (size_t t = 0; t < LONGEST; t++) {
        size_t n = 0;
        for (size_t b = 0; b < N_SENTENCES; b++) n += lengths[b] > t;
        n_certain += c.certain[t];
        if (c.certain[t]) assert_true(c.first[t + 1] - c.first[t] <= n);
    }
    assert_true(n_certain > 0);
    dlg_candidates_release(&c);
    step_release(&s);
}

/* Words that stand in several sentences, and sentences as long as a head is wide or longer. */
static void share_narrow_heads(shared_step *s)
{
    dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, VOCABULARY, 64, POSITIONS);
    config.initializer_range = 0.1;
    config.n_heads = 8;
    step_begin(s, step_model(&config, 1), N_SENTENCES, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = (uint32_t)(20 + 5 * i);
    for (size_t b = 0; b < N_SENTENCES; b++) {
        s->fed[s->batch.first[b] + 2 + b] = 15;
        s->labels[b] = classes[b];
    }
    s->fed[s->batch.first[1] + 5] = s->fed[s->batch.first[0] + 7];
    step_share(s, 0, NULL);
}

static void places_of_repeated_words(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    share_narrow_heads(&s);
    assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
    assert_int_equal(dlg_candidates_from_embedding(&c, &s.gradient, NULL), DLG_OK);
    size_t n_certain = 0;
    for (size_t i = 0; i < s.batch.n_rows; i++) assert_true(dlg_candidates_has(&c, s.fed[i], s.batch.position[i]));
    for (size_t t = 0; t < LONGEST; t++) n_certain += c.certain[t];
    /* but for one that may stand at two positions */
    assert_true(n_certain >= LONGEST - 2);
    assert_true(c.first[LONGEST] <= s.batch.n_rows - (N_SENTENCES - 1) + 1);
    dlg_candidates_release(&c);
    step_release(&s);
}

static void sentences_longer_than_heads_are_wide(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    dlg_attention_groups *groups;
    dlg_sequences proposals, found = {.n_positions = LONGEST};
    share_narrow_heads(&s);
    assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
    assert_int_equal(dlg_candidates_from_embedding(&c, &s.gradient, NULL), DLG_OK);
    assert_int_equal(dlg_attention_groups_create(&groups, &s.gradient, &c, special, NULL), DLG_OK);
    assert_int_equal(dlg_attention_groups_propose(&proposals, groups, &found, NULL), DLG_OK);
    for (size_t b = 0; b < N_SENTENCES; b++) {
        size_t index[LONGEST];
        for (size_t t = 0; t < lengths[b]; t++) index[t] = dlg_candidates_index(&c, s.fed[s.batch.first[b] + t], t, 0);
        assert_true(dlg_sequences_has(&proposals, lengths[b], index));
    }
    dlg_sequences_release(&proposals);
    dlg_attention_groups_free(groups);
    dlg_candidates_release(&c);
    step_release(&s);
}

static void sentences_of_a_batch(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        dlg_candidates c;
        dlg_sequence_check *check;
        dlg_sequences found;
        size_t n_asked;
        const dlg_sequence_limits limits = {.most_sentences = 10, .most_tries = 40};
        share(&s, tasks[k], N_SENTENCES);
        assert_int_equal(analysed_candidates(&c, &s.gradient, LONGEST), DLG_OK);
        assert_int_equal(dlg_sequence_check_create(&check, &s.gradient, &c, special, false, NULL), DLG_OK);
        assert_int_equal(dlg_sequence_check_rank(check), N_SENTENCES);
        assert_int_equal(dlg_sequences_find(&found, &n_asked, check, &s.gradient, &c, special, &limits, NULL), DLG_OK);
        assert_int_equal(n_asked, N_SENTENCES);
        assert_int_equal(found.n, N_SENTENCES);
        for (size_t i = 0; i < found.n; i++) {
            size_t b = 0;
            while (b < N_SENTENCES && lengths[b] != found.lengths[i]) b++;
            assert_true(b < N_SENTENCES);
            for (size_t t = 0; t < lengths[b]; t++)
                assert_int_equal(c.token[found.index[i * found.n_positions + t]], s.fed[s.batch.first[b] + t]);
        }
        dlg_sequences_release(&found);
        dlg_sequence_check_free(check);
        dlg_candidates_release(&c);
        step_release(&s);
    }
}

static dlg_attack_end attack(dlg_attack_result *result, const shared_step *s, const dlg_gradient *gradient)
{
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
    dlg_knowledge knowledge = {0};
    (void)s;
    assert_int_equal(analysed_knowledge(&knowledge, gradient, NULL), DLG_OK);
    assert_int_equal(analysed_attack(&dlg_attack_dager, result, gradient, &knowledge, &options, NULL, NULL), DLG_OK);
    dlg_knowledge_release(&knowledge);
    return result->end;
}

static void told_nothing(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n <= N_SENTENCES; n++) {
            shared_step s;
            dlg_attack_result result;
            share(&s, tasks[k], n);
            assert_int_equal(attack(&result, &s, &s.gradient), DLG_EXPLAINED);
            assert_int_equal(result.n_sentences, n);
            assert_int_equal(result.n_rows, s.batch.n_rows);
            assert_int_equal(result.state.knowledge->sentences_from, DLG_INFERRED);
            dlg_attack_result_release(&result);
            step_release(&s);
        }
}

/* Every sentence of the result is one of the batch, its labels put back, and certain. */
static void assert_part(const dlg_attack_result *r, const shared_step *s, dlg_task task)
{
    assert_int_equal(r->part.n_accounted, r->n_sentences);
    assert_int_equal(r->part.n_directions, N_SENTENCES);
    assert_int_equal(r->n_dense, 0);
    assert_int_equal(r->state.knowledge->n_sentences, r->n_sentences);
    assert_int_equal(r->state.knowledge->n_labels, r->n_sentences);
    for (size_t i = 0; i < r->n_sentences; i++) {
        size_t b = 0;
        while (b < N_SENTENCES && lengths[b] != r->first[i + 1] - r->first[i]) b++;
        assert_true(b < N_SENTENCES);
        for (size_t t = 0; t < lengths[b]; t++) {
            const bool is_predicted = task == DLG_MASKED_LM && t == 4;
            const uint32_t fed = s->fed[s->batch.first[b] + t];
            assert_int_equal(r->state.fed[r->first[i] + t], fed);
            assert_int_equal(r->state.tokens[r->first[i] + t], is_predicted ? 77 + b : fed);
            assert_int_equal(dlg_attack_confidence(r, r->first[i] + t), DLG_CERTAIN);
        }
        assert_int_equal(r->state.knowledge->labels[i], task == DLG_MASKED_LM ? 77 + b : classes[b]);
    }
}

/* The user says that there were fewer than there were: the search ends with so many. */
static void part_of_a_batch(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 1; n < N_SENTENCES; n++) {
            shared_step s;
            dlg_attack_result result;
            dlg_knowledge knowledge = {.n_sentences = n, .sentences_from = DLG_TOLD};
            share(&s, tasks[k], N_SENTENCES);
            assert_int_equal(analysed_knowledge(&knowledge, &s.gradient, NULL), DLG_OK);
            assert_int_equal(analysed_attack(&dlg_attack_auto, &result, &s.gradient, &knowledge, &options, NULL, NULL),
                             DLG_OK);
            assert_int_equal(result.end, DLG_PARTLY);
            assert_int_equal(result.n_sentences, n);
            assert_true(result.part.n_least > n);
            assert_part(&result, &s, tasks[k]);
            dlg_attack_result_release(&result);
            dlg_knowledge_release(&knowledge);
            step_release(&s);
        }
}

/* A sentence that stands twice, with two classes: it is read once, and its row's labels say that there were two. */
static void the_same_sentence_twice(void **state)
{
    (void)state;
    const size_t of_length[N_SENTENCES] = {9, 9, 7};
    shared_step s;
    dlg_attack_result result;
    share_some(&s, DLG_SEQUENCE_CLASSIFICATION, N_SENTENCES, of_length, true);
    assert_int_equal(attack(&result, &s, &s.gradient), DLG_EXPLAINED);
    assert_int_equal(result.state.loss.kind, DLG_LOSS_MEAN);
    assert_int_equal(result.n_sentences, N_SENTENCES);
    for (size_t i = 0; i < N_SENTENCES; i++) {
        const size_t b = result.first[i + 1] - result.first[i] == 9 ? 0 : 2;
        assert_int_equal(result.first[i + 1] - result.first[i], of_length[b]);
        assert_memory_equal(result.state.fed + result.first[i], s.fed + s.batch.first[b], of_length[b] * sizeof *s.fed);
    }
    dlg_attack_result_release(&result);
    step_release(&s);
}

static bool interrupt_at_last(void *n_left)
{
    size_t *n = n_left;
    if (*n) --*n;
    return !*n;
}

/* Wherever an interrupt comes, what was found by then is kept. */
static void interrupted_on_the_way(void **state)
{
    (void)state;
    const dlg_attack_options options = {
        .distance = &dlg_l2, .minimiser = &dlg_lbfgs, .max_iterations = 10, .max_starts = 2};
    dlg_attack_end last = DLG_INTERRUPTED;
    dlg_knowledge knowledge = {0};
    size_t n_parts = 0;
    shared_step s;
    share(&s, DLG_MASKED_LM, N_SENTENCES);
    assert_int_equal(analysed_knowledge(&knowledge, &s.gradient, NULL), DLG_OK);
    for (size_t after = 1; last != DLG_EXPLAINED && after < 1000; after++) {
        size_t n_left = after;
        const dlg_attack_observer observer = {.interrupted = interrupt_at_last, .payload = &n_left};
        dlg_attack_result result;
        assert_int_equal(analysed_attack(&dlg_attack_auto, &result, &s.gradient, &knowledge, &options, &observer, NULL),
                         DLG_OK);
        last = result.end;
        assert_true(last == DLG_INTERRUPTED || last == DLG_PARTLY || last == DLG_EXPLAINED);
        if (last == DLG_PARTLY) assert_part(&result, &s, DLG_MASKED_LM);
        n_parts += last == DLG_PARTLY;
        dlg_attack_result_release(&result);
    }
    assert_int_equal(last, DLG_EXPLAINED);
    assert_true(n_parts > 0);
    dlg_knowledge_release(&knowledge);
    step_release(&s);
}

static void nothing_of_random_numbers(void **state)
{
    (void)state;
    shared_step s;
    dlg_attack_result result;
    share(&s, DLG_SEQUENCE_CLASSIFICATION, 1);
    for (size_t i = 0; i < s.gradient.n; i++)
        dlg_random_normal_fill(s.gradient.owned[i], dlg_parameter_items(&s.model->parameters[i]), 0.01, 5, (uint32_t)i);
    dlg_parameter *position = &s.model->parameters[1];
    memset(s.gradient.owned[1] + LONGEST * position->n_cols, 0,
           (position->n_rows - LONGEST) * position->n_cols * sizeof(dlg_real));
    assert_int_not_equal(attack(&result, &s, &s.gradient), DLG_EXPLAINED);
    dlg_attack_result_release(&result);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_of_one_sentence),
        cmocka_unit_test(candidates_of_a_batch),
        cmocka_unit_test(no_candidates_where_all_are_near),
        cmocka_unit_test(places_of_repeated_words),
        cmocka_unit_test(sentences_longer_than_heads_are_wide),
        cmocka_unit_test(sentences_of_a_batch),
        cmocka_unit_test(told_nothing),
        cmocka_unit_test(part_of_a_batch),
        cmocka_unit_test(the_same_sentence_twice),
        cmocka_unit_test(interrupted_on_the_way),
        cmocka_unit_test(nothing_of_random_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
