#include "report/rouge.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    size_t n;
    const char **word; /* (n) within letters */
    char *letters;     /* the words, each with a NUL after it */
} words;

static void release(words *w)
{
    dlg_free(w->word);
    dlg_free(w->letters);
}

/*
 * The letter or digit that a text goes on with, in lower case, or 0 where that is none. Outside ASCII lower case gives
 * such a letter in two places only: the Kelvin sign is a k; the dotted capital I is an i and a mark, which parts words.
 * @param[out] n_bytes how many it takes; of the dotted I one is left for the mark
 */
static char next_letter(const char *text, size_t *n_bytes)
{
    *n_bytes = 1;
    if ((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9')) return *text;
    if (*text >= 'A' && *text <= 'Z') return (char)(*text - 'A' + 'a');
    if (!strncmp(text, "\xC4\xB0", 2)) return 'i';
    if (strncmp(text, "\xE2\x84\xAA", 3) != 0) return 0;
    *n_bytes = 3;
    return 'k';
}

static dlg_status split(words *out, const char *text, dlg_error *err)
{
    const size_t n_bytes = strlen(text);
    *out = (words){.word = dlg_allocate(n_bytes / 2 + 1, sizeof *out->word), .letters = dlg_allocate(n_bytes + 1, 1)};
    if (!out->word || !out->letters) return dlg_fail(err, DLG_ENOMEM, "ROUGE: no memory");
    char *to = out->letters;
    bool within = false;
    for (size_t at = 0, step; at < n_bytes; at += step) {
        const char letter = next_letter(text + at, &step);
        if (letter && !within) out->word[out->n++] = to;
        if (letter) *to++ = letter;
        else if (within) *to++ = 0;
        within = letter;
    }
    return DLG_OK;
}

static dlg_rouge_score score_of(size_t n_common, size_t n_wanted, size_t n_found)
{
    dlg_rouge_score score = {0};
    if (n_found) score.precision = (double)n_common / (double)n_found;
    if (n_wanted) score.recall = (double)n_common / (double)n_wanted;
    if (n_common) score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
    return score;
}

static bool same(const words *a, size_t i, const words *b, size_t j, size_t n)
{
    while (n && !strcmp(a->word[i], b->word[j])) i++, j++, n--;
    return !n;
}

/* Each run of n words meets one of the other text that is still free. @param taken (found->n) scratch */
static dlg_rouge_score score_runs(const words *wanted, const words *found, size_t n, bool *taken)
{
    const size_t n_wanted = wanted->n >= n ? wanted->n - n + 1 : 0, n_found = found->n >= n ? found->n - n + 1 : 0;
    size_t n_common = 0;
    memset(taken, 0, found->n * sizeof *taken);
    for (size_t i = 0; i < n_wanted; i++) {
        size_t j = 0;
        while (j < n_found && (taken[j] || !same(wanted, i, found, j, n))) j++;
        if (j == n_found) continue;
        taken[j] = true;
        n_common++;
    }
    return score_of(n_common, n_wanted, n_found);
}

/* @param length (found->n + 1) scratch: longest common subsequence of the wanted words so far and the first j found
 * ones */
static dlg_rouge_score score_longest(const words *wanted, const words *found, size_t *length)
{
    memset(length, 0, (found->n + 1) * sizeof *length);
    for (size_t i = 0; i < wanted->n; i++) {
        size_t before = 0; /* length[j] without the i-th word */
        for (size_t j = 0; j < found->n; j++) {
            const size_t above = length[j + 1];
            if (same(wanted, i, found, j, 1)) length[j + 1] = before + 1;
            else if (length[j] > above) length[j + 1] = length[j];
            before = above;
        }
    }
    return score_of(length[found->n], wanted->n, found->n);
}

dlg_status dlg_rouge_compute(dlg_rouge *out, const char *wanted_text, const char *found_text, dlg_error *err)
{
    words wanted = {0}, found = {0};
    bool *taken = NULL;
    size_t *length = NULL;
    *out = (dlg_rouge){0};
    dlg_status status = split(&wanted, wanted_text, err);
    if (!status) status = split(&found, found_text, err);
    if (status) goto out;
    taken = dlg_allocate(found.n + 1, sizeof *taken);
    length = dlg_allocate(found.n + 1, sizeof *length);
    if (!taken || !length) {
        status = dlg_fail(err, DLG_ENOMEM, "ROUGE: no memory");
        goto out;
    }
    out->one = score_runs(&wanted, &found, 1, taken);
    out->two = score_runs(&wanted, &found, 2, taken);
    out->longest = score_longest(&wanted, &found, length);
out:
    dlg_free(taken);
    dlg_free(length);
    release(&wanted);
    release(&found);
    return status;
}
