/**
 * What speaks for each token: how near it and the next are, how sure it is by how the attack ended, and the line that
 * says so.
 */
#include "attacks/session/nearest.h"

#include "attacks/session/attack.h"
#include "report/sources.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the nearest token and the next ---- */

enum { COLUMNS = 2, WORDS = 4 };

static const dlg_real table[WORDS * COLUMNS] = {3, 0, 0, 2, 5, 5, 0, 0}; /* at 0, 90 and 45 degrees, and nowhere */

static void two_nearest(void **state)
{
    (void)state;
    dlg_nearest *nearest;
    const dlg_real x[] = {2, (dlg_real)0.2, 0, 0};
    const double length = sqrt(2 * 2 + 0.2 * 0.2), at_45 = (2 + 0.2) / sqrt(2) / length;
    uint32_t tokens[2];
    dlg_evidence evidence[2];
    assert_int_equal(dlg_nearest_create(&nearest, table, WORDS, COLUMNS, 2, NULL), DLG_OK);
    dlg_nearest_find(nearest, x, NULL, tokens, evidence);
    assert_int_equal(tokens[0], 0);
    assert_int_equal(evidence[0].source, DLG_FROM_DESCENT);
    assert_int_equal(evidence[0].n_choices, 0);
    assert_true(fabs(evidence[0].cosine - 2 / length) < 1e-6);
    assert_true(fabs(evidence[0].margin - (2 / length - at_45)) < 1e-6);
    assert_true(evidence[1].cosine == 0 && evidence[1].margin == 0); /* no direction at all */
    dlg_nearest_free(nearest);
}

/* The larger comes last: what was the nearest is the next. */
static void next_is_handed_down(void **state)
{
    (void)state;
    dlg_nearest *nearest;
    uint32_t token;
    dlg_evidence evidence;
    assert_int_equal(dlg_nearest_create(&nearest, table, WORDS, COLUMNS, 1, NULL), DLG_OK);
    dlg_nearest_find(nearest, (const dlg_real[]){1, (dlg_real)0.9}, NULL, &token, &evidence);
    assert_int_equal(token, 2);
    assert_true(fabs(evidence.cosine - 1.9 / sqrt(2 * 1.81)) < 1e-6);
    assert_true(fabs(evidence.margin - (1.9 / sqrt(2) - 1) / sqrt(1.81)) < 1e-6);
    dlg_nearest_free(nearest);
}

static void nothing_next(void **state)
{
    (void)state;
    dlg_nearest *nearest;
    uint32_t token;
    dlg_evidence evidence;
    assert_int_equal(dlg_nearest_create(&nearest, table, 1, COLUMNS, 1, NULL), DLG_OK);
    dlg_nearest_find(nearest, (const dlg_real[]){1, 1}, NULL, &token, &evidence);
    assert_true(isnan(evidence.margin));
    assert_false(dlg_evidence_is_clear(&evidence));
    dlg_nearest_free(nearest);
}

/* ---- how sure ---- */

/* [CLS] red fish [SEP] and [CLS] red [SEP]; red is a label in the second. */
static const size_t first[] = {0, 4, 7};
static const uint32_t tokens[] = {2, 6, 5, 3, 2, 6, 3};
static const bool predicted[] = {false, false, false, false, false, true, false};
static const dlg_evidence evidence[] = {
    {DLG_FROM_READING, 1, NAN, NAN, 0, NAN},      {DLG_FROM_DESCENT, 0, 0.75, 0.5, 0, NAN},
    {DLG_FROM_DESCENT, 0, 0.9375, 0.125, 0, NAN}, {DLG_FROM_READING, 5, NAN, NAN, 0, NAN},
    {DLG_FROM_READING, 0, NAN, NAN, 0, NAN},      {DLG_FROM_DESCENT, 2, 0.5, 0.25, 0, NAN},
    {DLG_FROM_DESCENT, 1, 0.25, NAN, 0, NAN},
};

static dlg_attack_result ended(dlg_attack_end end)
{
    return (dlg_attack_result){
        .end = end,
        .n_rows = 7,
        .n_sentences = 2,
        .first = (size_t *)first,
        .state = {.fed = tokens, .tokens = tokens, .predicted = predicted, .evidence = evidence}};
}

static void sure_by_the_end(void **state)
{
    (void)state;
    static const dlg_confidence settled[] = {DLG_LIKELY,  DLG_LIKELY, DLG_GUESSED, DLG_GUESSED,
                                             DLG_GUESSED, DLG_LIKELY, DLG_LIKELY};
    const dlg_attack_result of[] = {ended(DLG_EXPLAINED), ended(DLG_SETTLED), ended(DLG_EXHAUSTED),
                                    ended(DLG_INTERRUPTED), ended(DLG_LIKELY_TEXT)};
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(dlg_attack_confidence(&of[0], i), DLG_CERTAIN);
        assert_int_equal(dlg_attack_confidence(&of[1], i), settled[i]);
        assert_int_equal(dlg_attack_confidence(&of[2], i), DLG_GUESSED);
        assert_int_equal(dlg_attack_confidence(&of[3], i), DLG_GUESSED);
        assert_int_equal(dlg_attack_confidence(&of[4], i), settled[i]);
    }
    assert_int_equal(dlg_attack_source(&of[0].state, 0), DLG_FROM_READING);
    assert_int_equal(dlg_attack_source(&of[0].state, 1), DLG_FROM_DESCENT);
    assert_int_equal(dlg_attack_source(&of[0].state, 5), DLG_FROM_LABEL);
}

/* Others that were tried in its place say more than how near it was. */
static void sure_by_the_lead(void **state)
{
    (void)state;
    dlg_evidence e = {DLG_FROM_READING, 1, NAN, NAN, 0, 3};
    assert_false(dlg_evidence_is_clear(&e));
    e = (dlg_evidence){DLG_FROM_DESCENT, 20, 0.5, 0.01, 0, 300};
    assert_true(dlg_evidence_is_clear(&e));
    e.lead = -300;
    assert_false(dlg_evidence_is_clear(&e));
    e.lead = INFINITY; /* there are no others */
    assert_true(dlg_evidence_is_clear(&e));
}

/* What a search may build on is another question: how near, not how far from others. */
static void good_by_nearness(void **state)
{
    (void)state;
    static const bool good[] = {true, false, true, false, false, false, false};
    for (size_t i = 0; i < 7; i++) assert_int_equal(dlg_evidence_is_good(&evidence[i]), good[i]);
}

/* ---- in words ---- */

static void assert_line(dlg_attack_result result, const char *wanted)
{
    static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfish\nred\n";
    char text[1024];
    dlg_tokenizer *tokenizer;
    const dlg_screen screen = {.stream = tmpfile()};
    assert_non_null(screen.stream);
    assert_int_equal(
        dlg_tokenizer_create(&tokenizer, "vocabulary", vocabulary, sizeof vocabulary - 1, DLG_UNCASED, NULL), DLG_OK);
    dlg_sources_print(&screen, &(dlg_subject){.tokenizer = tokenizer}, &result);
    rewind(screen.stream);
    text[fread(text, 1, sizeof text - 1, screen.stream)] = 0;
    fclose(screen.stream);
    dlg_tokenizer_close(tokenizer);
    assert_string_equal(text, wanted);
}

static void in_words(void **state)
{
    (void)state;
#define SOURCES "  tokens: 3 read off, 3 by descent, 1 put back from the labels; "
    assert_line(ended(DLG_EXPLAINED), SOURCES "all certain\n");
    assert_line(ended(DLG_SETTLED), SOURCES
                "4 likely, in doubt: fish at 2 of sentence 1 (cosine 0.94, next 0.81), [SEP] at 3 of sentence 1 "
                "(one of 5 "
                "that fit), [CLS] at 0 of sentence 2 (none fits)\n");
    assert_line(ended(DLG_EXHAUSTED), SOURCES "all guesses\n");

    /* One that was put in another's place: no vector of its own was searched for. */
    dlg_evidence replaced[7];
    dlg_attack_result result = ended(DLG_SETTLED);
    memcpy(replaced, evidence, sizeof replaced);
    replaced[2] = (dlg_evidence){DLG_FROM_DESCENT, 0, NAN, NAN, 0, NAN};
    replaced[3] = replaced[4] = evidence[0];
    result.state.evidence = replaced;
    assert_line(result, SOURCES "6 likely, in doubt: fish at 2 of sentence 1 (the best of those tried)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nearest),      cmocka_unit_test(next_is_handed_down), cmocka_unit_test(nothing_next),
        cmocka_unit_test(sure_by_the_end),  cmocka_unit_test(good_by_nearness),    cmocka_unit_test(in_words),
        cmocka_unit_test(sure_by_the_lead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
