/**
 * Ids of whole books against hashes of what Hugging Face's tokenizer gives (tokenizer_hashes.py), and cases with their
 * ids.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char vocabulary[] = DLG_SHARED "/data/bert-base-uncased/vocab.txt";
static const char vocabulary_json[] = DLG_SHARED "/data/bert-base-uncased/tokenizer.json";

static bool is_there(const char *path)
{
    if (!access(path, R_OK)) return true;
    printf("skipped: %s is not there\n", path);
    return false;
}

static uint64_t fnv(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *next = bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ next[i]) * 0x100000001b3u;
    return hash;
}

#define FNV_START 0xcbf29ce484222325u

typedef struct {
    const char *name;
    size_t n_lines, n_ids;
    uint64_t hash;
} book;

static const book books[] = {
    {"text/1342.txt", 13427, 186417, 0xf8757e4693003b00},
    {"text/2600.txt", 65008, 870049, 0x3fea0f04419d55a1},
    {"text/2701.txt", 22109, 341459, 0xcde1571127902ace},
    {"text/input.txt", 40000, 368719, 0x9ee9bfb268fab87a},
    {"cola/in_domain_train.tsv", 8551, 133540, 0xfbc7db10cafb86d0},
};

static book read_book(const dlg_tokenizer *t, const char *name)
{
    char path[1000];
    dlg_file file;
    dlg_tokens tokens = {0};
    dlg_error err;
    book found = {name, 0, 0, FNV_START};
    snprintf(path, sizeof path, "%s/data/%s", DLG_SHARED, name);
    if (dlg_file_open(&file, path, &err)) fail_msg("%s", err.message);
    for (size_t at = 0; at < file.n_bytes; found.n_lines++) {
        const char *line = (const char *)file.bytes + at, *end = memchr(line, '\n', file.n_bytes - at);
        const size_t n = end ? (size_t)(end - line) : file.n_bytes - at;
        if (dlg_tokenizer_encode(t, &tokens, line, n, true, 0, NULL, &err)) fail_msg("%s", err.message);
        for (size_t i = 0; i < tokens.n; i++) {
            const unsigned char id[4] = {(unsigned char)tokens.ids[i], (unsigned char)(tokens.ids[i] >> 8),
                                         (unsigned char)(tokens.ids[i] >> 16), (unsigned char)(tokens.ids[i] >> 24)};
            found.hash = fnv(found.hash, id, sizeof id);
        }
        found.n_ids += tokens.n;
        at += n + 1;
    }
    dlg_tokens_release(&tokens);
    dlg_file_close(&file);
    return found;
}

static void read_books(bool json)
{
    dlg_tokenizer *t;
    dlg_error err;
    if (!is_there(json ? vocabulary_json : vocabulary)) skip();
    if (json ? dlg_tokenizer_open_json(&t, vocabulary_json, &err)
             : dlg_tokenizer_open(&t, vocabulary, DLG_UNCASED, &err))
        fail_msg("%s", err.message);
    assert_int_equal(dlg_tokenizer_size(t), 30522);
    for (size_t i = 0; i < sizeof books / sizeof *books; i++) {
        const book found = read_book(t, books[i].name);
        assert_int_equal(found.n_lines, books[i].n_lines);
        assert_int_equal(found.n_ids, books[i].n_ids);
        assert_true(found.hash == books[i].hash);
    }
    dlg_tokenizer_close(t);
}

static void books_by_vocabulary(void **state)
{
    (void)state;
    read_books(false);
}

static void books_by_json(void **state)
{
    (void)state;
    read_books(true);
}

/* Texts with a line "__ggml_vocab_test__" after each, and their ids without special tokens, a line each. */
static void cases(void **state)
{
    (void)state;
    static const char inputs[] = DLG_SHARED "/data/tokenizer-cases/ggml-vocab-bert-bge.gguf.inp",
                      outputs[] = DLG_SHARED "/data/tokenizer-cases/ggml-vocab-bert-bge.gguf.out",
                      separator[] = "\n__ggml_vocab_test__\n";
    dlg_file in, out;
    dlg_tokenizer *t;
    dlg_tokens tokens = {0};
    dlg_error err;
    if (!is_there(vocabulary) || !is_there(inputs)) skip();
    if (dlg_tokenizer_open(&t, vocabulary, DLG_UNCASED, &err) || dlg_file_open(&in, inputs, &err) ||
        dlg_file_open(&out, outputs, &err))
        fail_msg("%s", err.message);
    char *texts = calloc(in.n_bytes + 1, 1), *wanted = calloc(out.n_bytes + 1, 1), *text = texts, *line = wanted;
    assert_true(texts && wanted);
    memcpy(texts, in.bytes, in.n_bytes);
    memcpy(wanted, out.bytes, out.n_bytes);
    size_t n_cases = 0;
    for (char *end; (end = strstr(text, separator)); text = end + strlen(separator), n_cases++) {
        if (dlg_tokenizer_encode(t, &tokens, text, (size_t)(end - text), false, 0, NULL, &err))
            fail_msg("%s", err.message);
        for (size_t i = 0; i < tokens.n; i++) assert_int_equal(strtoul(line, &line, 10), tokens.ids[i]);
        assert_int_equal(*line, '\n');
        line++;
    }
    assert_int_equal(n_cases, 46);
    free(texts);
    free(wanted);
    dlg_tokens_release(&tokens);
    dlg_file_close(&in);
    dlg_file_close(&out);
    dlg_tokenizer_close(t);
}

/* What becomes of "aXb" for every X: needs no file, and notices a Unicode library with other tables. */
static void every_character(void **state)
{
    (void)state;
    for (int cased = 0; cased < 2; cased++) {
        dlg_split_rules rules;
        dlg_split split;
        uint64_t hash = FNV_START;
        dlg_split_rules_set(&rules, cased ? DLG_CASED : DLG_UNCASED);
        for (uint32_t character = 0; character < 0x110000; character++) {
            if (character >= 0xd800 && character < 0xe000) continue;
            unsigned char text[6] = "a";
            const size_t n = dlg_utf8_write(character, text + 1);
            text[1 + n] = 'b';
            dlg_split_start(&split, &rules, text, n + 2);
            while (dlg_split_next(&split) == DLG_SPLIT_WORD) hash = fnv(fnv(hash, split.word, split.n_word), "\n", 1);
        }
        assert_true(hash == (cased ? 0x459b78b07e47e582u : 0x1134aae831102e5du));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_character), cmocka_unit_test(books_by_vocabulary),
                                       cmocka_unit_test(books_by_json), cmocka_unit_test(cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
