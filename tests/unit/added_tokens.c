/** Tokens beyond the vocabulary: those that files add, and those that only the model has. */
#define _POSIX_C_SOURCE 200809L
#include "tokenizer/tokenizer.h"

#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SPECIAL_LINES "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"
#define LINES SPECIAL_LINES "a\nb\n##b\n"

static void assert_ids(const dlg_tokenizer *t, const char *text, const dlg_token *ids, size_t n)
{
    dlg_tokens tokens = {0};
    dlg_error err;
    if (dlg_tokenizer_encode(t, &tokens, text, strlen(text), true, 0, NULL, &err)) fail_msg("%s", err.message);
    assert_int_equal(tokens.n, n);
    assert_memory_equal(tokens.ids, ids, n * sizeof *ids);
    dlg_tokens_release(&tokens);
}

/* A model with more embeddings than there are pieces. */
static void pads(void **state)
{
    (void)state;
    dlg_tokenizer *t;
    dlg_error err;
    if (dlg_tokenizer_create(&t, "padded", SPECIAL_LINES "a\n", strlen(SPECIAL_LINES "a\n"), DLG_UNCASED, &err) ||
        dlg_tokenizer_pad(t, "padded", 8, &err))
        fail_msg("%s", err.message);
    assert_int_equal(dlg_tokenizer_size(t), 8);
    assert_string_equal(dlg_tokenizer_piece(t, 7), "[unused 7]");
    assert_ids(t, "a [unused 7]", (const dlg_token[]){2, 5, 1, 1, 1, 1, 3}, 7);
    char *text = dlg_tokenizer_decode(t, (const dlg_token[]){5, 7, 5}, 3, false);
    assert_string_equal(text, "a [unused 7] a");
    dlg_free(text);
    dlg_tokenizer_close(t);
}

/* A directory of these files; NULL: none. */
static dlg_status open_directory(dlg_tokenizer **out, const char *configuration, const char *special, const char *added,
                                 dlg_error *err)
{
    const char *const names[] = {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"};
    const char *const texts[] = {configuration, special, added};
    scratch_text("vocab.txt", LINES);
    for (size_t i = 0; i < COUNT(names); i++) {
        unlink(scratch_path(names[i]));
        if (texts[i]) scratch_text(names[i], texts[i]);
    }
    return dlg_tokenizer_open_directory(out, scratch_directory(), err);
}

/* Every way in which [X] has been written down. */
static void reads_every_file(void **state)
{
    (void)state;
    static const struct {
        const char *configuration, *special, *added;
        bool any_case;
    } cases[] = {
        {NULL, NULL, "{\"[X]\":8}", true},
        {"{\"added_tokens_decoder\":{\"8\":{\"content\":\"[X]\"}}}", NULL, NULL, true},
        {"{\"added_tokens_decoder\":{\"8\":{\"content\":\"[X]\",\"special\":true}}}", NULL, "{\"[X]\":8}", false},
        {"{\"additional_special_tokens\":[\"[X]\"]}", NULL, NULL, false},
        {"{\"extra_special_tokens\":{\"x\":\"[X]\"}}", NULL, NULL, false},
        {NULL, "{\"additional_special_tokens\":[{\"content\":\"[X]\",\"normalized\":false}]}", "{\"[X]\":8}", false},
        {NULL, "{\"additional_special_tokens\":[\"[X]\"]}", "{\"[X]\":8}", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        if (open_directory(&t, cases[i].configuration, cases[i].special, cases[i].added, &err))
            fail_msg("%s", err.message);
        assert_int_equal(dlg_tokenizer_size(t), 9);
        assert_string_equal(dlg_tokenizer_piece(t, 8), "[X]");
        assert_ids(t, "a[X]b b", (const dlg_token[]){2, 5, 8, 6, 6, 3}, 6);
        if (cases[i].any_case) assert_ids(t, "[x]", (const dlg_token[]){2, 8, 3}, 3);
        else assert_ids(t, "[x]", (const dlg_token[]){2, 1, 1, 1, 3}, 5);
        dlg_tokenizer_close(t);
    }
}

/* Ids with a gap before them, in any order, and one that is given to a token without. */
static void gives_ids(void **state)
{
    (void)state;
    dlg_tokenizer *t;
    dlg_error err;
    if (open_directory(&t, NULL, "{\"additional_special_tokens\":[\"[Y]\",\"b\"]}", "{\"[X]\":11,\"[W]\":9}", &err))
        fail_msg("%s", err.message);
    static const char *const pieces[] = {"b", "##b", "[unused 8]", "[W]", "[unused 10]", "[X]", "[Y]"};
    assert_int_equal(dlg_tokenizer_size(t), 13);
    for (dlg_token i = 0; i < COUNT(pieces); i++) assert_string_equal(dlg_tokenizer_piece(t, 6 + i), pieces[i]);
    assert_ids(t, "[w][X][Y]ab", (const dlg_token[]){2, 9, 11, 12, 5, 6, 3}, 7); /* b was added, and is no longer ##b */
    dlg_tokenizer_close(t);
}

/* A word of the text is no added token, though it is spelled like one. */
static void is_no_piece(void **state)
{
    (void)state;
    dlg_tokenizer *t;
    dlg_error err;
    if (open_directory(&t, "{\"added_tokens_decoder\":{\"8\":{\"content\":\"ba\",\"single_word\":true}}}", NULL, NULL,
                       &err))
        fail_msg("%s", err.message);
    assert_ids(t, "ba bab BA \303\251ba (ba)", (const dlg_token[]){2, 8, 1, 8, 1, 1, 8, 1, 3}, 9);
    dlg_tokenizer_close(t);
}

static void shows_sentences(void **state)
{
    (void)state;
    dlg_tokenizer *t;
    dlg_error err;
    static const struct {
        dlg_token ids[6];
        size_t n;
        const char *text;
    } cases[] = {{{2, 5, 1, 6, 3}, 5, "a [UNK] b"},
                 {{2, 2, 5, 3, 4, 3}, 6, "[CLS] a [SEP] [MASK]"},
                 {{5, 2}, 2, "a [CLS]"},
                 {{2, 3}, 2, ""},
                 {{3}, 1, "[SEP]"},
                 {{2}, 1, ""},
                 {{2, 8, 0, 3}, 4, "[X] [PAD]"},
                 {{0}, 0, ""}};
    if (open_directory(&t, NULL, NULL, "{\"[X]\":8}", &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = dlg_tokenizer_decode_sentence(t, cases[i].ids, cases[i].n);
        assert_string_equal(text, cases[i].text);
        dlg_free(text);
    }
    dlg_tokenizer_close(t);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *configuration, *special, *added, *file, *object;
    } cases[] = {
        {"{\"added_tokens_decoder\":[]}", NULL, NULL, "tokenizer_config.json", "added_tokens_decoder: want an object"},
        {"{\"added_tokens_decoder\":{\"x\":{\"content\":\"[X]\"}}}", NULL, NULL, "tokenizer_config.json",
         "found \"x\""},
        {"{\"added_tokens_decoder\":{\"8x\":{\"content\":\"[X]\"}}}", NULL, NULL, "tokenizer_config.json",
         "found \"8x\""},
        {"{\"added_tokens_decoder\":{\"-8\":{\"content\":\"[X]\"}}}", NULL, NULL, "tokenizer_config.json",
         "found \"-8\""},
        {"{\"added_tokens_decoder\":{\"8\":{}}}", NULL, NULL, "tokenizer_config.json", "want content that is a text"},
        {"{\"added_tokens_decoder\":{\"8\":{\"content\":\"[X]\",\"normalized\":null,\"single_word\":0}}}", NULL, NULL,
         "tokenizer_config.json", "[X]: single_word: want true or false"},
        {"{\"additional_special_tokens\":3}", NULL, NULL, "tokenizer_config.json", "want a list of tokens"},
        {NULL, "[]", NULL, "special_tokens_map.json", "want an object"},
        {NULL, "{\"mask_token\":\"<mask>\"}", NULL, "special_tokens_map.json", "mask_token: want [MASK], found <mask>"},
        {NULL, "{\"additional_special_tokens\":[3]}", NULL, "special_tokens_map.json", "want content that is a text"},
        {NULL, NULL, "[]", "added_tokens.json", "want an object"},
        {NULL, NULL, "{\"\":8}", "added_tokens.json", "found one without"},
        {NULL, NULL, "{\"[X]\":\"8\"}", "added_tokens.json", "added token [X]: want an id below"},
        {NULL, NULL, "{\"[X]\":16777216}", "added_tokens.json", "added token [X]: want an id below"},
        {NULL, NULL, "{\"[X]\":7}", "vocab.txt", "want an id of its own, found that of \"##b\" (7)"},
        {NULL, NULL, "{\"[X]\":8,\"[Y]\":8}", "vocab.txt", "want an id of its own, found that of \"[X]\" (8)"},
        {NULL, NULL, "{\"[X]\":1033}", "vocab.txt", "want an id below 1033, found 1033"},
        {NULL, NULL, "{\"a\":8}", "vocab.txt", "want the vocabulary's id, 5, found 8"},
        {"{\"added_tokens_decoder\":{\"9\":{\"content\":\"[X]\"}}}", NULL, "{\"[X]\":8}", "added_tokens.json",
         "added token [X]: want one id, found 9 and 8"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err = {0};
        const dlg_status status = open_directory(&t, cases[i].configuration, cases[i].special, cases[i].added, &err);
        assert_refused(status, DLG_EFORMAT, &err, cases[i].file, cases[i].object);
        assert_null(t);
    }
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_tokenizer *t;
        dlg_error err;
        dlg_tokens tokens = {0};
        char *text = NULL;
        dlg_allocation_fail_from(k);
        status = open_directory(&t, "{\"added_tokens_decoder\":{\"8\":{\"content\":\"[X]\"}}}",
                                "{\"additional_special_tokens\":[\"[Y]\"]}", "{\"[X]\":8,\"[Y]\":9}", &err);
        if (!status) status = dlg_tokenizer_encode(t, &tokens, "[x] a [Y]", 9, true, 0, NULL, &err);
        if (!status && !(text = dlg_tokenizer_decode_sentence(t, tokens.ids, tokens.n))) status = DLG_ENOMEM;
        dlg_allocation_fail_from(0);
        assert_true(status == DLG_OK || status == DLG_ENOMEM);
        if (text) assert_string_equal(text, "[X] a [Y]");
        dlg_free(text);
        dlg_tokens_release(&tokens);
        dlg_tokenizer_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pads),
        cmocka_unit_test(reads_every_file),
        cmocka_unit_test(gives_ids),
        cmocka_unit_test(is_no_piece),
        cmocka_unit_test(shows_sentences),
        cmocka_unit_test(refuses),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
