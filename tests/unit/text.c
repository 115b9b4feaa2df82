/** What stands between strangers' bytes and a terminal, a JSON reader, an index and a person who wants to stop. */
#include "base/text.h"

#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "math/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void characters_are_taken_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t character;
        size_t n_bytes;
    } cases[] = {
        {"a", 'a', 1},
        {"\xc3\xa9x", 0xe9, 2},
        {"\xf0\x9f\x98\x80", 0x1f600, 4},
        {"\x80", DLG_NO_CHARACTER, 1},         /* a continuation of nothing */
        {"\xc3", DLG_NO_CHARACTER, 1},         /* cut off by the string's end */
        {"\xc0\x80", DLG_NO_CHARACTER, 1},     /* longer than need be */
        {"\xed\xa0\x80", DLG_NO_CHARACTER, 1}, /* a surrogate */
        {"\xf4\x90\x80\x80", DLG_NO_CHARACTER, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n_bytes = 0;
        assert_int_equal(dlg_text_next(cases[i].text, &n_bytes), cases[i].character);
        assert_int_equal(n_bytes, cases[i].n_bytes);
    }
}

static void names_become_a_list(void **state)
{
    (void)state;
    char list[12] = "";
    dlg_text_list(list, sizeof list, "a", false);
    assert_string_equal(list, "a");
    dlg_text_list(list, sizeof list, "b", false);
    dlg_text_list(list, sizeof list, "c", true);
    assert_string_equal(list, "a, b or c");
    dlg_text_list(list, sizeof list, "longer", false);
    assert_string_equal(list, "a, b or c, ");
    char one[8] = "";
    dlg_text_list(one, sizeof one, "only", true);
    assert_string_equal(one, "only");
}

static void what_repaints_a_screen_is_not_shown(void **state)
{
    (void)state;
    static const int32_t shown[] = {' ', '~', 0xe9, 0x4e2d, 0x1f600, 0xfffd};
    static const int32_t hidden[] = {DLG_NO_CHARACTER, 0,      '\n',   0x1b,   0x7f,   0x85,    0x9b,
                                     0x200e,           0x2028, 0x2029, 0x202e, 0x2066, 0xe0041, 0xd800};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) assert_true(dlg_text_is_shown(shown[i]));
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) assert_false(dlg_text_is_shown(hidden[i]));
    char text[] = "a\x1b[2J\xc2\x9b\xe2\x80\xae\xff\xc3\xa9";
    dlg_text_make_shown(text);
    assert_string_equal(text, "a?[2J???\xc3\xa9");
}

static void json_is_one_line_of_utf8(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateString("\xc3\xa9\xff\n\x1b\xc2\x9b\xe2\x80\xae\"\\");
    char *line = dlg_json_line(json);
    assert_non_null(line);
    assert_string_equal(line, "\"\xc3\xa9\xef\xbf\xbd\\n\\u001b\\u009b\\u202e\\\"\\\\\"");
    dlg_free(line);
    cJSON_Delete(json);
}

static void counts_stay_in_their_range(void **state)
{
    (void)state;
    static const struct {
        double value;
        size_t most, count;
    } cases[] = {{-1, 9, 0},  {0.5, 9, 0},   {0.51, 9, 1},   {2.4, 9, 2},
                 {8.9, 9, 9}, {1e300, 9, 9}, {-1e300, 9, 0}, {1, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(dlg_round_to_count(cases[i].value, cases[i].most), cases[i].count);
    assert_int_equal(dlg_round_to_count(NAN, 9), 0);
    assert_int_equal(dlg_round_to_count(INFINITY, SIZE_MAX), SIZE_MAX);
}

static void memory_has_a_limit(void **state)
{
    (void)state;
    const size_t before = dlg_memory_used();
    dlg_memory_set_limit(before + 10000);
    void *block = dlg_allocate(9000, 1);
    assert_non_null(block);
    assert_true(dlg_memory_used() >= before + 9000);
    assert_null(dlg_allocate(9000, 1));
    dlg_free(block);
    assert_int_equal(dlg_memory_used(), before);
    block = dlg_allocate(9000, 1);
    assert_non_null(block);
    dlg_free(block);
    dlg_memory_set_limit(SIZE_MAX);
    assert_true(dlg_memory_available(0) >= dlg_memory_available((size_t)1 << 20));
}

static void an_interrupt_stays(void **state)
{
    (void)state;
    dlg_error err = {0};
    assert_int_equal(dlg_check_interrupt(&err), DLG_OK);
    dlg_interrupt();
    assert_true(dlg_is_interrupted());
    assert_int_equal(dlg_check_interrupt(&err), DLG_ECANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_taken_one_by_one),
        cmocka_unit_test(names_become_a_list),
        cmocka_unit_test(what_repaints_a_screen_is_not_shown),
        cmocka_unit_test(json_is_one_line_of_utf8),
        cmocka_unit_test(counts_stay_in_their_range),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(an_interrupt_stays), /* the last: it is for good */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
