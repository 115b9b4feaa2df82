/** What must hold for every text: random strings of all of Unicode through the project's own vocabulary. */
#include "tokenizer/tokenizer.h"

#include "tokenizer/characters.h"
#include "vocab/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_TEXTS = 4000, MAX_CHARACTERS = 40, ROOM = 4 * MAX_CHARACTERS };

/* xorshift64* (Vigna 2016, arXiv:1402.6246): the strings need no more than that. */
static uint64_t draw(uint64_t *state, uint64_t n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * 2685821657736338717u >> 33) % n;
}

/* @return how many bytes of text there are */
static size_t random_text(uint64_t *state, char *out)
{
    static const uint32_t blocks[][2] = {{0x20, 0x7e},        {'a', 'z'},       {'A', 'Z'},         {0, 0x24f},
                                         {0x300, 0x36f},      {0x370, 0x1fff},  {0x2000, 0x206f},   {0x2e80, 0x9fff},
                                         {0xac00, 0xd7a3},    {0xe000, 0xffff}, {0x1f300, 0x1faff}, {0, 0xd7ff},
                                         {0x10000, 0x10ffff}, {0xf900, 0xfaff}, {0x1d160, 0x1d1ad}};
    const size_t n_characters = draw(state, MAX_CHARACTERS);
    size_t n = 0;
    for (size_t i = 0; i < n_characters; i++) {
        const uint32_t *block = blocks[draw(state, sizeof blocks / sizeof *blocks)];
        const uint32_t character = block[0] + (uint32_t)draw(state, block[1] - block[0] + 1);
        n += dlg_utf8_write(draw(state, 6) ? character : ' ', (unsigned char *)out + n);
    }
    return n;
}

typedef struct {
    dlg_tokenizer *uncased, *cased;
} fixture;

static int open_both(void **state)
{
    static fixture both;
    size_t n_bytes;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    *state = &both;
    return dlg_tokenizer_create(&both.uncased, "built-in", vocabulary, n_bytes, DLG_UNCASED, NULL) ||
           dlg_tokenizer_create(&both.cased, "built-in", vocabulary, n_bytes, DLG_CASED, NULL);
}

static int close_both(void **state)
{
    const fixture *both = *state;
    dlg_tokenizer_close(both->uncased);
    dlg_tokenizer_close(both->cased);
    return 0;
}

static void encode(const dlg_tokenizer *t, dlg_tokens *out, const char *text, size_t n, bool special, size_t max_tokens)
{
    dlg_error err;
    if (dlg_tokenizer_encode(t, out, text, n, special, max_tokens, NULL, &err)) fail_msg("%s", err.message);
}

/* encode(a b) = encode(a) encode(b) when a space, a special token or a Chinese character stands between them. */
static void joins(void **state)
{
    const fixture *both = *state;
    static const char *const between[] = {" ", "\n", "[MASK]", "\xe4\xb8\xad", "!"};
    uint64_t seed = 1;
    dlg_tokens parts[3] = {{0}}, whole = {0};
    for (int i = 0; i < N_TEXTS; i++) {
        char a[ROOM], b[ROOM], joined[2 * ROOM + 8];
        const char *middle = between[i % 5];
        const dlg_tokenizer *t = i % 2 ? both->uncased : both->cased;
        const size_t n_a = random_text(&seed, a), n_b = random_text(&seed, b), n_middle = strlen(middle);
        memcpy(joined, a, n_a);
        memcpy(joined + n_a, middle, n_middle);
        memcpy(joined + n_a + n_middle, b, n_b);
        encode(t, &parts[0], a, n_a, false, 0);
        encode(t, &parts[1], middle, n_middle, false, 0);
        encode(t, &parts[2], b, n_b, false, 0);
        encode(t, &whole, joined, n_a + n_middle + n_b, false, 0);
        size_t n = 0;
        for (int part = 0; part < 3; part++) {
            assert_true(whole.n >= n + parts[part].n);
            if (parts[part].n) assert_memory_equal(whole.ids + n, parts[part].ids, parts[part].n * sizeof *whole.ids);
            n += parts[part].n;
        }
        assert_int_equal(whole.n, n);
    }
    for (int part = 0; part < 3; part++) dlg_tokens_release(&parts[part]);
    dlg_tokens_release(&whole);
}

/* Special tokens go around, and truncation takes from the end. */
static void truncates(void **state)
{
    const fixture *both = *state;
    uint64_t seed = 2;
    dlg_tokens bare = {0}, cut = {0};
    for (int i = 0; i < N_TEXTS; i++) {
        char text[ROOM];
        const size_t n = random_text(&seed, text), max_tokens = 2 + draw(&seed, 30);
        const dlg_special_tokens special = dlg_tokenizer_special(both->uncased);
        encode(both->uncased, &bare, text, n, false, 0);
        encode(both->uncased, &cut, text, n, true, max_tokens);
        const size_t kept = bare.n < max_tokens - 2 ? bare.n : max_tokens - 2;
        assert_int_equal(cut.n, kept + 2);
        assert_true(cut.ids[0] == special.begin && cut.ids[cut.n - 1] == special.end);
        if (kept) assert_memory_equal(cut.ids + 1, bare.ids, kept * sizeof *bare.ids);
    }
    dlg_tokens_release(&bare);
    dlg_tokens_release(&cut);
}

/* Without [UNK] the pieces spell the text: ASCII in lower case, less its spaces. */
static void pieces_spell_the_text(void **state)
{
    const fixture *both = *state;
    uint64_t seed = 3;
    dlg_tokens tokens = {0};
    for (int i = 0; i < N_TEXTS; i++) {
        char text[60], wanted[60], found[200];
        size_t n_wanted = 0, n_found = 0;
        for (size_t c = 0; c < sizeof text; c++) {
            text[c] = (char)(0x20 + draw(&seed, 0x5f));
            if (text[c] != ' ') wanted[n_wanted++] = (char)(text[c] >= 'A' && text[c] <= 'Z' ? text[c] + 32 : text[c]);
        }
        encode(both->uncased, &tokens, text, sizeof text, false, 0);
        bool known = true;
        for (size_t k = 0; k < tokens.n; k++) {
            const char *piece = dlg_tokenizer_piece(both->uncased, tokens.ids[k]);
            const size_t skip = !strncmp(piece, "##", 2) ? 2 : 0;
            known &= tokens.ids[k] != dlg_tokenizer_special(both->uncased).unknown;
            if (known) memcpy(found + n_found, piece + skip, strlen(piece + skip));
            n_found += strlen(piece + skip);
        }
        assert_true(known && n_found == n_wanted);
        assert_memory_equal(found, wanted, n_found);
    }
    dlg_tokens_release(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(joins), cmocka_unit_test(truncates),
                                       cmocka_unit_test(pieces_spell_the_text)};
    return cmocka_run_group_tests(tests, open_both, close_both);
}
