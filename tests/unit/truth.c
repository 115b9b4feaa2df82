/**
 * Truth files: what is written is read, what hf_case.py's fields mean, and everything that a stranger's file may get
 * wrong.
 */
#include "io/truth.h"

#include "base/json.h"
#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two sentences of 4 and 3 tokens; [PAD] is 9. */
static const char MLM[] =
    "{\"task\": \"mlm\", \"text\": [\"a b\", \"\\u00fc\"], \"fed_ids\": [[2, 5, 4, 3], [2, 4, 3, 9]], "
    "\"ids\": [[2, 5, 6, 3], [2, 7, 3, 9]], \"attention\": [[1, 1, 1, 1], [1, 1, 1, 0]], "
    "\"labels\": [[-100, -100, 6, -100], [-100, 7, -100, -100]], \"loss\": 6.5, \"seed\": 9007199254740992, "
    "\"dropout\": true, \"more\": null}";
static const char CLS[] =
    "{\"task\": \"cls\", \"fed_ids\": [[2, 5, 3]], \"ids\": [[2, 5, 3]], \"attention\": [[1, 1, 1]], "
    "\"labels\": [4]}";

static const char PAIR[] =
    "{\"task\": \"cls\", \"text\": [\"a\", \"c\"], \"text_pair\": [\"b\", null], "
    "\"fed_ids\": [[2, 5, 3, 6, 3], [2, 7, 3, 0, 0]], \"ids\": [[2, 5, 3, 6, 3], [2, 7, 3, 0, 0]], "
    "\"token_type_ids\": [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], \"attention\": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "
    "\"labels\": [1, 0]}";

static void masked_lm(void **state)
{
    (void)state;
    static const uint32_t fed[] = {2, 5, 4, 3, 2, 4, 3}, ids[] = {2, 5, 6, 3, 2, 7, 3};
    static const int64_t labels[] = {-100, -100, 6, -100, -100, 7, -100};
    dlg_truth truth;
    dlg_error err;
    if (dlg_truth_read(&truth, scratch_text("mlm.json", MLM), &err)) fail_msg("%s", err.message);
    assert_false(truth.is_classification);
    assert_int_equal(truth.n_sentences, 2);
    assert_int_equal(truth.n_rows, 7);
    assert_int_equal(truth.first[0], 0);
    assert_int_equal(truth.first[1], 4);
    assert_int_equal(truth.first[2], 7);
    assert_memory_equal(truth.fed, fed, sizeof fed);
    assert_memory_equal(truth.ids, ids, sizeof ids);
    assert_memory_equal(truth.labels, labels, sizeof labels);
    assert_string_equal(truth.text[1], "\xc3\xbc");
    assert_true(truth.loss == 6.5);
    assert_true(truth.seed == UINT64_C(9007199254740992));
    assert_true(truth.dropout);
    assert_int_equal(truth.pad, 9);
    assert_int_equal(dlg_truth_count_labels(&truth), 2);
    dlg_truth_release(&truth);
}

static void classifier(void **state)
{
    (void)state;
    dlg_truth truth;
    assert_int_equal(dlg_truth_read(&truth, scratch_text("cls.json", CLS), NULL), DLG_OK);
    assert_true(truth.is_classification);
    assert_int_equal(truth.labels[0], 4);
    assert_null(truth.text);
    assert_false(truth.dropout);
    assert_int_equal(dlg_truth_count_labels(&truth), 1);
    dlg_truth_release(&truth);
}

static void assert_same(const dlg_truth *a, const dlg_truth *b)
{
    const size_t n_labels = a->is_classification ? a->n_sentences : a->n_rows;
    assert_int_equal(a->is_classification, b->is_classification);
    assert_int_equal(a->n_sentences, b->n_sentences);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_memory_equal(a->first, b->first, (a->n_sentences + 1) * sizeof *a->first);
    assert_memory_equal(a->fed, b->fed, a->n_rows * sizeof *a->fed);
    assert_memory_equal(a->ids, b->ids, a->n_rows * sizeof *a->ids);
    assert_memory_equal(a->labels, b->labels, n_labels * sizeof *a->labels);
    assert_int_equal(!a->text, !b->text);
    for (size_t i = 0; a->text && i < a->n_sentences; i++) assert_string_equal(a->text[i], b->text[i]);
    assert_memory_equal(a->types, b->types, a->n_rows * sizeof *a->types);
    for (size_t i = 0; a->pair && i < a->n_sentences; i++)
        assert_string_equal(a->pair[i] ? a->pair[i] : "none", b->pair[i] ? b->pair[i] : "none");
    assert_true(a->loss == b->loss && a->seed == b->seed && a->dropout == b->dropout && a->pad == b->pad);
}

static void written_and_read(void **state)
{
    (void)state;
    static const char *const examples[] = {MLM, CLS, PAIR};
    for (size_t i = 0; i < 3; i++) {
        dlg_truth truth, again;
        dlg_file_writer *writer;
        const char *path = scratch_path("again.json");
        assert_int_equal(dlg_truth_read(&truth, scratch_text("once.json", examples[i]), NULL), DLG_OK);
        truth.fed[1] = UINT32_MAX;
        truth.seed = i ? UINT64_C(1000000000000000) : truth.seed; /* cJSON alone would write 1e+15 */
        assert_int_equal(dlg_file_create(&writer, path, NULL), DLG_OK);
        assert_int_equal(dlg_truth_append(&truth, writer, NULL), DLG_OK);
        assert_int_equal(dlg_file_commit(writer, NULL), DLG_OK);
        assert_int_equal(dlg_truth_read(&again, path, NULL), DLG_OK);
        assert_same(&truth, &again);
        dlg_truth_release(&truth);
        dlg_truth_release(&again);
    }
}

static void pairs(void **state)
{
    (void)state;
    static const size_t types[] = {0, 0, 0, 1, 1, 0, 0, 0};
    dlg_truth truth;
    dlg_error err = {0};
    assert_int_equal(dlg_truth_read(&truth, scratch_text("pair.json", PAIR), NULL), DLG_OK);
    assert_int_equal(truth.n_rows, 8);
    assert_memory_equal(truth.types, types, sizeof types);
    assert_string_equal(truth.pair[0], "b");
    assert_null(truth.pair[1]);
    assert_int_equal(dlg_truth_check(&truth, "t", 8, 2, 2, 5, &err), DLG_OK);
    assert_refused(dlg_truth_check(&truth, "t", 8, 1, 2, 5, &err), DLG_ESHAPE, &err, "t", "position 3");
    dlg_truth_release(&truth);
}

/* The example with its first `old` replaced. */
static const char *with(const char *example, const char *old, const char *new)
{
    static char text[2048];
    const char *at = strstr(example, old);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - example), example, new, at + strlen(old));
    return text;
}

typedef struct {
    const char *example, *old, *new, *object;
} mistake;

static void assert_refuses(const mistake *m)
{
    dlg_truth truth;
    dlg_error err = {0};
    const char *path = scratch_text("refused.json", with(m->example, m->old, m->new));
    assert_refused(dlg_truth_read(&truth, path, &err), DLG_EFORMAT, &err, path, m->object);
    assert_null(truth.first);
    assert_null(truth.text);
}

static void refused(void **state)
{
    (void)state;
    static const mistake cases[] = {
        {MLM, "\"mlm\"", "\"nsp\"", "task"},
        {MLM, "\"mlm\"", "1", "task"},
        {MLM, "\"task\"", "\"tusk\"", "task"},
        {MLM, "\"attention\"", "\"attn\"", "attention"},
        {MLM, "\"fed_ids\"", "\"fed\"", "fed_ids"},
        {MLM, "\"ids\"", "\"id\"", "ids"},
        {MLM, "\"labels\"", "\"label\"", "labels"},
        {MLM, "[[1, 1, 1, 1], [1, 1, 1, 0]]", "[]", "attention"},
        {MLM, "[[1, 1, 1, 1], [1, 1, 1, 0]]", "7", "attention"},
        {MLM, "[[1, 1, 1, 1], [1, 1, 1, 0]]", "[7, 7]", "attention[0]"},
        {MLM, "[1, 1, 1, 0]", "[1, 1, 1]", "attention[1]"},
        {MLM, "[1, 1, 1, 0]", "[1, 0, 1, 0]", "attention[1][2]"},
        {MLM, "[1, 1, 1, 0]", "[0, 0, 0, 0]", "attention[1]"},
        {MLM, "[1, 1, 1, 0]", "[2, 1, 1, 0]", "attention[1][0]"},
        {MLM, "[1, 1, 1, 0]", "[1, 1, 0.5, 0]", "attention[1][2]"},
        {MLM, "[1, 1, 1, 0]]", "[1, 1, 1, 0], [1, 1, 1, 1]]", "fed_ids"},
        {MLM, "[2, 4, 3, 9]", "[2, 4, 3]", "fed_ids[1]"},
        {MLM, "[2, 4, 3, 9]", "[2, 4, 3, 9, 9]", "fed_ids[1]"},
        {MLM, "[2, 4, 3, 9]", "4", "fed_ids[1]"},
        {MLM, "[2, 4, 3, 9]", "[2, -4, 3, 9]", "fed_ids[1][1]"},
        {MLM, "[2, 4, 3, 9]", "[2, 4.5, 3, 9]", "fed_ids[1][1]"},
        {MLM, "[2, 4, 3, 9]", "[2, \"4\", 3, 9]", "fed_ids[1][1]"},
        {MLM, "[2, 4, 3, 9]", "[2, 4294967296, 3, 9]", "fed_ids[1][1]"},
        {MLM, "[2, 4, 3, 9]", "[2, 4, 3, 4294967296]", "fed_ids[1][3]"},
        {MLM, "[2, 7, 3, 9]", "[2, 7, 1e300, 9]", "ids[1][2]"},
        {MLM, "[-100, 7, -100, -100]", "[-100, 8, -100, -100]", "labels[1][1]"},
        {MLM, "[-100, 7, -100, -100]", "[-100, 7, -100, 9]", "labels[1][3]"},
        {MLM, "[-100, 7, -100, -100]", "[-100, -1, -100, -100]", "labels[1][1]"},
        {MLM, "[-100, 7, -100, -100]", "[-100, 7, -100]", "labels[1]"},
        {MLM, "[[-100, -100, 6, -100], [-100, 7, -100, -100]]", "[[-100, -100, -100, -100], [-100, -100, -100, -100]]",
         "labels"},
        {MLM, "[\"a b\", \"\\u00fc\"]", "[\"a b\"]", "text"},
        {MLM, "[\"a b\", \"\\u00fc\"]", "[\"a b\", 3]", "text[1]"},
        {MLM, "[\"a b\", \"\\u00fc\"]", "\"a b\"", "text"},
        {MLM, "6.5", "\"6.5\"", "loss"},
        {MLM, "9007199254740992", "-1", "seed"},
        {MLM, "9007199254740992", "18014398509481984", "seed"},
        {MLM, "true", "1", "dropout"},
        {MLM, "\"more\"", "\"seed\"", "seed"},
        {CLS, "[4]", "[-100]", "labels[0]"},
        {CLS, "[4]", "[[4]]", "labels[0]"},
        {CLS, "[4]", "[4, 4]", "labels"},
        {CLS, "{", "[{", "byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_refuses(&cases[i]);
}

static void refused_pairs(void **state)
{
    (void)state;
    static const mistake cases[] = {
        {PAIR, "[\"b\", null]", "[\"b\", 1]", "text_pair[1]"},
        {PAIR, "[\"b\", null]", "[\"b\"]", "text_pair"},
        {PAIR, "[0, 0, 0, 1, 1]", "[0, 0, 0, 1]", "token_type_ids[0]"},
        {PAIR, "[0, 0, 0, 1, 1]", "[0, 0, 0, -1, 1]", "token_type_ids[0][3]"},
        {PAIR, "[0, 0, 0, 1, 1]", "[0, 0, 0, 4294967296, 1]", "token_type_ids[0][3]"},
        {PAIR, ", [0, 0, 0, 0, 0]]", "]", "token_type_ids"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_refuses(&cases[i]);
}

static void no_truth(void **state)
{
    (void)state;
    dlg_truth truth;
    dlg_error err = {0};
    const char *path = scratch_text("refused.json", "[1, 2]");
    assert_refused(dlg_truth_read(&truth, path, &err), DLG_EFORMAT, &err, path, "object");
    path = scratch_path("missing.json");
    assert_refused(dlg_truth_read(&truth, path, &err), DLG_EIO, &err, path, "No such file");
}

static void does_not_fit(void **state)
{
    (void)state;
    dlg_truth mlm, cls;
    dlg_error err = {0};
    assert_int_equal(dlg_truth_read(&mlm, scratch_text("mlm.json", MLM), NULL), DLG_OK);
    assert_int_equal(dlg_truth_read(&cls, scratch_text("cls.json", CLS), NULL), DLG_OK);
    assert_int_equal(dlg_truth_check(&mlm, "t", 8, 2, 0, 4, &err), DLG_OK);
    assert_refused(dlg_truth_check(&mlm, "t", 7, 2, 0, 4, &err), DLG_ESHAPE, &err, "t", "sentence 1, position 1");
    assert_refused(dlg_truth_check(&mlm, "t", 8, 2, 0, 3, &err), DLG_ESHAPE, &err, "t", "3 positions, found 4");
    assert_int_equal(dlg_truth_check(&cls, "t", 6, 2, 5, 3, &err), DLG_OK);
    assert_refused(dlg_truth_check(&cls, "t", 6, 2, 4, 3, &err), DLG_ESHAPE, &err, "t", "labels[0]");
    dlg_truth_release(&mlm);
    dlg_truth_release(&cls);
}

/* Whichever allocation fails, that is what is reported, and nothing leaks. */
static void no_memory(void **state)
{
    (void)state;
    const char *path = scratch_text("pair.json", PAIR);
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status != DLG_OK; k++) {
        dlg_truth truth;
        dlg_error err = {0};
        assert_true(k < 100);
        dlg_allocation_fail_from(k);
        status = dlg_truth_read(&truth, path, &err);
        dlg_allocation_fail_from(0);
        if (status) assert_int_equal(status, DLG_ENOMEM);
        dlg_truth_release(&truth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_lm), cmocka_unit_test(classifier), cmocka_unit_test(written_and_read),
        cmocka_unit_test(refused),   cmocka_unit_test(no_truth),   cmocka_unit_test(does_not_fit),
        cmocka_unit_test(no_memory), cmocka_unit_test(pairs),      cmocka_unit_test(refused_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
