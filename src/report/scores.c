#include "report/scores.h"

#include "base/memory.h"
#include "math/assign.h"

#include <stdlib.h>

/* A sentence of either side; one that is not there has no tokens. */
typedef struct {
    size_t n;
    const uint32_t *tokens;
} sentence;

/* Both sides, with as many sentences each: where one has fewer the rest are empty. */
typedef struct {
    const dlg_attack_result *result;
    const dlg_truth *truth;
    size_t n;
} sides;

static sentence sentence_of(size_t n_sentences, const size_t *first, const uint32_t *tokens, size_t b)
{
    if (b >= n_sentences || !tokens) return (sentence){0};
    return (sentence){first[b + 1] - first[b], tokens + first[b]};
}

static sentence found_of(const sides *s, size_t b)
{
    return sentence_of(s->result->n_sentences, s->result->first, s->result->state.tokens, b);
}

static sentence wanted_of(const sides *s, size_t b)
{
    return sentence_of(s->truth->n_sentences, s->truth->first, s->truth->ids, b);
}

static size_t count_right(sentence found, sentence wanted)
{
    size_t n_right = 0;
    for (size_t t = 0; t < found.n && t < wanted.n; t++) n_right += found.tokens[t] == wanted.tokens[t];
    return n_right;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- bags ---- */

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* How many numbers two bags have in common, each as often as both have it. Sorts them. */
static size_t count_common(size_t n_a, uint64_t *a, size_t n_b, uint64_t *b)
{
    size_t n_common = 0;
    qsort(a, n_a, sizeof *a, compare_numbers);
    qsort(b, n_b, sizeof *b, compare_numbers);
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        n_common += a[i] == b[j];
        const bool step_a = a[i] <= b[j], step_b = b[j] <= a[i];
        i += step_a, j += step_b;
    }
    return n_common;
}

static dlg_status compare_bags(dlg_scores *out, const sides *s, const dlg_knowledge *knowledge, dlg_error *err)
{
    const size_t n_truth = s->truth->n_rows,
                 n_result = s->result->state.tokens ? s->result->first[s->result->n_sentences] : 0;
    const size_t n_most = larger(larger(n_truth, s->truth->n_sentences), larger(n_result, knowledge->n_labels));
    uint64_t *wanted = dlg_allocate(n_most + 1, sizeof *wanted), *found = dlg_allocate(n_most + 1, sizeof *found);
    dlg_status status = DLG_OK;
    if (!wanted || !found) {
        status = dlg_fail(err, DLG_ENOMEM, "scores: no memory");
        goto out;
    }
    for (size_t i = 0; i < n_truth; i++) wanted[i] = s->truth->ids[i];
    for (size_t i = 0; i < n_result; i++) found[i] = s->result->state.tokens[i];
    out->n_in_bag = count_common(n_truth, wanted, n_result, found);
    out->n_bag = larger(n_truth, n_result);

    const size_t n_places = s->truth->is_classification ? s->truth->n_sentences : n_truth;
    size_t n_wanted = 0;
    for (size_t i = 0; i < n_places; i++)
        if (s->truth->labels[i] != DLG_NO_LABEL) wanted[n_wanted++] = (uint64_t)s->truth->labels[i];
    for (size_t i = 0; i < knowledge->n_labels; i++) found[i] = knowledge->labels[i];
    out->n_labels_right = count_common(n_wanted, wanted, knowledge->n_labels, found);
    out->n_labels = larger(n_wanted, knowledge->n_labels);
out:
    dlg_free(wanted);
    dlg_free(found);
    return status;
}

/* ---- which sentence is which ---- */

/* found_for[b]: the found sentence that is matched to the b-th wanted one. */
static dlg_status match(size_t *found_for, const sides *s, dlg_error *err)
{
    const size_t n = s->n;
    dlg_real *cost = dlg_allocate(n * n, sizeof *cost);
    double *scratch = dlg_allocate(dlg_assign_scratch(n, n), sizeof *scratch);
    size_t *used = dlg_allocate(3 * (n + 1), sizeof *used);
    dlg_status status = DLG_OK;
    if (!cost || !scratch || !used) {
        status = dlg_fail(err, DLG_ENOMEM, "scores: no memory");
        goto out;
    }
    for (size_t f = 0; f < n; f++)
        for (size_t w = 0; w < n; w++) {
            const sentence found = found_of(s, f), wanted = wanted_of(s, w);
            const size_t n_right = count_right(found, wanted);
            const bool is_exact = n_right == found.n && n_right == wanted.n;
            /* No matching can gain tokens by parting two that are the same; the half has it not part them for nothing
             * either. */
            cost[f * n + w] = -((dlg_real)n_right + (is_exact ? (dlg_real)0.5 : 0));
        }
    dlg_assign(n, n, cost, found_for, scratch, used);
out:
    dlg_free(cost);
    dlg_free(scratch);
    dlg_free(used);
    return status;
}

/* ---- ROUGE ---- */

static void accumulate(dlg_rouge_score *sum, dlg_rouge_score score, size_t n)
{
    sum->precision += score.precision / (double)n;
    sum->recall += score.recall / (double)n;
    sum->f1 += score.f1 / (double)n;
}

/* Add a sentence's part of the mean over n. */
static dlg_status add_rouge(dlg_rouge *mean, size_t n, sentence wanted, sentence found, const dlg_tokenizer *tokenizer,
                            bool skip_special, dlg_error *err)
{
    char *wanted_text = dlg_tokenizer_decode(tokenizer, wanted.tokens, wanted.n, skip_special);
    char *found_text = dlg_tokenizer_decode(tokenizer, found.tokens, found.n, skip_special);
    dlg_rouge rouge;
    dlg_status status = wanted_text && found_text ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "scores: no memory");
    if (!status) status = dlg_rouge_compute(&rouge, wanted_text, found_text, err);
    if (!status) {
        accumulate(&mean->one, rouge.one, n);
        accumulate(&mean->two, rouge.two, n);
        accumulate(&mean->longest, rouge.longest, n);
    }
    dlg_free(wanted_text);
    dlg_free(found_text);
    return status;
}

dlg_status dlg_scores_compute(dlg_scores *out, const dlg_attack_result *result, const dlg_knowledge *knowledge,
                              const dlg_truth *truth, const dlg_tokenizer *tokenizer, dlg_error *err)
{
    const sides s = {result, truth, larger(result->n_sentences, truth->n_sentences)};
    size_t *found_for = dlg_allocate(s.n, sizeof *found_for);
    dlg_scores scores = {.n_sentences = s.n};
    *out = (dlg_scores){0};
    dlg_status status = found_for ? match(found_for, &s, err) : dlg_fail(err, DLG_ENOMEM, "scores: no memory");
    for (size_t b = 0; b < s.n && !status; b++) {
        const sentence wanted = wanted_of(&s, b), found = found_of(&s, found_for[b]);
        const size_t n_tokens = larger(wanted.n, found.n), n_right = count_right(found, wanted);
        scores.n_tokens += n_tokens;
        scores.n_right += n_right;
        scores.n_exact += n_right == n_tokens;
        status = add_rouge(&scores.rouge, s.n, wanted, found, tokenizer, true, err);
        if (!status) status = add_rouge(&scores.rouge_special, s.n, wanted, found, tokenizer, false, err);
    }
    if (!status) status = compare_bags(&scores, &s, knowledge, err);
    if (!status) *out = scores;
    dlg_free(found_for);
    return status;
}

static double part(size_t n, size_t of)
{
    return of ? (double)n / (double)of : 0;
}

double dlg_scores_token_accuracy(const dlg_scores *scores)
{
    return part(scores->n_right, scores->n_tokens);
}

double dlg_scores_bag_similarity(const dlg_scores *scores)
{
    return part(scores->n_in_bag, scores->n_bag);
}

double dlg_scores_label_accuracy(const dlg_scores *scores)
{
    return part(scores->n_labels_right, scores->n_labels);
}

bool dlg_scores_exact_match(const dlg_scores *scores)
{
    return scores->n_exact == scores->n_sentences;
}
