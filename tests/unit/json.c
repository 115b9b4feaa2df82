/** JSON: what is accepted, and by what name everything else is refused. */
#include "base/json.h"

#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static dlg_status parse(cJSON **out, const char *text, dlg_error *err)
{
    *err = (dlg_error){0};
    return dlg_json_parse(out, "some.json", text, strlen(text), err);
}

static void accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        " null ",
        "true",
        "\"\"",
        "-0",
        "0.5e-3",
        "1E+9",
        "[1,2 , {\"a\":[]}]",
        "\t{\r\n\"a\" : 1 , \"b\":{\"a\":2}}\n",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\xc3\xa9\xf0\x9f\x98\x80\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dlg_error err;
        cJSON *json;
        if (parse(&json, texts[i], &err)) fail_msg("%s", err.message);
        assert_non_null(json);
        cJSON_Delete(json);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *object;
    } cases[] = {
        {"", "byte 0: want a value, found the end"},
        {"{", "byte 1: want '\"', found the end"},
        {"[1,]", "byte 3: want a value, found ']'"},
        {"{\"a\":1,}", "byte 7: want '\"', found '}'"},
        {"{\"a\" 1}", "byte 5: want ':', found '1'"},
        {"{a:1}", "byte 1: want '\"', found 'a'"},
        {"[1 2]", "byte 3: want ',' or ']', found '2'"},
        {"{} {}", "byte 3: want the end, found '{'"},
        {"nul", "byte 0: want a value, found 'n'"},
        {"01", "byte 1: want the end, found '1'"},
        {"1.", "byte 2: want a digit, found the end"},
        {"-", "byte 1: want a digit"},
        {"1e+", "byte 3: want a digit"},
        {".5", "byte 0: want a value"},
        {"NaN", "byte 0: want a value"},
        {"\"a", "byte 2: want text or '\"', found the end"},
        {"\"a\nb\"", "byte 2: want text or '\"', found byte 0x0a"},
        {"\"\\x\"", "byte 2: want an escape, found 'x'"},
        {"\"\\u12g4\"", "byte 5: want a hexadecimal digit, found 'g'"},
        {"[\"\\u0000\"]", "byte 2: want text, found \\u0000"},
        {"\"\\ud800\"", "byte 1: want a pair of surrogates"},
        {"\"\\ud800\\u0041\"", "byte 1: want a pair of surrogates"},
        {"\"\\udc00\"", "byte 1: want a pair of surrogates"},
        {"\"\xff\"", "byte 1: want UTF-8, found byte 0xff"},
        {"\"\xc3\"", "byte 1: want UTF-8"},
        {"\"\xc0\xaf\"", "byte 1: want UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: want UTF-8"},
        {"\xef\xbb\xbf{}", "byte 0: want a value, found byte 0xef"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "found \"a\" twice"},
        {"[{\"b\":{\"k\":1,\"\\u006b\":2}}]", "found \"k\" twice"},
        {"1234567890123456789012345678901234567890123456789012345678901234",
         "want a number of at most 63 characters, found 64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err;
        cJSON *json = (cJSON *)1;
        assert_refused(parse(&json, cases[i].text, &err), DLG_EFORMAT, &err, "some.json: ", cases[i].object);
        assert_null(json);
    }
}

static void nul_bytes(void **state)
{
    (void)state;
    static const char inside[] = "{\"a\0b\":1}", after[] = "{}\0";
    dlg_error err;
    cJSON *json;
    assert_refused(dlg_json_parse(&json, "x", inside, sizeof inside - 1, &err), DLG_EFORMAT, &err,
                   "x: ", "byte 3: want text");
    assert_refused(dlg_json_parse(&json, "x", after, sizeof after - 1, &err), DLG_EFORMAT, &err,
                   "x: ", "byte 2: want the end");
}

/** Brackets, `depth` of them, around a number. */
static char *nested(size_t depth)
{
    char *text = malloc(2 * depth + 2);
    assert_non_null(text);
    memset(text, '[', depth);
    text[depth] = '1';
    memset(text + depth + 1, ']', depth);
    text[2 * depth + 1] = 0;
    return text;
}

static void depth(void **state)
{
    (void)state;
    dlg_error err;
    cJSON *json;
    char *allowed = nested(DLG_JSON_MAX_DEPTH), *deep = nested(DLG_JSON_MAX_DEPTH + 1), *absurd = nested(1000000);
    assert_int_equal(parse(&json, allowed, &err), DLG_OK);
    cJSON_Delete(json);
    assert_refused(parse(&json, deep, &err), DLG_EFORMAT, &err, "some.json", "nesting of at most 64");
    assert_refused(parse(&json, absurd, &err), DLG_EFORMAT, &err, "some.json", "nesting of at most 64");
    free(allowed);
    free(deep);
    free(absurd);
}

/** A vocabulary's worth of keys: a quadratic check would take minutes. */
static void many_keys(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = malloc(N * 20 + 20), *at = text;
    assert_non_null(text);
    *at++ = '{';
    for (int i = 0; i < N; i++) at += sprintf(at, "\"key%d\":%d,", i, i);
    strcpy(at, "\"last\":0}");
    dlg_error err;
    cJSON *json;
    assert_int_equal(parse(&json, text, &err), DLG_OK);
    cJSON_Delete(json);
    strcpy(at, "\"key5\":0}");
    assert_refused(parse(&json, text, &err), DLG_EFORMAT, &err, "some.json", "\"key5\" twice");
    free(text);
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"7", true, 7},
        {"7.0", true, 7},
        {"1e3", true, 1000},
        {"9007199254740992", true, 9007199254740992U},
        {"9007199254740994", false, 0},
        {"1e999", false, 0},
        {"-1", false, 0},
        {"0.5", false, 0},
        {"\"7\"", false, 0},
        {"null", false, 0},
        {"true", false, 0},
        {"[7]", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err;
        cJSON *json;
        uint64_t value = 0;
        assert_int_equal(parse(&json, cases[i].text, &err), DLG_OK);
        assert_int_equal(dlg_json_whole(json, &value), cases[i].whole);
        assert_int_equal(value, cases[i].value);
        cJSON_Delete(json);
    }
    uint64_t value;
    assert_false(dlg_json_whole(NULL, &value));
}

static void files(void **state)
{
    (void)state;
    dlg_error err;
    cJSON *json;
    assert_int_equal(dlg_json_read(&json, scratch_text("good.json", "{\"a\":1}"), &err), DLG_OK);
    cJSON_Delete(json);
    assert_refused(dlg_json_read(&json, scratch_path("none.json"), &err), DLG_EIO, &err, "none.json", "No such file");
    assert_null(json);
    assert_refused(dlg_json_read(&json, scratch_text("empty.json", ""), &err), DLG_EFORMAT, &err, "empty.json",
                   "found the end");
    assert_null(json);
}

static void *failing_malloc(size_t n_bytes)
{
    return dlg_allocate(n_bytes, 1);
}

/** cJSON's allocations are failed too: memory that ran out must not be called bad JSON. */
static void out_of_memory(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"two\",{\"b\":null,\"c\":1.5}],\"d\":\"\\u00e9\"}";
    cJSON_Hooks hooks = {failing_malloc, dlg_free};
    cJSON_InitHooks(&hooks);
    dlg_error err;
    cJSON *json;
    dlg_status status = DLG_ENOMEM;
    size_t k = 1;
    for (; status; k++) {
        dlg_allocation_fail_from(k);
        status = parse(&json, text, &err);
        dlg_allocation_fail_from(0);
        if (status) assert_refused(status, DLG_ENOMEM, &err, "some.json", "no memory");
        if (status) assert_null(json);
    }
    assert_true(k > 10);
    cJSON_Delete(json);
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted), cmocka_unit_test(refused),       cmocka_unit_test(nul_bytes),
        cmocka_unit_test(depth),    cmocka_unit_test(many_keys),     cmocka_unit_test(whole_numbers),
        cmocka_unit_test(files),    cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
