/*
 * bench_tokenizer VOCABULARY TEXT REPEATS: encodes a file line by line on one thread and prints, for the fastest pass,
 * its seconds, and how many lines and ids there were. Reading the file is not timed.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
    size_t n_lines, n_ids;
} counts;

static dlg_status encode_lines(const dlg_tokenizer *tokenizer, dlg_tokens *tokens, const dlg_file *text, counts *out,
                               dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = (counts){0};
    for (size_t at = 0; at < text->n_bytes && !status;) {
        const char *line = (const char *)text->bytes + at, *end = memchr(line, '\n', text->n_bytes - at);
        const size_t n = end ? (size_t)(end - line) : text->n_bytes - at;
        status = dlg_tokenizer_encode(tokenizer, tokens, line, n, true, 0, NULL, err);
        out->n_lines++;
        out->n_ids += tokens->n;
        at += n + 1;
    }
    return status;
}

int main(int argc, char **argv)
{
    dlg_tokenizer *tokenizer = NULL;
    dlg_tokens tokens = {0};
    dlg_file text = {0};
    dlg_error err;
    counts n = {0};
    double best_s = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: bench_tokenizer VOCABULARY TEXT REPEATS\n");
        return EXIT_FAILURE;
    }
    dlg_status status = dlg_tokenizer_open(&tokenizer, argv[1], DLG_UNCASED, &err);
    if (!status) status = dlg_file_open(&text, argv[2], &err);
    for (long i = 0; !status && i < strtol(argv[3], NULL, 10); i++) {
        const double start_s = now_s();
        status = encode_lines(tokenizer, &tokens, &text, &n, &err);
        const double taken_s = now_s() - start_s;
        if (!i || taken_s < best_s) best_s = taken_s;
    }
    if (status) fprintf(stderr, "%s\n", err.message);
    else printf("%.6f %zu %zu\n", best_s, n.n_lines, n.n_ids);
    dlg_file_close(&text);
    dlg_tokens_release(&tokens);
    dlg_tokenizer_close(tokenizer);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
