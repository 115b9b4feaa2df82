/** The tokenizer: ids as Hugging Face's BertTokenizer gives them for vocab/vocab.txt, and decoding. */
#include "tokenizer/tokenizer.h"

#include "base/memory.h"
#include "scratch.h"
#include "tokenizer/split.h"
#include "vocab/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static dlg_tokenizer *builtin(dlg_normalisation how)
{
    size_t n_bytes;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    dlg_tokenizer *t;
    dlg_error err;
    if (dlg_tokenizer_create(&t, "built-in", vocabulary, n_bytes, how, &err)) fail_msg("%s", err.message);
    return t;
}

/* The ids as text, "2 118 3", in `out`. */
static void print_ids(char *out, size_t room, const dlg_tokens *tokens)
{
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < tokens->n && n < room; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%u", i ? " " : "", tokens->ids[i]);
}

static void assert_ids(const dlg_tokenizer *t, const char *text, size_t n_bytes, bool special, const char *wanted)
{
    dlg_tokens tokens = {0};
    dlg_error err;
    char found[4096];
    if (dlg_tokenizer_encode(t, &tokens, text, n_bytes, special, 0, NULL, &err)) fail_msg("%s", err.message);
    print_ids(found, sizeof found, &tokens);
    assert_string_equal(found, wanted);
    dlg_tokens_release(&tokens);
}

/* A text without a NUL, or a literal with one, and its ids with special tokens, uncased and cased. */
typedef struct {
    const char *text;
    size_t n_bytes;
    const char *uncased, *cased;
} encoding;

#define TEXT(literal) literal, sizeof(literal) - 1

static const encoding encodings[] = {
    {TEXT(""), "2 3", "2 3"},
    {TEXT("   \t\r\n "), "2 3", "2 3"},
    {TEXT("The quick brown fox!"), "2 118 1270 5300 6223 41 3", "2 1 1270 5300 6223 41 3"},
    {TEXT("We invite submissions for the conference, don't we?"),
     "2 211 921 366 4078 2577 23 171 118 7921 52 696 47 98 211 71 3",
     "2 1 921 366 4078 2577 23 171 118 7921 52 696 47 98 211 71 3"},
    /* accents, written in one character and in two */
    {TEXT("Cr\303\250me Br\303\273l\303\251e"), "2 3141 6816 318 4358 9 3", "2 1 1 3"},
    {TEXT("e\314\201te\314\201 na\303\257ve"), "2 4415 9 7421 3", "2 1 1 3"},
    {TEXT("\304\260stanbul"), "2 183 24 135 6 256 3", "2 1 3"},
    {TEXT("\314\200 alone"), "2 1257 3", "2 1 1257 3"},
    /* no case folding */
    {TEXT("stra\303\237e"), "2 1 3", "2 1 3"},
    /* each Chinese character is a word */
    {TEXT("\344\272\272\346\260\221 of\344\270\255"), "2 1 1 133 1 3", "2 1 1 133 1 3"},
    {TEXT("\352\260\201"), "2 1 3", "2 1 3"},
    /* special tokens written out */
    {TEXT("a[MASK]b [mask] [CLS]"), "2 79 4 80 73 4064 15 75 2 3", "2 79 4 80 73 4064 15 75 2 3"},
    {TEXT("[MAS K] [[MASK]]"), "2 73 4064 89 75 73 4 75 3", "2 73 1 1 75 73 4 75 3"},
    {TEXT("##ing"), "2 43 43 138 11 3", "2 43 43 138 11 3"},
    /* what is dropped: soft hyphen, zero-width space, byte order mark, NUL, U+FFFD; and what is a space */
    {TEXT("un\302\255sure\342\200\213ly \357\273\277x"), "2 2626 396 152 102 3", "2 2626 396 152 102 3"},
    {TEXT("a\000b\357\277\275c"), "2 298 7 3", "2 298 7 3"},
    {TEXT("a\302\240b\343\200\200c\342\200\250d"), "2 79 80 81 82 3", "2 79 80 81 82 3"},
    /* punctuation */
    {TEXT("100.5% of 3-4"), "2 5945 31 54 61 45 133 59 53 60 3", "2 5945 31 54 61 45 133 59 53 60 3"},
    {TEXT("\342\200\230quoted\342\200\231 \342\200\224 \342\200\234so\342\200\235\342\200\246"),
     "2 111 296 3476 112 110 113 199 114 115 3", "2 111 296 3476 112 110 113 199 114 115 3"},
    /* Angstrom sign; what decomposes to a grave accent, a semicolon, and to < and = with an overlay */
    {TEXT("\357\274\241\357\274\242 \342\204\253ngstr\303\266m \341\277\257x\315\276"), "2 1 1143 4895 140 78 102 67 3",
     "2 1 1 1 1 3"},
    {TEXT("\342\211\256 \342\211\240"), "2 68 69 3", "2 1 1 3"},
    {TEXT("\360\237\221\250\342\200\215\360\237\221\251 end"), "2 1 781 3", "2 1 781 3"},
};

static void encodes_as_the_reference(void **state)
{
    (void)state;
    dlg_tokenizer *uncased = builtin(DLG_UNCASED), *cased = builtin(DLG_CASED);
    for (size_t i = 0; i < COUNT(encodings); i++) {
        assert_ids(uncased, encodings[i].text, encodings[i].n_bytes, true, encodings[i].uncased);
        assert_ids(cased, encodings[i].text, encodings[i].n_bytes, true, encodings[i].cased);
    }
    assert_ids(uncased, "The fox", 7, false, "118 6223");
    dlg_tokenizer_close(uncased);
    dlg_tokenizer_close(cased);
}

static const char *repeat(char *out, const char *text, size_t n)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) strcat(out, text);
    return out;
}

/* 100 characters are a word, 101 are [UNK]. What counts is characters, not bytes, and only those that are left. */
static void long_words(void **state)
{
    (void)state;
    dlg_tokenizer *uncased = builtin(DLG_UNCASED), *cased = builtin(DLG_CASED);
    static const struct {
        const char *text;
        size_t n_uncased, n_cased; /* how many times `text` makes the longest word */
    } cases[] = {{"x", 100, 100},
                 {"\303\251", 100, 0},
                 {"e\314\201\314\200", 100, 0},
                 {"x\302\255\001", 100, 100},
                 {"xyz", 33, 33}};
    char text[1000];
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t n = 1; n < 103; n++) {
            dlg_tokens tokens = {0};
            dlg_error err;
            repeat(text, cases[i].text, n);
            assert_int_equal(dlg_tokenizer_encode(uncased, &tokens, text, strlen(text), false, 0, NULL, &err), DLG_OK);
            assert_true((tokens.ids[0] == 1) == (n > cases[i].n_uncased));
            assert_int_equal(dlg_tokenizer_encode(cased, &tokens, text, strlen(text), false, 0, NULL, &err), DLG_OK);
            assert_true((tokens.ids[0] == 1) == (n > cases[i].n_cased));
            dlg_tokens_release(&tokens);
        }
    }
    dlg_tokenizer_close(uncased);
    dlg_tokenizer_close(cased);
}

/* NFD sorts marks by class up to the next letter; those that stay keep that order. The words, with bars between them,
 * are `tokenizers`'. */
static void sorts_marks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        /* two marks that stay, out of order */
        {"a\360\235\205\255\360\235\205\245b", "a\360\235\205\245\360\235\205\255b"},
        /* a letter between them */
        {"a\360\235\205\255c\360\235\205\245", "a\360\235\205\255c\360\235\205\245"},
        /* a letter that is not ASCII */
        {"\316\261\360\235\205\255\316\262\360\235\205\245", "\316\261\360\235\205\255\316\262\360\235\205\245"},
        /* a mark of class 0 that does not stay */
        {"a\360\235\205\255\315\217\360\235\205\245", "a\360\235\205\255\360\235\205\245"},
        /* a mark that does not stay */
        {"a\360\235\205\255\314\201\360\235\205\245", "a\360\235\205\245\360\235\205\255"},
        /* four, and without a letter */
        {"a\340\243\224\360\235\205\255\343\200\256\360\235\205\245 \360\235\205\255\360\235\205\245",
         "a\360\235\205\245\343\200\256\360\235\205\255\340\243\224|\360\235\205\245\360\235\205\255"},
        /* lower case */
        {"\303\211\320\226\304\260\307\204", "e\320\266i\307\206"},
        /* a mark newer than the reference's tables */
        {"a\341\253\200\360\235\205\245", "a\341\253\200\360\235\205\245"},
        /* around punctuation and a Chinese character */
        {"!\360\235\205\255\360\235\205\245\344\272\272\360\235\205\255\341\231\255\360\235\205\245",
         "!|\360\235\205\245\360\235\205\255|\344\272\272|\360\235\205\255|\341\231\255|\360\235\205\245"},
    };
    dlg_split_rules rules;
    dlg_split split;
    dlg_split_rules_set(&rules, DLG_UNCASED);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char words[200] = "";
        dlg_split_start(&split, &rules, cases[i].text, strlen(cases[i].text));
        while (dlg_split_next(&split) == DLG_SPLIT_WORD) {
            if (*words) strcat(words, "|");
            strncat(words, (const char *)split.word, split.n_word);
        }
        assert_string_equal(words, cases[i].words);
    }
}

static void truncates(void **state)
{
    (void)state;
    static const char text[] = "The quick brown fox!";
    dlg_tokenizer *t = builtin(DLG_UNCASED);
    dlg_tokens tokens = {0};
    dlg_error err;
    char found[100];
    size_t full = 0;
    static const struct {
        size_t max_tokens;
        bool special;
        const char *ids;
    } cases[] = {{7, true, "2 118 1270 5300 6223 41 3"},
                 {6, true, "2 118 1270 5300 6223 3"},
                 {2, true, "2 3"},
                 {1, false, "118"},
                 {100, false, "118 1270 5300 6223 41"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            dlg_tokenizer_encode(t, &tokens, text, strlen(text), cases[i].special, cases[i].max_tokens, &full, &err),
            DLG_OK);
        print_ids(found, sizeof found, &tokens);
        assert_string_equal(found, cases[i].ids);
        assert_int_equal(full, cases[i].special ? 7 : 5);
    }
    assert_int_equal(dlg_tokenizer_encode(t, &tokens, text, strlen(text), true, 1, &full, &err), DLG_EARG);
    assert_int_equal(tokens.n, 0);
    dlg_tokens_release(&tokens);
    dlg_tokenizer_close(t);
}

static void refuses_what_is_not_utf8(void **state)
{
    (void)state;
    dlg_tokenizer *t = builtin(DLG_UNCASED);
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"ab\xff", "byte 2"},           {"\x80", "byte 0"},
        {"a \xc3", "byte 2"},           {"\xc0\xaf", "byte 0"},
        {"x\xed\xa0\x80", "byte 1"},    {"\xe2\x82 a", "byte 0"},
        {"\xf4\x90\x80\x80", "byte 0"}, {"\xf8\x88\x80\x80\x80", "byte 0"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokens tokens = {0};
        dlg_error err = {0};
        const dlg_status status =
            dlg_tokenizer_encode(t, &tokens, cases[i].text, strlen(cases[i].text), true, 0, NULL, &err);
        assert_refused(status, DLG_EFORMAT, &err, "text", cases[i].place);
        assert_int_equal(tokens.n, 0);
        dlg_tokens_release(&tokens);
    }
    dlg_tokenizer_close(t);
}

static void decodes_as_the_reference(void **state)
{
    (void)state;
    dlg_tokenizer *t = builtin(DLG_UNCASED);
    static const struct {
        const char *text, *whole, *without_special;
    } cases[] = {
        {"The quick brown fox!", "[CLS] the quick brown fox! [SEP]", "the quick brown fox!"},
        {"We can't, don't you see? It's 1,000.5 'm 've", "[CLS] we can't, don't you see? it's 1, 000. 5'm've [SEP]",
         "we can't, don't you see? it's 1, 000. 5'm've"},
        {"it is -- \"he said\" ( so ) .", "[CLS] it is - - \" he said \" ( so ). [SEP]",
         "it is - - \" he said \" ( so )."},
        {"unbelievably [MASK] things", "[CLS] unbelievably [MASK] things [SEP]", "unbelievably things"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        dlg_tokens tokens = {0};
        dlg_error err;
        assert_int_equal(dlg_tokenizer_encode(t, &tokens, cases[i].text, strlen(cases[i].text), true, 0, NULL, &err),
                         DLG_OK);
        char *whole = dlg_tokenizer_decode(t, tokens.ids, tokens.n, false),
             *bare = dlg_tokenizer_decode(t, tokens.ids, tokens.n, true);
        assert_string_equal(whole, cases[i].whole);
        assert_string_equal(bare, cases[i].without_special);
        dlg_free(whole);
        dlg_free(bare);
        dlg_tokens_release(&tokens);
    }
    static const dlg_token odd[] = {127, 118, 127, 47, 97, 4, 23}; /* it begins with a "##" piece */
    char *text = dlg_tokenizer_decode(t, odd, COUNT(odd), false);
    assert_string_equal(text, "##ing theing's [MASK]s");
    dlg_free(text);
    text = dlg_tokenizer_decode(t, odd, COUNT(odd), true);
    assert_string_equal(text, "##ing theing'ss");
    dlg_free(text);
    static const dlg_token beyond[] = {118, 8192, UINT32_MAX};
    text = dlg_tokenizer_decode(t, beyond, COUNT(beyond), true);
    assert_string_equal(text, "the [UNK] [UNK]");
    dlg_free(text);
    text = dlg_tokenizer_decode(t, NULL, 0, true);
    assert_string_equal(text, "");
    dlg_free(text);
    dlg_tokenizer_close(t);
}

static void pieces(void **state)
{
    (void)state;
    dlg_tokenizer *t = builtin(DLG_UNCASED);
    const dlg_special_tokens special = dlg_tokenizer_special(t);
    assert_int_equal(dlg_tokenizer_size(t), 8192);
    assert_true(special.pad == 0 && special.unknown == 1 && special.begin == 2 && special.end == 3 &&
                special.mask == 4);
    assert_string_equal(dlg_tokenizer_piece(t, 4), "[MASK]");
    assert_string_equal(dlg_tokenizer_piece(t, 127), "##ing");
    assert_null(dlg_tokenizer_piece(t, 8192));
    dlg_tokenizer_close(t);
    dlg_tokenizer_close(NULL);
}

static const encoding *const first_texts[] = {&encodings[2], &encodings[11], &encodings[13]};

/* The k-th allocation fails, for every k: an error, nothing lost, nothing read that was freed. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    size_t n_bytes, k = 0;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    for (bool done = false; !done;) {
        dlg_tokenizer *t;
        dlg_tokens tokens = {0};
        dlg_error err;
        dlg_allocation_fail_from(++k);
        dlg_status status = dlg_tokenizer_create(&t, "built-in", vocabulary, n_bytes, DLG_UNCASED, &err);
        assert_true((t != NULL) == (status == DLG_OK));
        for (size_t i = 0; !status && i < COUNT(first_texts); i++)
            status =
                dlg_tokenizer_encode(t, &tokens, first_texts[i]->text, first_texts[i]->n_bytes, true, 0, NULL, &err);
        char *decoded = status ? NULL : dlg_tokenizer_decode(t, tokens.ids, tokens.n, false);
        assert_true(status == DLG_OK || status == DLG_ENOMEM);
        done = decoded != NULL;
        dlg_allocation_fail_from(0);
        dlg_free(decoded);
        dlg_tokens_release(&tokens);
        dlg_tokenizer_close(t);
    }
    assert_true(k > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_as_the_reference),
        cmocka_unit_test(long_words),
        cmocka_unit_test(truncates),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(pieces),
        cmocka_unit_test(decodes_as_the_reference),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(sorts_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
