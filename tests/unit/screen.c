/**
 * Paragraphs for people: wrapped, cut and marked on a terminal, left alone elsewhere, and never able to send it escape
 * sequences.
 */
#include "report/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char printed[4096];

/* What a screen of that width is sent. The stream is a temporary file. */
static dlg_screen screen_begin(size_t width, bool marks)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    return (dlg_screen){.stream = stream, .width = width, .marks = marks};
}

static const char *screen_end(dlg_screen screen)
{
    rewind(screen.stream);
    printed[fread(printed, 1, sizeof printed - 1, screen.stream)] = 0;
    fclose(screen.stream);
    return printed;
}

static const char *print(size_t width, dlg_layout layout, const char *text)
{
    const dlg_screen screen = screen_begin(width, false);
    dlg_screen_print(&screen, layout, text, NULL);
    return screen_end(screen);
}

static void not_a_terminal(void **state)
{
    (void)state;
    char text[500];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    assert_string_equal(print(0, (dlg_layout){.indent = 2, .hang = 2, .max_lines = 1}, "one two"), "  one two\n");
    assert_int_equal(strlen(print(0, (dlg_layout){.max_lines = 1}, text)), 500);
    const dlg_screen screen = screen_begin(0, false);
    const dlg_screen found = dlg_screen_of(screen.stream, DLG_COLOR_AUTO);
    assert_int_equal(found.width, 0);
    assert_false(found.marks);
    assert_true(dlg_screen_of(screen.stream, DLG_COLOR_ALWAYS).marks);
    assert_false(dlg_screen_of(screen.stream, DLG_COLOR_NEVER).marks);
    screen_end(screen);
}

static void wrapped(void **state)
{
    (void)state;
    const dlg_layout layout = {.indent = 1, .hang = 2}, cut = {.indent = 1, .max_lines = 2};
    assert_string_equal(print(16, layout, "aaaa bbbb cccc dd"), " aaaa bbbb cccc\n   dd\n");
    assert_string_equal(print(15, layout, "aaaa bbbb cccc dd"), " aaaa bbbb cccc\n   dd\n");
    assert_string_equal(print(14, layout, "aaaa bbbb cccc dd"), " aaaa bbbb\n   cccc dd\n");
    assert_string_equal(print(12, layout, "abcdefghijklmnopqrstuvwxyz z"), " abcdefghijk\n   lmnopqrst\n   uvwxyz z\n");
    assert_string_equal(print(12, cut, "aaaa bbbb cccc dddd eeee"), " aaaa bbbb\n cccc ...\n");
    assert_string_equal(print(12, cut, "abcdefghijklmnopqrstuvwxyz"), " abcdefghijk\n lmnopqr ...\n");
    assert_string_equal(print(4, layout, "abcdefgh"), "abcd\nefgh\n"); /* no room for an indent */
    assert_string_equal(
        print(9, (dlg_layout){0}, "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8\xc3\xa7\xc3\xb1 x"),
        "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8\xc3\xa7\xc3\xb1\nx\n");
    assert_string_equal(print(8, (dlg_layout){0}, "\xe4\xb8\xad\xe6\x96\x87 \xe4\xb8\xad\xe6\x96\x87"),
                        "\xe4\xb8\xad\xe6\x96\x87\n\xe4\xb8\xad\xe6\x96\x87\n"); /* two columns each */
}

static void harmless(void **state)
{
    (void)state;
    assert_string_equal(print(0, (dlg_layout){0},
                              "a\033[2Jb\nc\td\x7f\xc2\x9b"
                              "e"),
                        "a?[2Jb?c?d??e\n");
    assert_string_equal(print(80, (dlg_layout){0},
                              "a\033[2Jb\nc\td\x7f\xc2\x9b"
                              "e"),
                        "a?[2Jb?c?d??e\n");
}

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\nfish\n##er\nred\n'\ns\n";

static const char *print_tokens(bool marks, dlg_mark mark, const uint32_t *tokens, const bool *marked, size_t n)
{
    dlg_tokenizer *tokenizer;
    const dlg_screen screen = screen_begin(marks ? 80 : 0, marks);
    assert_int_equal(
        dlg_tokenizer_create(&tokenizer, "vocabulary", VOCABULARY, sizeof VOCABULARY - 1, DLG_UNCASED, NULL), DLG_OK);
    dlg_screen_print_tokens(&screen, (dlg_layout){.mark = mark}, tokenizer, tokens, marked, n);
    dlg_tokenizer_close(tokenizer);
    return screen_end(screen);
}

static const char *print_doubtful(const uint32_t *tokens, const bool *doubtful, size_t n)
{
    dlg_tokenizer *tokenizer;
    const dlg_screen screen = screen_begin(0, false);
    assert_int_equal(
        dlg_tokenizer_create(&tokenizer, "vocabulary", VOCABULARY, sizeof VOCABULARY - 1, DLG_UNCASED, NULL), DLG_OK);
    dlg_screen_print_doubtful(&screen, (dlg_layout){0}, tokenizer, tokens, doubtful, n);
    dlg_tokenizer_close(tokenizer);
    return screen_end(screen);
}

/* In brackets, on a terminal or not. */
static void doubtful_tokens(void **state)
{
    (void)state;
    const uint32_t tokens[] = {2, 8, 6, 7, 9, 10, 4, 5, 3}; /* red fish ##er ' s [MASK] . */
    const bool none[9] = {false}, er[9] = {[3] = true}, rest[9] = {[1] = true, [2] = true, [7] = true};
    assert_string_equal(print_doubtful(tokens, none, 9), "red fisher's [MASK].\n");
    assert_string_equal(print_doubtful(tokens, NULL, 9), "red fisher's [MASK].\n");
    assert_string_equal(print_doubtful(tokens, er, 9), "red fish[er?]'s [MASK].\n");
    assert_string_equal(print_doubtful(tokens, rest, 9), "[red?] [fish?]er's [MASK][.?]\n");
}

static void marked_tokens(void **state)
{
    (void)state;
    const uint32_t tokens[] = {2, 8, 6, 7, 9, 10, 4, 5, 3}; /* red fish ##er ' s [MASK] . */
    const bool none[9] = {false}, fisher[9] = {[3] = true}, rest[9] = {[1] = true, [5] = true, [6] = true, [7] = true};
    assert_string_equal(print_tokens(true, DLG_BOLD, tokens, none, 9), "red fisher's [MASK].\n");
    assert_string_equal(print_tokens(true, DLG_BOLD, tokens, NULL, 9), "red fisher's [MASK].\n");
    assert_string_equal(print_tokens(true, DLG_BOLD, tokens, fisher, 9), "red fish\033[1mer\033[0m's [MASK].\n");
    assert_string_equal(print_tokens(true, DLG_UNDERLINED, tokens, rest, 9),
                        "\033[4mred\033[0m fisher'\033[4ms\033[0m \033[4m[MASK].\033[0m\n");
    assert_string_equal(print_tokens(false, DLG_UNDERLINED, tokens, rest, 9), "red fisher's [MASK].\n");
    const uint32_t continued[] = {7, 6};
    const bool second[] = {false, true};
    assert_string_equal(print_tokens(true, DLG_BOLD, continued, second, 2), "##er \033[1mfish\033[0m\n");
    const uint32_t special[] = {2, 4, 3}, ends[] = {2, 3};
    assert_string_equal(print_tokens(true, DLG_BOLD, special, none, 3), "[MASK]\n");
    assert_string_equal(print_tokens(true, DLG_BOLD, ends, none, 2), "(no words)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_a_terminal), cmocka_unit_test(wrapped),         cmocka_unit_test(harmless),
        cmocka_unit_test(marked_tokens),  cmocka_unit_test(doubtful_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
