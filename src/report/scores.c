#include "report/scores.h"

/* A sentence of either side; one that is not there has no tokens. */
typedef struct {
    size_t n;
    const uint32_t *tokens;
} sentence;

static sentence sentence_of(size_t n_sentences, const size_t *first, const uint32_t *tokens, size_t b)
{
    if (b >= n_sentences || !tokens) return (sentence){0};
    return (sentence){first[b + 1] - first[b], tokens + first[b]};
}

dlg_scores dlg_scores_compute(const dlg_attack_result *result, const dlg_truth *truth)
{
    dlg_scores scores = {.n_sentences = result->n_sentences > truth->n_sentences ? result->n_sentences : truth->n_sentences};
    for (size_t b = 0; b < scores.n_sentences; b++) {
        const sentence found = sentence_of(result->n_sentences, result->first, result->state.tokens, b);
        const sentence wanted = sentence_of(truth->n_sentences, truth->first, truth->ids, b);
        const size_t n_tokens = found.n > wanted.n ? found.n : wanted.n;
        size_t n_right = 0;
        for (size_t t = 0; t < found.n && t < wanted.n; t++) n_right += found.tokens[t] == wanted.tokens[t];
        scores.n_tokens += n_tokens;
        scores.n_right += n_right;
        scores.n_exact += n_right == n_tokens;
    }
    return scores;
}

double dlg_scores_token_accuracy(dlg_scores scores)
{
    return scores.n_tokens ? (double)scores.n_right / (double)scores.n_tokens : 0;
}

bool dlg_scores_exact_match(dlg_scores scores)
{
    return scores.n_exact == scores.n_sentences;
}
