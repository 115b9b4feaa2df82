#include "library/attack.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>

const dlg_attack_state *dlg_attack_state_of(const dlg_attack *attack)
{
    return attack->now ? attack->now : &attack->result.state;
}

const dlg_knowledge *dlg_attack_knowledge(const dlg_attack *attack)
{
    const dlg_knowledge *of_text = dlg_attack_state_of(attack)->knowledge;
    return of_text ? of_text : &attack->told;
}

dlg_attack_end dlg_attack_end_of(const dlg_attack *attack)
{
    return attack->has_run ? attack->result.end : DLG_INTERRUPTED;
}

bool dlg_attack_is_recovered(const dlg_attack *attack)
{
    return dlg_is_recovered(dlg_attack_end_of(attack));
}

const char *dlg_attack_reason(const dlg_attack *attack)
{
    return attack->result.reason;
}

size_t dlg_attack_n_sentences(const dlg_attack *attack)
{
    return dlg_attack_state_of(attack)->tokens ? dlg_attack_knowledge(attack)->n_sentences : 0;
}

size_t dlg_attack_n_tokens(const dlg_attack *attack, size_t sentence)
{
    assert(sentence < dlg_attack_n_sentences(attack));
    return dlg_attack_knowledge(attack)->lengths[sentence];
}

static size_t first_row(const dlg_attack *attack, size_t sentence)
{
    const dlg_knowledge *k = dlg_attack_knowledge(attack);
    size_t row = 0;
    for (size_t b = 0; b < sentence; b++) row += k->lengths[b];
    return row;
}

const char *dlg_attack_text(dlg_attack *attack, size_t sentence)
{
    const size_t n = dlg_attack_n_tokens(attack, sentence), row = first_row(attack, sentence);
    const uint32_t *tokens = dlg_attack_state_of(attack)->tokens + row;
    dlg_free(attack->text);
    return attack->text = dlg_tokenizer_decode_sentence(attack->gradient->model->tokenizer, tokens, n);
}

/* Of a moment nothing is confirmed. */
static dlg_confidence confidence_of(const dlg_attack *attack, size_t row)
{
    return attack->now ? DLG_GUESSED : dlg_attack_confidence(&attack->result, row);
}

dlg_found_token dlg_attack_token(const dlg_attack *attack, size_t sentence, size_t position)
{
    assert(position < dlg_attack_n_tokens(attack, sentence));
    const dlg_attack_state *state = dlg_attack_state_of(attack);
    const size_t row = first_row(attack, sentence) + position;
    const dlg_evidence *evidence = &state->evidence[row];
    return (dlg_found_token){.token = state->tokens[row],
                             .fed = state->fed[row],
                             .predicted = state->predicted[row],
                             .segment =
                                 dlg_attack_knowledge(attack)->types ? dlg_attack_knowledge(attack)->types[row] : 0,
                             .source = dlg_attack_source(state, row),
                             .confidence = confidence_of(attack, row),
                             .n_choices = evidence->n_choices,
                             .cosine = evidence->cosine,
                             .margin = evidence->margin};
}

const size_t *dlg_attack_labels(const dlg_attack *attack, size_t *n)
{
    const dlg_knowledge *k = dlg_attack_knowledge(attack);
    *n = k->n_labels;
    return k->n_labels ? k->labels : NULL;
}

const char *dlg_attack_origin(const dlg_attack *attack, dlg_known what)
{
    const dlg_knowledge *k = dlg_attack_knowledge(attack);
    switch (what) {
    case DLG_KNOWN_BATCH: return k->n_sentences ? dlg_origin_name(k->sentences_from) : NULL;
    case DLG_KNOWN_LENGTH: return k->lengths ? dlg_origin_name(k->lengths_from) : NULL;
    case DLG_KNOWN_MASKED: return k->n_rows ? dlg_origin_name(k->rows_from) : NULL;
    case DLG_KNOWN_LABELS: return k->n_labels ? dlg_origin_name(k->labels_from) : NULL;
    default: return NULL;
    }
}

dlg_attack_numbers dlg_attack_numbers_of(const dlg_attack *attack)
{
    const dlg_attack_state *state = dlg_attack_state_of(attack);
    const double scale = state->tokens ? state->scale : (double)NAN,
                 left = attack->is_running ? dlg_budget_left(&attack->result.budget) : INFINITY;
    return (dlg_attack_numbers){.start = state->start,
                                .iteration = state->iteration,
                                .iterations = state->iterations,
                                .evaluations = state->evaluations,
                                .distance = dlg_part_of_zero(state->distance, scale),
                                .distance_of_tokens = dlg_part_of_zero(state->distance_of_tokens, scale),
                                .seconds = state->seconds,
                                .evaluating_seconds = state->evaluating_seconds,
                                .seconds_left = isfinite(left) ? left : (double)NAN};
}

bool dlg_attack_is_recalling(const dlg_attack *attack)
{
    return dlg_journal_is_recalling(attack->options.journal);
}
