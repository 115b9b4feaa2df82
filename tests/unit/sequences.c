/**
 * Sentences put together: kept lists, one edit, tokens arranged by what is known of them, and those that layer 0's
 * attention proposes.
 */
#include "analytic/sequences/sequences.h"

#include "base/memory.h"
#include "analytic/sequences/sequence_assembly.h"
#include "analytic/sequences/attention_groups.h"
#include "analytic/sequences/edits.h"
#include "analysed.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST_WORD = 10 };

/* [CLS] first, then every word and [SEP] everywhere. */
static dlg_candidates everything(size_t n_positions, size_t n_words)
{
    dlg_candidates c = {.n_positions = n_positions, .sees = true};
    c.first = dlg_allocate(n_positions + 1, sizeof *c.first);
    c.token = dlg_allocate(1 + n_positions * (n_words + 1), sizeof *c.token);
    assert_non_null(c.first);
    c.type = dlg_allocate(1 + n_positions * (n_words + 1), sizeof *c.type);
    assert_non_null(c.token);
    assert_non_null(c.type);
    c.token[0] = CLS;
    c.first[1] = 1;
    for (size_t t = 1; t < n_positions; t++) {
        size_t n = c.first[t];
        c.token[n++] = SEP;
        for (size_t w = 0; w < n_words; w++) c.token[n++] = (uint32_t)(FIRST_WORD + w);
        c.first[t + 1] = n;
    }
    return c;
}

static size_t candidate(const dlg_candidates *c, uint32_t token, size_t t)
{
    size_t i = c->first[t];
    while (c->token[i] != token) i++;
    assert_true(i < c->first[t + 1]);
    return i;
}

static void index_of(const dlg_candidates *c, size_t length, const uint32_t *text, size_t *index)
{
    for (size_t t = 0; t < length; t++) index[t] = candidate(c, text[t], t);
}

static void tokens_are_listed_once(void **state)
{
    (void)state;
    dlg_candidates c = everything(3, 2);
    uint32_t *tokens;
    size_t n;
    assert_int_equal(dlg_candidates_tokens(&tokens, &n, &c, NULL), DLG_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(tokens, ((const uint32_t[]){CLS, SEP, 10, 11}), n * sizeof *tokens);
    for (size_t i = 0; i < n; i++) assert_int_equal(dlg_candidates_token_index(n, tokens, tokens[i]), i);
    assert_int_equal(dlg_candidates_token_index(n, tokens, MASK), n);
    assert_int_equal(dlg_candidates_token_index(n, tokens, 12), n);
    assert_int_equal(dlg_candidates_token_index(0, NULL, CLS), 0);
    dlg_free(tokens);
    dlg_allocation_fail_from(1);
    assert_int_equal(dlg_candidates_tokens(&tokens, &n, &c, NULL), DLG_ENOMEM);
    dlg_allocation_fail_from(0);
    assert_null(tokens);
    dlg_candidates_release(&c);
}

static void a_list_knows_its_sentences(void **state)
{
    (void)state;
    dlg_sequences s = {.n_positions = 4};
    const size_t one[] = {0, 3, 5}, other[] = {0, 3, 6};
    assert_int_equal(dlg_sequences_add(&s, 3, one, 0.5, NULL), DLG_OK);
    assert_int_equal(dlg_sequences_add(&s, 2, one, 0.25, NULL), DLG_OK);
    assert_true(dlg_sequences_has(&s, 3, one));
    assert_true(dlg_sequences_has(&s, 2, other));
    assert_false(dlg_sequences_has(&s, 3, other));
    dlg_allocation_fail_from(2);
    assert_int_equal(dlg_sequences_add(&s, 3, other, 0, NULL), DLG_ENOMEM);
    dlg_allocation_fail_from(0);
    assert_int_equal(s.n, 2);
    assert_true(s.outside[1] == 0.25);
    dlg_sequences_release(&s);
}

static bool has_edit(const dlg_edits *e, const dlg_candidates *c, size_t length, const uint32_t *text)
{
    size_t index[8];
    index_of(c, length, text, index);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; e->length[k] == length && i < e->n[k]; i++)
            if (!memcmp(e->index[k] + i * length, index, length * sizeof *index)) return true;
    return false;
}

static void edits_are_one_step_away(void **state)
{
    (void)state;
    dlg_candidates c = everything(6, 4);
    dlg_edits e;
    size_t index[6];
    index_of(&c, 5, (const uint32_t[]){CLS, 10, 11, 12, SEP}, index);
    assert_int_equal(dlg_edits_create(&e, &c, special, NULL), DLG_OK);
    dlg_edits_make(&e, 5, index);
    assert_true(has_edit(&e, &c, 5, (const uint32_t[]){CLS, 10, 13, 12, SEP}));
    assert_true(has_edit(&e, &c, 4, (const uint32_t[]){CLS, 10, 12, SEP}));
    assert_true(has_edit(&e, &c, 6, (const uint32_t[]){CLS, 10, 11, 12, 13, SEP}));
    assert_true(has_edit(&e, &c, 6, (const uint32_t[]){CLS, 13, 10, 11, 12, SEP}));
    assert_true(has_edit(&e, &c, 5, (const uint32_t[]){CLS, 11, 12, 10, SEP}));
    assert_true(has_edit(&e, &c, 5, (const uint32_t[]){CLS, 12, 11, 10, SEP}));
    assert_false(has_edit(&e, &c, 5, (const uint32_t[]){CLS, 10, 13, 13, SEP}));
    assert_false(has_edit(&e, &c, 5, (const uint32_t[]){CLS, 10, 11, 12, SEP}));
    dlg_edits_release(&e);

    index_of(&c, 6, (const uint32_t[]){CLS, 10, 11, 12, 13, SEP}, index);
    assert_int_equal(dlg_edits_create(&e, &c, special, NULL), DLG_OK);
    dlg_edits_make(&e, 6, index); /* there is no position for a longer one */
    assert_int_equal(e.n[2], 0);
    for (size_t k = 0; k < 3; k++) assert_true(e.n[k] <= e.capacity);
    dlg_edits_release(&e);
    dlg_candidates_release(&c);
}

/* Two numbers a position; a token has the sum of its positions' in `text`, and something besides where it is asked. */
static void arrange(const uint32_t *text, size_t length, double besides, size_t *index, size_t *found, double *misfit)
{
    enum { T = 9, WORDS = 6, TOKENS = WORDS + 2 };
    dlg_candidates c = everything(T, WORDS);
    double of_tokens[TOKENS * 2] = {0}, of_positions[T * 2] = {0};
    size_t slot[1 + T * (WORDS + 1)];
    for (size_t i = 0; i < c.first[T]; i++)
        slot[i] = c.token[i] < FIRST_WORD ? c.token[i] - CLS : c.token[i] - FIRST_WORD + 2;
    for (size_t t = 0; t < length; t++)
        for (size_t k = 0; k < 2; k++) {
            of_positions[t * 2 + k] = sin(1 + 3.7 * (double)t + 1.3 * (double)k);
            of_tokens[slot[candidate(&c, text[t], t)] * 2 + k] += of_positions[t * 2 + k] + besides * cos((double)t);
        }
    dlg_sequence_assembly a = {.candidates = &c,
                               .slot = slot,
                               .n_tokens = TOKENS,
                               .n_values = 2,
                               .of_tokens = of_tokens,
                               .of_positions = of_positions,
                               .special = special};
    assert_int_equal(dlg_sequence_assembly_reserve(&a, NULL), DLG_OK);
    *found = dlg_sequence_assembly_find(&a, index, misfit);
    for (size_t t = 0; t < *found; t++) index[t] = c.token[index[t]];
    dlg_sequence_assembly_release(&a);
    dlg_candidates_release(&c);
}

static void tokens_find_their_positions(void **state)
{
    (void)state;
    const uint32_t plain[] = {CLS, 12, 10, 14, 11, SEP}, twice[] = {CLS, 12, 10, 12, 11, 13, 10, 14, SEP};
    size_t index[9], length;
    double misfit;
    arrange(plain, 6, 0, index, &length, &misfit);
    assert_int_equal(length, 6);
    assert_true(misfit < 1e-12);
    for (size_t t = 0; t < length; t++) assert_int_equal(index[t], plain[t]);
    arrange(twice, 9, 0, index, &length, &misfit); /* two words stand twice */
    assert_int_equal(length, 9);
    assert_true(misfit < 1e-12);
    for (size_t t = 0; t < length; t++) assert_int_equal(index[t], twice[t]);
    arrange(plain, 6, 0.7, index, &length, &misfit); /* tokens that are of other sentences too */
    assert_true(misfit > 1e-3);
}

/* ---- of a gradient ---- */

enum { N_SENTENCES = 3, LONGEST = 9 };

static const size_t lengths[N_SENTENCES] = {9, 8, 7};
/* The first two are nearly the same; 16 stands twice in the last. */
static const uint32_t texts[N_SENTENCES][LONGEST] = {
    {CLS, 20, 21, 22, 23, MASK, 24, 25, SEP}, {CLS, 20, 21, 22, 26, MASK, 24, SEP}, {CLS, 16, 27, 16, MASK, 21, SEP}};

static void share(shared_step *s, dlg_candidates *c)
{
    const dlg_config config = step_config(DLG_MASKED_LM, 60, 64, 16);
    size_t n = 0, rows[N_SENTENCES], n_rows = 0;
    step_begin(s, step_model(&config, 1), N_SENTENCES, lengths);
    for (size_t b = 0; b < N_SENTENCES; b++)
        for (size_t t = 0; t < lengths[b]; t++) {
            if (texts[b][t] == MASK) rows[n_rows++] = n;
            s->fed[n++] = texts[b][t];
        }
    memcpy(s->labels, (const size_t[]){40, 41, 40}, N_SENTENCES * sizeof *s->labels);
    step_share(s, n_rows, rows);
    assert_int_equal(analysed_candidates(c, &s->gradient, LONGEST), DLG_OK);
    assert_true(c->sees);
}

static bool is_sentence(const dlg_sequences *proposals, const dlg_candidates *c, size_t k, size_t b)
{
    if (proposals->lengths[k] != lengths[b]) return false;
    for (size_t t = 0; t < lengths[b]; t++)
        if (c->token[proposals->index[k * proposals->n_positions + t]] != texts[b][t]) return false;
    return true;
}

/* The best match among the proposals of this sentence; infinity when it is not proposed. */
static double proposed(const dlg_sequences *proposals, const dlg_candidates *c, size_t b)
{
    double best = INFINITY;
    for (size_t k = 0; k < proposals->n; k++)
        if (is_sentence(proposals, c, k, b)) best = fmin(best, proposals->outside[k]);
    return best;
}

static void attention_tells_sentences_apart(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    dlg_attention_groups *o;
    dlg_sequences proposals, found = {.n_positions = LONGEST};
    share(&s, &c);
    assert_int_equal(dlg_attention_groups_create(&o, &s.gradient, &c, special, NULL), DLG_OK);
    assert_non_null(o);
    assert_int_equal(dlg_attention_groups_propose(&proposals, o, &found, NULL), DLG_OK);
    for (size_t b = 0; b < N_SENTENCES; b++) assert_true(proposed(&proposals, &c, b) < 1e-2);
    dlg_sequences_release(&proposals);

    /* With two of them found everything else is of the third. */
    size_t index[LONGEST];
    for (size_t b = 0; b < 2; b++) {
        index_of(&c, lengths[b], texts[b], index);
        assert_int_equal(dlg_sequences_add(&found, lengths[b], index, 0, NULL), DLG_OK);
    }
    assert_int_equal(dlg_attention_groups_propose(&proposals, o, &found, NULL), DLG_OK);
    assert_true(proposals.n > 0);
    for (size_t k = 0; k < proposals.n; k++)
        assert_true(is_sentence(&proposals, &c, k, 2) && proposals.outside[k] < 1e-2);
    dlg_sequences_release(&proposals);
    dlg_sequences_release(&found);
    dlg_attention_groups_free(o);
    dlg_candidates_release(&c);
    step_release(&s);
}

static void no_memory_for_co_occurrences(void **state)
{
    (void)state;
    shared_step s;
    dlg_candidates c;
    dlg_attention_groups *o;
    share(&s, &c);
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_allocation_fail_from(k);
        status = dlg_attention_groups_create(&o, &s.gradient, &c, special, NULL);
        dlg_allocation_fail_from(0);
        assert_true(status == DLG_OK || (status == DLG_ENOMEM && !o));
    }
    dlg_attention_groups_free(o);
    dlg_candidates_release(&c);
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_knows_its_sentences),   cmocka_unit_test(edits_are_one_step_away),
        cmocka_unit_test(tokens_find_their_positions),  cmocka_unit_test(attention_tells_sentences_apart),
        cmocka_unit_test(no_memory_for_co_occurrences), cmocka_unit_test(tokens_are_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
