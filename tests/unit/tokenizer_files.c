/**
 * Which vocabularies, tokenizer.json and Hugging Face directories are read, and by what name the others are refused.
 */
#define _POSIX_C_SOURCE 200809L
#include "tokenizer/tokenizer.h"

#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT(literal) literal, sizeof(literal) - 1

/* The parts of a tokenizer.json, so that a test can replace one. */
#define NORMALIZER                                                                                                     \
    "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":" \
    "null,"                                                                                                            \
    "\"lowercase\":true}"
#define PRE_TOKENIZER "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"
#define POST_PROCESSOR                                                                                                 \
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"[CLS]\",\"type_id\":" \
    "0}},"                                                                                                             \
    "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}],\"pair\":[],"    \
    "\"special_tokens\":{}}"
#define DECODER "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}"
#define ADDED                                                                                                          \
    "\"added_tokens\":[{\"id\":2,\"content\":\"[MASK]\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"      \
    "\"normalized\":false,"                                                                                            \
    "\"special\":true}]"
#define MODEL_HEAD                                                                                                     \
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","                  \
    "\"max_input_chars_per_word\":100,\"vocab\":"
#define VOCABULARY "{\"[UNK]\":0,\"a\":5,\"[MASK]\":2,\"[CLS]\":3,\"[SEP]\":4,\"[PAD]\":1,\"##b\":6}"
#define MODEL MODEL_HEAD VOCABULARY "}"
#define WHOLE                                                                                                          \
    "{\"version\":\"1.0\",\"truncation\":null," ADDED "," NORMALIZER "," PRE_TOKENIZER "," POST_PROCESSOR "," DECODER  \
    "," MODEL "}"
#define WITH_MODEL(model) "{" NORMALIZER "," PRE_TOKENIZER "," model "}"
#define WITH_NORMALIZER(normalizer) "{" PRE_TOKENIZER "," normalizer "," MODEL "}"
#define WITH(part) "{" NORMALIZER "," PRE_TOKENIZER "," MODEL "," part "}"

static void assert_ids(const dlg_tokenizer *t, const char *text, const dlg_token *ids, size_t n)
{
    dlg_tokens tokens = {0};
    dlg_error err;
    if (dlg_tokenizer_encode(t, &tokens, text, strlen(text), true, 0, NULL, &err)) fail_msg("%s", err.message);
    assert_int_equal(tokens.n, n);
    assert_memory_equal(tokens.ids, ids, n * sizeof *ids);
    dlg_tokens_release(&tokens);
}

/* ---- vocab.txt ---- */

#define SPECIAL_LINES "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

static void line_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {SPECIAL_LINES "a\n##b\n", SPECIAL_LINES "a\n##b",
                                        "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\n##b\r\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        if (dlg_tokenizer_open(&t, scratch_text("vocab.txt", texts[i]), DLG_UNCASED, &err)) fail_msg("%s", err.message);
        assert_int_equal(dlg_tokenizer_size(t), 7);
        assert_ids(t, "ab a ba", (const dlg_token[]){2, 5, 6, 5, 1, 3}, 6);
        dlg_tokenizer_close(t);
    }
}

static void refuses_vocabularies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n_bytes;
        const char *object;
    } cases[] = {
        {TEXT(""), "want 1 to 16777216 pieces, found 0"},
        {TEXT("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n"), "want the special token [MASK]"},
        {TEXT("[UNK]\n[CLS]\n[SEP]\n[MASK]\n"), "want the special token [PAD]"},
        {TEXT("[PAD]\n[CLS]\n[SEP]\n[MASK]\n"), "want the special token [UNK]"},
        {TEXT("[PAD]\n[UNK]\n[MASK]\n[SEP]\n"), "want the special token [CLS]"},
        {TEXT("[PAD]\n[UNK]\n[CLS]\n[MASK]\n"), "want the special token [SEP]"},
        {TEXT(SPECIAL_LINES "a\xff\n"), "line 6: want UTF-8, found byte 0xff"},
        {TEXT(SPECIAL_LINES "a\0b\n"), "line 6: want text, found control character 0x00"},
        {TEXT(SPECIAL_LINES "a\rb\n"), "line 6: want text, found control character 0x0d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err = {0};
        const char *path = scratch_file("bad.txt", cases[i].text, cases[i].n_bytes);
        assert_refused(dlg_tokenizer_open(&t, path, DLG_UNCASED, &err), DLG_EFORMAT, &err, "bad.txt", cases[i].object);
        assert_null(t);
    }
    dlg_tokenizer *t;
    dlg_error err = {0};
    assert_refused(dlg_tokenizer_open(&t, scratch_path("none.txt"), DLG_UNCASED, &err), DLG_EIO, &err, "none.txt",
                   "No such file");
    assert_null(t);
}

/* As BertTokenizer reads them: ids go on where a line is empty, and of equal lines the last is found. */
static void reads_odd_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dlg_token a, b; /* where "a" and "b" are found */
        size_t n;
        dlg_token unnamed;
    } cases[] = {{SPECIAL_LINES "a\n\nb\n", 5, 7, 8, 6},  {SPECIAL_LINES "\r\na\r\nb\r\n", 6, 7, 8, 5},
                 {SPECIAL_LINES "a\nb\na\n", 7, 6, 8, 5}, {SPECIAL_LINES "a\na\nb\na\n", 8, 7, 9, 6},
                 {SPECIAL_LINES "a\nb\n\n", 5, 6, 8, 7},  {"\357\273\277" SPECIAL_LINES "\na\nb", 6, 7, 8, 5}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        char unnamed[32];
        if (dlg_tokenizer_open(&t, scratch_text("vocab.txt", cases[i].text), DLG_UNCASED, &err))
            fail_msg("%s", err.message);
        assert_int_equal(dlg_tokenizer_size(t), cases[i].n);
        assert_ids(t, "[PAD] a b", (const dlg_token[]){2, 0, cases[i].a, cases[i].b, 3}, 5);
        snprintf(unnamed, sizeof unnamed, "[unused %u]", cases[i].unnamed);
        assert_string_equal(dlg_tokenizer_piece(t, cases[i].unnamed), unnamed);
        dlg_tokenizer_close(t);
    }
}

/* A piece longer than any word is useless, not wrong. */
static void accepts_long_lines(void **state)
{
    (void)state;
    const size_t n_long = 1000000, n_head = strlen(SPECIAL_LINES);
    char *text = malloc(n_head + n_long + sizeof "\nb\n");
    assert_non_null(text);
    memcpy(text, SPECIAL_LINES, n_head);
    memset(text + n_head, 'a', n_long);
    strcpy(text + n_head + n_long, "\nb\n");
    dlg_tokenizer *t;
    dlg_error err;
    if (dlg_tokenizer_create(&t, "long", text, strlen(text), DLG_UNCASED, &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_tokenizer_size(t), 7);
    assert_ids(t, text, (const dlg_token[]){2, 0, 1, 2, 3, 4, 1, 6, 3}, 9);
    dlg_tokenizer_close(t);
    free(text);
}

/* ---- tokenizer.json, and directories ---- */

static void reads_json(void **state)
{
    (void)state;
    static const char *const texts[] = {WHOLE, WITH_MODEL(MODEL),
                                        WITH("\"post_processor\":{\"type\":\"BertProcessing\"}"),
                                        WITH("\"decoder\":null,\"post_processor\":null,\"added_tokens\":[]")};
    for (size_t i = 0; i < COUNT(texts); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        if (dlg_tokenizer_open_json(&t, scratch_text("tokenizer.json", texts[i]), &err)) fail_msg("%s", err.message);
        assert_int_equal(dlg_tokenizer_size(t), 7);
        assert_ids(t, "\303\204b [MASK] ba", (const dlg_token[]){3, 5, 6, 2, 0, 4}, 6);
        dlg_tokenizer_close(t);
    }
}

static void reads_the_normaliser(void **state)
{
    (void)state;
#define FLAGS(cjk, accents, lower)                                                                                     \
    WITH_NORMALIZER("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":" cjk    \
                    ",\"strip_accents\":" accents ",\"lowercase\":" lower "}")
    static const struct {
        const char *text;
        bool lower_case, strip_accents, split_cjk;
    } cases[] = {{FLAGS("true", "null", "true"), true, true, true},
                 {FLAGS("true", "null", "false"), false, false, true},
                 {FLAGS("false", "false", "true"), true, false, false},
                 {FLAGS("false", "true", "false"), false, true, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        if (dlg_tokenizer_create_json(&t, "json", cases[i].text, strlen(cases[i].text), &err))
            fail_msg("%s", err.message);
        const dlg_normalisation how = dlg_tokenizer_normalisation(t);
        assert_true(how.lower_case == cases[i].lower_case && how.strip_accents == cases[i].strip_accents);
        assert_true(how.split_cjk == cases[i].split_cjk);
        dlg_tokenizer_close(t);
    }
}

static void refuses_json(void **state)
{
    (void)state;
    static const struct {
        const char *text, *object;
    } cases[] = {
        {"", "byte 0"},
        {"[]", "want an object"},
        {"{}", "pre_tokenizer: want an object, found nothing"},
        {WITH("\"extra\":1"), "\"extra\" is not supported"},
        {"{" NORMALIZER "," MODEL "}", "pre_tokenizer: want an object"},
        {"{" NORMALIZER ",\"pre_tokenizer\":{\"type\":\"Whitespace\"}," MODEL "}",
         "want \"BertPreTokenizer\", found Whitespace"},
        {"{" PRE_TOKENIZER "," MODEL "}", "normalizer: want an object, found nothing"},
        {WITH_NORMALIZER("\"normalizer\":{\"type\":\"NFC\"}"), "normalizer.type: want \"BertNormalizer\", found NFC"},
        {WITH_NORMALIZER("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":false}"),
         "normalizer.clean_text: want true, found false"},
        {WITH_NORMALIZER("\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true}"),
         "normalizer.handle_chinese_chars"},
        {WITH_NORMALIZER("\"normalizer\":{\"type\":\"BertNormalizer\",\"odd\":true}"),
         "normalizer: \"odd\" is not supported"},
        {FLAGS("true", "3", "true"), "normalizer.strip_accents: want true or false, found another number"},
        {WITH("\"post_processor\":{\"type\":\"ByteLevel\"}"), "post_processor"},
        {WITH("\"decoder\":{\"type\":\"BPE\"}"), "decoder.type: want \"WordPiece\", found BPE"},
        {WITH("\"added_tokens\":{}"), "added_tokens: want an array"},
        {WITH("\"added_tokens\":[1]"), "added_tokens: want an id for each, found none"},
        {WITH("\"added_tokens\":[{\"id\":7}]"), "added tokens: want content that is a text"},
        {WITH("\"added_tokens\":[{\"id\":7,\"content\":\"\"}]"), "added tokens: want content that is a text"},
        {WITH("\"added_tokens\":[{\"id\":1.5,\"content\":\"x\"}]"), "added token x: want an id below"},
        {WITH("\"added_tokens\":[{\"id\":5,\"content\":\"x\"}]"), "want an id of its own, found that of \"a\" (5)"},
        {WITH("\"added_tokens\":[{\"id\":1032,\"content\":\"x\"}]"), "want an id below 1032, found 1032"},
        {WITH("\"added_tokens\":[{\"id\":7,\"content\":\"x\"},{\"id\":8,\"content\":\"x\"}]"),
         "added token x: want one id, found 7 and 8"},
        {WITH("\"added_tokens\":[{\"id\":3,\"content\":\"[MASK]\"}]"),
         "added token [MASK]: want the vocabulary's id, 2, found 3"},
        {WITH("\"added_tokens\":[{\"id\":2,\"content\":\"[MASK]\",\"lstrip\":1}]"),
         "[MASK]: lstrip: want true or false"},
        {"{" NORMALIZER "," PRE_TOKENIZER "}", "model: want an object"},
        {WITH_MODEL("\"model\":{\"type\":\"BPE\"}"), "model.type: want \"WordPiece\", found BPE"},
        {WITH_MODEL("\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"<unk>\"}"),
         "model.unk_token: want \"[UNK]\", found <unk>"},
        {WITH_MODEL(MODEL_HEAD "[]}"), "model.vocab: want an object, found an array"},
        {WITH_MODEL(MODEL_HEAD "{}}"), "pieces, found 0"},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[PAD]\":1026}}"), "want ids below 1026, found another for \"[PAD]\""},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[PAD]\":-1}}"), "want ids below 1026"},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[PAD]\":0.5}}"), "want ids below 1026"},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[PAD]\":1e300}}"), "want ids below 1026"},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":1,\"[PAD]\":1}}"), "want one piece for id 1, found \"[UNK]\" and \"[PAD]\""},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[UNK]\":1}}"), "[UNK]"},
        {WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"[PAD]\":1,\"[CLS]\":2,\"[SEP]\":3}}"), "want the special token [MASK]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err = {0};
        const char *path = scratch_text("bad.json", cases[i].text);
        assert_refused(dlg_tokenizer_open_json(&t, path, &err), DLG_EFORMAT, &err, "bad.json", cases[i].object);
        assert_null(t);
    }
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(WHOLE); n++) {
        dlg_tokenizer *t;
        dlg_error err = {0};
        assert_refused(dlg_tokenizer_create_json(&t, "cut.json", WHOLE, n, &err), DLG_EFORMAT, &err, "cut.json",
                       "byte ");
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
        dlg_allocation_fail_from(k);
        status = dlg_tokenizer_create_json(&t, "json", WHOLE, strlen(WHOLE), &err);
        dlg_allocation_fail_from(0);
        assert_true(status == DLG_OK || (status == DLG_ENOMEM && !t));
        dlg_tokenizer_close(t);
    }
}

#define LINES "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nA\n"
#define ABSENT NULL

/* A directory of these files. */
static dlg_status open_directory(dlg_tokenizer **out, const char *vocabulary, const char *json,
                                 const char *configuration, dlg_error *err)
{
    unlink(scratch_path("vocab.txt"));
    unlink(scratch_path("tokenizer.json"));
    unlink(scratch_path("tokenizer_config.json"));
    if (vocabulary) scratch_text("vocab.txt", vocabulary);
    if (json) scratch_text("tokenizer.json", json);
    if (configuration) scratch_text("tokenizer_config.json", configuration);
    *err = (dlg_error){0};
    return dlg_tokenizer_open_directory(out, scratch_directory(), err);
}

static void reads_directories(void **state)
{
    (void)state;
    static const struct {
        const char *vocabulary, *json, *configuration;
        size_t n_pieces;
        bool lower_case, strip_accents, split_cjk;
    } cases[] = {
        {LINES, ABSENT, ABSENT, 7, true, true, true},
        {LINES, ABSENT, "{}", 7, true, true, true},
        {LINES, ABSENT, "{\"do_lower_case\":false,\"tokenizer_class\":\"BertTokenizer\"}", 7, false, false, true},
        {LINES, ABSENT, "{\"do_lower_case\":true,\"strip_accents\":false,\"mask_token\":\"[MASK]\"}", 7, true, false,
         true},
        {LINES, ABSENT,
         "{\"strip_accents\":null,\"tokenize_chinese_chars\":false,\"mask_token\":{\"content\":\"[MASK]\"}}", 7, true,
         true, false},
        {ABSENT, WHOLE, ABSENT, 7, true, true, true},
        {ABSENT, WITH_MODEL(MODEL_HEAD "{\"[UNK]\":0,\"a\":9,\"[MASK]\":2,\"[CLS]\":3,\"[SEP]\":4,\"[PAD]\":1}}"),
         ABSENT, 10, true, true, true},
        {"not even a vocabulary", WHOLE, "{\"do_lower_case\":true}", 7, true, true, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        if (open_directory(&t, cases[i].vocabulary, cases[i].json, cases[i].configuration, &err))
            fail_msg("%s", err.message);
        const dlg_normalisation how = dlg_tokenizer_normalisation(t);
        assert_true(how.lower_case == cases[i].lower_case && how.strip_accents == cases[i].strip_accents);
        assert_true(how.split_cjk == cases[i].split_cjk && dlg_tokenizer_size(t) == cases[i].n_pieces);
        dlg_tokenizer_close(t);
    }
}

static void refuses_directories(void **state)
{
    (void)state;
    static const struct {
        const char *vocabulary, *json, *configuration;
        dlg_status status;
        const char *file, *object;
    } cases[] = {
        {ABSENT, ABSENT, ABSENT, DLG_EIO, "vocab.txt", "No such file"},
        {LINES, ABSENT, "{", DLG_EFORMAT, "tokenizer_config.json", "byte 1"},
        {LINES, ABSENT, "[]", DLG_EFORMAT, "tokenizer_config.json", "want an object"},
        {LINES, ABSENT, "{\"do_lower_case\":1}", DLG_EFORMAT, "tokenizer_config.json",
         "do_lower_case: want true or false"},
        {LINES, ABSENT, "{\"mask_token\":\"<mask>\"}", DLG_EFORMAT, "tokenizer_config.json",
         "mask_token: want [MASK], found <mask>"},
        {LINES, ABSENT, "{\"tokenizer_class\":\"BertJapaneseTokenizer\"}", DLG_EFORMAT, "tokenizer_config.json",
         "BertJapaneseTokenizer"},
        {LINES, WHOLE, "{\"do_lower_case\":false}", DLG_EFORMAT, "tokenizer_config.json",
         "do_lower_case: want true as in tokenizer.json"},
        {LINES, "{}", ABSENT, DLG_EFORMAT, "tokenizer.json", "pre_tokenizer"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokenizer *t;
        dlg_error err;
        const dlg_status status = open_directory(&t, cases[i].vocabulary, cases[i].json, cases[i].configuration, &err);
        assert_refused(status, cases[i].status, &err, cases[i].file, cases[i].object);
        assert_null(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends),
        cmocka_unit_test(reads_odd_lines),
        cmocka_unit_test(accepts_long_lines),
        cmocka_unit_test(refuses_vocabularies),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(reads_the_normaliser),
        cmocka_unit_test(refuses_json),
        cmocka_unit_test(refuses_directories),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(reads_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
