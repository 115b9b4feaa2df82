#include "report/dropped.h"
#include "report/loss.h"
#include "report/progress.h"

#include "attacks/update.h"
#include "base/memory.h"
#include "report/inspection.h"
#include "report/origins.h"
#include "report/sources.h"
#include "report/update.h"

#include <math.h>
#include <string.h>

enum { LONGEST_LINE = 1024, LINES_OF_ONE_SENTENCE = 4 };

static const dlg_layout plain = {.hang = 2}, indented = {.indent = 2, .hang = 2};

void dlg_progress_release(dlg_progress *progress)
{
    dlg_free(progress->shown);
    dlg_free(progress->changed);
    *progress = (dlg_progress){0};
}

/* "5462784" -> "5,462,784" */
static const char *with_commas(size_t value, char out[32])
{
    char digits[32];
    const int n = snprintf(digits, sizeof digits, "%zu", value);
    char *to = out;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return out;
}

/* "-" where there is no distance yet. */
static const char *part_of(double distance, double scale, char out[32])
{
    const double part = dlg_part_of_zero(distance, scale);
    if (isfinite(part)) snprintf(out, 32, "%.1e", part);
    else snprintf(out, 32, "-");
    return out;
}

static void print_checkpoint(const dlg_progress *progress)
{
    const dlg_subject *s = progress->subject;
    char line[LONGEST_LINE];
    if (s->n_resumed)
        snprintf(line, sizeof line, "checkpoint %s: goes on after %zu evaluations", s->checkpoint, s->n_resumed);
    else snprintf(line, sizeof line, "checkpoint %s: begins", s->checkpoint);
    dlg_screen_print(&progress->screen, indented, line, NULL);
}

/* ", prior NAME (masked LM)", or nothing for an attack that asks none. */
static const char *prior_of(const dlg_subject *s, char out[LONGEST_LINE])
{
    const dlg_model *prior = s->asks_prior ? dlg_attack_prior(s->options, s->model) : NULL;
    *out = '\0';
    if (prior)
        snprintf(out, LONGEST_LINE, ", prior %s (%s)", prior->name,
                 prior->config.task == DLG_MASKED_LM ? "masked LM" : "GPT-2");
    else if (s->asks_prior) snprintf(out, LONGEST_LINE, ", no prior");
    return out;
}

void dlg_progress_start(const dlg_progress *progress)
{
    const dlg_subject *s = progress->subject;
    char line[2 * LONGEST_LINE], prior[LONGEST_LINE], number[32], seed[48] = "";
    if (s->is_preset) snprintf(seed, sizeof seed, " (preset, seed %llu)", (unsigned long long)s->model_seed);
    snprintf(line, sizeof line, "%s against %s%s: %s, %s parameters", s->gradient, s->model->name, seed,
             s->model->config.task == DLG_MASKED_LM ? "masked LM" : "classifier",
             with_commas(dlg_model_size(s->model), number));
    dlg_screen_print(&progress->screen, plain, line, NULL);
    dlg_update_print_training(&progress->screen, s);
    dlg_update_print_decay(&progress->screen, s);
    dlg_origins_print(&progress->screen, s, NULL);
    dlg_frozen_print(&progress->screen, &s->frozen);
    snprintf(line, sizeof line,
             "attack %s: distance %s (1 is a zero gradient's), optimizer %s%s, seed %llu; %s, %d thread%s", s->attack,
             s->options->distance->name, s->options->minimiser->name, prior_of(s, prior),
             (unsigned long long)s->options->seed, s->blas, s->n_threads, s->n_threads == 1 ? "" : "s");
    dlg_screen_print(&progress->screen, indented, line, NULL);
    if (s->memory.limit) {
        snprintf(line, sizeof line, "memory: %zu MB held, %zu MB more for the network, of %zu MB", s->memory.held >> 20,
                 s->memory.wanted >> 20, s->memory.limit >> 20);
        dlg_screen_print(&progress->screen, indented, line, NULL);
    }
    if (s->checkpoint) print_checkpoint(progress);
    fflush(progress->screen.stream);
}

/* ---- the text as it comes together ---- */

/* Another layout of the batch than that of the last report: nothing to compare with. */
static void lay_out(dlg_progress *progress, const dlg_knowledge *k)
{
    size_t n = 0;
    for (size_t b = 0; b < k->n_sentences; b++) n += k->lengths[b];
    if (n == progress->n_rows) return;
    dlg_free(progress->shown);
    dlg_free(progress->changed);
    progress->shown = dlg_allocate(n, sizeof *progress->shown);
    progress->changed = dlg_allocate(n, sizeof *progress->changed);
    progress->n_rows = progress->shown && progress->changed ? n : 0; /* without memory nothing is marked */
}

static size_t mark_changes(dlg_progress *progress, const uint32_t *tokens)
{
    size_t n = 0;
    if (!progress->n_rows) return 0;
    for (size_t i = 0; i < progress->n_rows; i++)
        n += progress->changed[i] = progress->any && progress->shown[i] != tokens[i];
    memcpy(progress->shown, tokens, progress->n_rows * sizeof *tokens);
    return n;
}

static void print_targets(const dlg_progress *progress, size_t n_dense, size_t n_targets)
{
    char line[LONGEST_LINE];
    snprintf(line, sizeof line,
             "defended? %zu of %zu weight matrices' gradients are not of low rank, as a plain gradient's would be",
             n_dense, n_targets);
    dlg_screen_print(&progress->screen, indented, line, NULL);
}

void dlg_progress_iteration(dlg_progress *progress, const dlg_attack_state *state, size_t n_dense, size_t n_targets)
{
    const dlg_knowledge *k = state->knowledge;
    char line[LONGEST_LINE], number[32], changes[64] = "", start[32] = "";
    lay_out(progress, k);
    const size_t n_changed = mark_changes(progress, state->tokens);
    if (!progress->any && 2 * n_dense >= n_targets) print_targets(progress, n_dense, n_targets);
    if (progress->any) snprintf(changes, sizeof changes, ", %zu of %zu tokens changed", n_changed, progress->n_rows);
    if (state->start > 1) snprintf(start, sizeof start, "start %zu, ", state->start);
    snprintf(line, sizeof line, "%siteration %zu, distance %s%s, %.1f s", start, state->iteration,
             part_of(state->distance, state->scale, number), changes, state->seconds);
    dlg_screen_print(&progress->screen, plain, line, NULL);
    const dlg_layout layout = {
        .indent = 2, .max_lines = k->n_sentences > 1 ? 1 : LINES_OF_ONE_SENTENCE, .mark = DLG_BOLD};
    for (size_t b = 0, row = 0; b < k->n_sentences; row += k->lengths[b++])
        dlg_screen_print_tokens(&progress->screen, layout, progress->subject->tokenizer, state->tokens + row,
                                progress->n_rows ? progress->changed + row : NULL, k->lengths[b]);
    progress->any = true;
    fflush(progress->screen.stream);
}

void dlg_progress_note(const dlg_progress *progress, const char *line)
{
    dlg_screen_print(&progress->screen, plain, line, NULL);
    fflush(progress->screen.stream);
}

/* ---- the result ---- */

/* No closer to the shared gradient than no text at all: nothing speaks for it. */
static bool explains_nothing(const dlg_attack_state *best)
{
    return !(best->distance_of_tokens < best->scale);
}

/* What was not recovered is shown as a guess where it explains some of the gradient or is still on its way, and
 * otherwise not at all. */
static bool is_shown(const dlg_attack_result *result)
{
    const bool is_over = result->end == DLG_EXHAUSTED || result->end == DLG_OUT_OF_TIME;
    return result->state.tokens && (!is_over || !explains_nothing(&result->state));
}

static void print_heading(const dlg_screen *screen, const dlg_attack_result *result)
{
    const char *heading = "Not recovered: no text was found whose gradient is the shared one.";
    char partly[LONGEST_LINE];
    if (dlg_is_recovered(result->end)) heading = "Recovered:";
    else if (result->end == DLG_LIKELY_TEXT) heading = "Likely, but for what is in doubt:";
    else if (result->end == DLG_UNREADABLE) heading = "Not recovered: no attack could begin.";
    else if (result->end == DLG_INTERRUPTED)
        heading = "Interrupted: no text was found so far whose gradient is the shared one.";
    else if (result->end == DLG_OUT_OF_TIME)
        heading = "Not recovered: the time was up before a text was found whose gradient is the shared one.";
    if (result->end == DLG_PARTLY) {
        snprintf(partly, sizeof partly, "Partly recovered: %zu of at least %zu sentence%s.", result->n_sentences,
                 result->part.n_least, result->part.n_least == 1 ? "" : "s");
        heading = partly;
    }
    dlg_screen_print(screen, plain, heading, NULL);
}

/* What settled, the words that are guesses in brackets. */
static void print_doubtful(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    bool *doubtful = dlg_allocate(result->n_rows, sizeof *doubtful); /* without memory nothing is marked */
    for (size_t i = 0; doubtful && i < result->n_rows; i++) doubtful[i] = dlg_attack_confidence(result, i) < DLG_LIKELY;
    for (size_t b = 0; b < result->n_sentences; b++) {
        const size_t row = result->first[b], n = result->first[b + 1] - row;
        dlg_screen_print_doubtful(screen, (dlg_layout){.indent = 2}, subject->tokenizer, result->state.tokens + row,
                                  doubtful ? doubtful + row : NULL, n);
    }
    dlg_free(doubtful);
}

static void print_sentences(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    const bool is_guess = !dlg_is_recovered(result->end) && result->end != DLG_PARTLY;
    const dlg_layout layout = {
        .lead = is_guess ? "only a guess: " : NULL, .indent = 2, .hang = is_guess ? 2 : 0, .mark = DLG_UNDERLINED};
    for (size_t b = 0; b < result->n_sentences; b++) {
        const size_t row = result->first[b];
        dlg_screen_print_tokens(screen, layout, subject->tokenizer, result->state.tokens + row,
                                result->state.predicted + row, result->first[b + 1] - row);
    }
}

/* How far the best text is from explaining the gradient. */
static void describe_rest(const dlg_attack_state *best, char *out, size_t n)
{
    char number[32];
    part_of(best->distance_of_tokens, best->scale, number);
    if (!isfinite(best->distance_of_tokens))
        snprintf(out, n,
                 "it is not known what stands at the masked positions, so that no text could be compared with the "
                 "gradient. None "
                 "is shown");
    else if (best->explanation.tensor && !dlg_explanation_is_of_text(&best->explanation))
        snprintf(out, n,
                 "a text was found whose gradient is the shared one to rounding (%s), but nearly all of that does not "
                 "depend on the text (%.1e of it does), so that others would do as well",
                 number, best->explanation.text);
    else if (best->explanation.tensor)
        snprintf(out, n,
                 "the closest text's gradient is the shared one to rounding of the whole (%s), but not tensor by "
                 "tensor: of %s it leaves %.2g %%",
                 number, best->explanation.tensor, 100 * best->explanation.worst);
    else if (explains_nothing(best))
        snprintf(out, n,
                 "the closest text explains none of the gradient (distance %s, where 0 is the same and 1 a zero "
                 "gradient's). It is "
                 "not shown",
                 number);
    else
        snprintf(out, n,
                 "the closest text explains only a part of the gradient (distance %s, where 0 is the same and 1 a zero "
                 "gradient's), as others may that have nothing to do with it",
                 number);
}

static bool has_doubtful_tokens(const dlg_attack_result *result)
{
    for (size_t i = 0; i < result->n_rows; i++)
        if (dlg_attack_confidence(result, i) < DLG_LIKELY) return true;
    return false;
}

static void print_end(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    char line[LONGEST_LINE], number[32], rest[LONGEST_LINE / 2];
    const dlg_attack_state *best = &result->state;
    part_of(best->distance_of_tokens, best->scale, number);
    describe_rest(best, rest, sizeof rest);
    if (dlg_dropped_has_text(result)) {
        dlg_dropped_print(screen, result);
        return;
    }
    if (!best->tokens && !result->reason) {
        const bool is_late = result->end == DLG_OUT_OF_TIME;
        dlg_screen_print(screen, indented,
                         is_late ? "ended: the time was up (--time gives more) before the attack came to a text"
                                 : "not explained: the attack came to no text",
                         NULL);
        return;
    }
    switch (result->end) {
    case DLG_EXPLAINED:
        if (dlg_update_is_all(subject->update.gradient))
            snprintf(line, sizeof line, "explained: the step, taken again on this text, moves the weights as shared");
        else
            snprintf(line, sizeof line, "explained: the text's own gradient is the shared one, to rounding (%s)",
                     number);
        break;
    case DLG_SETTLED:
        snprintf(line, sizeof line,
                 "settled: the text changes no more, and what remains of the distance (%s) is the gradient's noise",
                 number);
        break;
    case DLG_LIKELY_TEXT:
        snprintf(line, sizeof line,
                 "likely: the text changes no more, and what remains of the distance (%s) is the gradient's noise, but "
                 "other %s as well",
                 number, has_doubtful_tokens(result) ? "tokens would do" : "lengths or labels would do");
        break;
    case DLG_PARTLY:
        snprintf(
            line, sizeof line, "partly: %s in the batch, to rounding; %s for %zu of %zu directions of the row space%s",
            result->n_sentences == 1 ? "this sentence was" : "each of these sentences was",
            result->n_sentences == 1 ? "it accounts" : "they account", result->part.n_accounted,
            result->part.n_directions,
            result->part.n_accounted < result->part.n_directions ? ", and what accounts for the others was not found"
                                                                 : "");
        break;
    case DLG_EXHAUSTED:
        snprintf(line, sizeof line, "not explained: within %zu start%s of at most %zu iterations %s",
                 subject->options->max_starts, subject->options->max_starts == 1 ? "" : "s",
                 subject->options->max_iterations, rest);
        break;
    case DLG_INTERRUPTED:
        snprintf(line, sizeof line,
                 "interrupted: the text is not yet known to be the participant's (distance %s, where 0 is the same "
                 "gradient and 1 a zero gradient's)",
                 isfinite(best->distance_of_tokens) ? number : "not known");
        break;
    case DLG_OUT_OF_TIME: snprintf(line, sizeof line, "ended: the time was up (--time gives more); %s", rest); break;
    case DLG_UNREADABLE: snprintf(line, sizeof line, "not explained: %s", result->reason); break;
    }
    dlg_screen_print(screen, indented, line, NULL);
}

/* Predicted rows in which the mask token did not stand: one that kept its word looks like any other. */
static void print_unmasked(const dlg_screen *screen, const dlg_attack_result *result)
{
    const dlg_attack_state *best = &result->state;
    char line[LONGEST_LINE], sentence[48] = "";
    size_t used = 0;
    for (size_t b = 0; b < result->n_sentences; b++) {
        if (result->n_sentences > 1) snprintf(sentence, sizeof sentence, " of sentence %zu", b + 1);
        for (size_t i = result->first[b]; i < result->first[b + 1] && used + 100 < sizeof line; i++) {
            if (!best->predicted[i] || best->fed[i] == best->knowledge->special.mask) continue;
            const int n = snprintf(line + used, sizeof line - used, "%s%zu%s, fed as %s",
                                   used ? "; " : "predicted without a mask: ", i - result->first[b], sentence,
                                   best->fed[i] == best->tokens[i] ? "itself" : "another word");
            used += n > 0 ? (size_t)n : 0;
        }
    }
    if (used) dlg_screen_print(screen, indented, line, NULL);
}

static void print_cost(const dlg_screen *screen, const dlg_attack_result *result)
{
    const dlg_attack_state *best = &result->state;
    const size_t n_made = best->evaluations - result->recalled;
    const double evaluating_s = best->evaluating_seconds;
    char line[LONGEST_LINE], each[48] = "", recalled[80] = "";
    if (n_made) snprintf(each, sizeof each, " (%.2f ms each)", 1e3 * evaluating_s / (double)n_made);
    if (result->recalled) snprintf(recalled, sizeof recalled, " (%zu of them from the checkpoint)", result->recalled);
    snprintf(line, sizeof line,
             "cost: %zu iteration%s, %zu evaluation%s%s; %.2f s, of which %.2f s evaluating%s, the rest reading",
             best->iterations, best->iterations == 1 ? "" : "s", best->evaluations, best->evaluations == 1 ? "" : "s",
             recalled, best->seconds, evaluating_s, each);
    dlg_screen_print(screen, indented, line, NULL);
}

static void print_scores(const dlg_screen *screen, const dlg_scores *scores)
{
    char line[LONGEST_LINE];
    snprintf(line, sizeof line, "scores: %zu of %zu tokens right (%.1f %%), %zu of %zu sentence%s exact",
             scores->n_right, scores->n_tokens, 100 * dlg_scores_token_accuracy(scores), scores->n_exact,
             scores->n_sentences, scores->n_sentences == 1 ? "" : "s");
    dlg_screen_print(screen, indented, line, NULL);
    snprintf(line, sizeof line,
             "scores: ROUGE-1 %.1f, ROUGE-2 %.1f, ROUGE-L %.1f (F1); %zu of %zu label%s and %.1f %% of the bag of "
             "tokens right",
             100 * scores->rouge.one.f1, 100 * scores->rouge.two.f1, 100 * scores->rouge.longest.f1,
             scores->n_labels_right, scores->n_labels, scores->n_labels == 1 ? "" : "s",
             100 * dlg_scores_bag_similarity(scores));
    dlg_screen_print(screen, indented, line, NULL);
}

void dlg_progress_result(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result,
                         const dlg_scores *scores)
{
    if (screen->width) fputc('\n', screen->stream); /* what happened on the way stands above it on a terminal */
    print_heading(screen, result);
    if (result->end == DLG_LIKELY_TEXT) print_doubtful(screen, subject, result);
    else if (is_shown(result)) print_sentences(screen, subject, result);
    print_end(screen, subject, result);
    dlg_loss_print(screen, result);
    if (is_shown(result)) dlg_sources_print(screen, subject, result);
    if (result->end == DLG_EXPLAINED || result->end == DLG_PARTLY) print_unmasked(screen, result);
    if (result->end != DLG_UNREADABLE) print_cost(screen, result);
    dlg_update_print_training(screen, subject);
    dlg_update_print_decay(screen, subject);
    dlg_update_print_tokens(screen, subject);
    dlg_origins_print(screen, subject, result);
    if (scores) print_scores(screen, scores);
    if (result->shown && !dlg_is_recovered(result->end)) dlg_inspection_print_facts(screen, subject, result->shown);
}
