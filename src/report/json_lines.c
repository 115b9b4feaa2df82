#include "report/json_lines.h"

#include "base/memory.h"
#include "report/inspection.h"
#include "report/loss.h"
#include "report/json_object.h"

#include <math.h>

/* ---- lists ---- */

/* One list a sentence, with what `of` makes of each row; nothing where no text was found. */
static void add_rows(dlg_object *o, cJSON *parent, const char *key, const void *rows,
                     cJSON *(*of)(const void *rows, size_t row))
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = dlg_object_add_new(o, parent, key, cJSON_CreateArray());
    for (size_t b = 0, row = 0; rows && b < k->n_sentences && !o->failed; row += k->lengths[b++]) {
        cJSON *sentence = cJSON_CreateArray();
        dlg_object_append(o, list, sentence);
        for (size_t t = 0; t < k->lengths[b] && !o->failed; t++) dlg_object_append(o, sentence, of(rows, row + t));
    }
}

static cJSON *token_of(const void *tokens, size_t row)
{
    return dlg_json_number((double)((const uint32_t *)tokens)[row]);
}

static void add_tokens(dlg_object *o, const char *key, const uint32_t *tokens)
{
    add_rows(o, o->root, key, tokens, token_of);
}

static cJSON *segment_of(const void *types, size_t row)
{
    return dlg_json_number((double)((const size_t *)types)[row]);
}

static void add_text(dlg_object *o, const uint32_t *tokens)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = dlg_object_add_new(o, o->root, "text", cJSON_CreateArray());
    for (size_t b = 0, row = 0; tokens && b < k->n_sentences && !o->failed; row += k->lengths[b++]) {
        char *text = dlg_tokenizer_decode_sentence(o->subject->tokenizer, tokens + row, k->lengths[b]);
        dlg_object_append(o, list, text ? cJSON_CreateString(text) : NULL);
        dlg_free(text);
    }
}

/* ---- what speaks for each token ---- */

static cJSON *source_of(const void *state, size_t row)
{
    return cJSON_CreateString(dlg_token_source_name(dlg_attack_source(state, row)));
}

static cJSON *sureness_of(const void *result, size_t row)
{
    return cJSON_CreateString(dlg_confidence_name(dlg_attack_confidence(result, row)));
}

static cJSON *choices_of(const void *state, size_t row)
{
    const size_t n = ((const dlg_attack_state *)state)->evidence[row].n_choices;
    return n ? dlg_json_number((double)n) : cJSON_CreateNull();
}

static cJSON *cosine_of(const void *state, size_t row)
{
    return dlg_json_number(((const dlg_attack_state *)state)->evidence[row].cosine);
}

static cJSON *margin_of(const void *state, size_t row)
{
    return dlg_json_number(((const dlg_attack_state *)state)->evidence[row].margin);
}

static cJSON *lead_of(const void *state, size_t row)
{
    return dlg_json_number(((const dlg_attack_state *)state)->evidence[row].lead);
}

static void add_evidence(dlg_object *o, const dlg_attack_result *result)
{
    const dlg_attack_state *state = result->state.tokens ? &result->state : NULL;
    cJSON *evidence = dlg_object_add_new(o, o->root, "evidence", cJSON_CreateObject());
    add_rows(o, evidence, "from", state, source_of);
    add_rows(o, evidence, "sure", state ? result : NULL, sureness_of);
    add_rows(o, evidence, "choices", state, choices_of);
    add_rows(o, evidence, "cosine", state, cosine_of);
    add_rows(o, evidence, "margin", state, margin_of);
    add_rows(o, evidence, "lead", state, lead_of);
}

/* ---- what is known ---- */

typedef struct {
    const char *name;
    bool is_known;
    dlg_origin from;
} piece;

enum { BATCH, LENGTH, LABELS, MASKED, N_PIECES };

static void list_pieces(const dlg_knowledge *k, piece out[N_PIECES])
{
    out[BATCH] = (piece){"batch", true, k->sentences_from};
    out[LENGTH] = (piece){"length", k->lengths, k->lengths_from};
    out[LABELS] = (piece){"labels", k->n_labels, k->labels_from};
    out[MASKED] = (piece){"masked", k->n_rows, k->rows_from};
}

static bool is_classifier(const dlg_subject *subject)
{
    return subject->model->config.task == DLG_SEQUENCE_CLASSIFICATION;
}

/* @param told of a part of the batch what the attack began with, which is of the whole; else the subject's own */
static void add_knowledge(dlg_object *o, const dlg_knowledge *told)
{
    piece pieces[N_PIECES], told_pieces[N_PIECES];
    const size_t n = is_classifier(o->subject) ? MASKED : N_PIECES; /* a classifier masks nothing */
    list_pieces(o->subject->knowledge, pieces);
    list_pieces(told, told_pieces);
    cJSON *list = dlg_object_add_new(o, o->root, "knowledge", cJSON_CreateArray());
    for (size_t i = 0; i < n; i++)
        if (told_pieces[i].is_known && told_pieces[i].from == DLG_TOLD)
            dlg_object_append(o, list, cJSON_CreateString(told_pieces[i].name));
    cJSON *origins = dlg_object_add_new(o, o->root, "origins", cJSON_CreateObject());
    if (told != o->subject->knowledge)
        pieces[BATCH].from = (told->sentences_from == DLG_TOLD || told->sentences_from == DLG_METADATA)
                                 ? told->sentences_from
                                 : DLG_INFERRED;
    for (size_t i = 0; i < n; i++)
        dlg_object_add(o, origins, pieces[i].name,
                       pieces[i].is_known ? cJSON_CreateString(dlg_origin_name(pieces[i].from)) : cJSON_CreateNull());
}

/* Positions within each sentence. */
static void add_masked(dlg_object *o, cJSON *parent)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = dlg_object_add_new(o, parent, "masked", cJSON_CreateArray());
    for (size_t b = 0, first = 0; b < k->n_sentences && !o->failed; first += k->lengths[b++]) {
        cJSON *sentence = cJSON_CreateArray();
        dlg_object_append(o, list, sentence);
        for (size_t i = 0; i < k->n_rows && !o->failed; i++)
            if (k->rows[i] >= first && k->rows[i] < first + k->lengths[b])
                dlg_object_append(o, sentence, dlg_json_number((double)(k->rows[i] - first)));
    }
}

static void add_inferred(dlg_object *o)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *inferred = dlg_object_add_new(o, o->root, "inferred", cJSON_CreateObject());
    dlg_object_add(o, inferred, "batch_size",
                   k->sentences_from == DLG_TOLD ? cJSON_CreateNull() : dlg_json_number((double)k->n_sentences));
    if (k->lengths_from == DLG_TOLD || !k->lengths) dlg_object_add(o, inferred, "length", cJSON_CreateNull());
    else dlg_object_add_sizes(o, inferred, "length", k->lengths, k->n_sentences);
    if (k->labels_from == DLG_TOLD || !k->n_labels) dlg_object_add(o, inferred, "labels", cJSON_CreateNull());
    else dlg_object_add_sizes(o, inferred, "labels", k->labels, k->n_labels);
    cJSON *unsure = dlg_object_add_new(o, inferred, "unsure", cJSON_CreateArray());
    if (k->lengths_are_unsure && k->lengths_from == DLG_INFERRED)
        dlg_object_append(o, unsure, cJSON_CreateString("length"));
    if (k->labels_are_unsure && k->labels_from == DLG_INFERRED)
        dlg_object_append(o, unsure, cJSON_CreateString("labels"));
    if (k->rows_from != DLG_INFERRED || !k->n_rows || is_classifier(o->subject))
        dlg_object_add(o, inferred, "masked", cJSON_CreateNull());
    else add_masked(o, inferred);
}

/* How it is attacked. */
static void add_attack(dlg_object *o)
{
    const dlg_attack_options *options = o->subject->options;
    const dlg_model *prior = o->subject->asks_prior ? dlg_attack_prior(options, o->subject->model) : NULL;
    dlg_object_add_string(o, "attack", o->subject->attack);
    dlg_object_add_string(o, "distance_name", options->distance->name);
    dlg_object_add_string(o, "optimizer", options->minimiser->name);
    dlg_object_add_number(o, "seed", (double)options->seed);
    dlg_object_add_string(o, "prior", prior ? prior->name : NULL);
    dlg_object_add_string(o, "prior_task", prior ? dlg_task_name(prior->config.task) : NULL);
}

/* Null but where the end is "partly". */
static void add_part(dlg_object *o, const dlg_attack_result *result)
{
    if (result->end != DLG_PARTLY) {
        dlg_object_add(o, o->root, "part", cJSON_CreateNull());
        return;
    }
    cJSON *part = dlg_object_add_new(o, o->root, "part", cJSON_CreateObject());
    dlg_object_add(o, part, "sentences", dlg_json_number((double)result->n_sentences));
    dlg_object_add(o, part, "sentences_at_least", dlg_json_number((double)result->part.n_least));
    dlg_object_add(o, part, "directions", dlg_json_number((double)result->part.n_accounted));
    dlg_object_add(o, part, "directions_of_all", dlg_json_number((double)result->part.n_directions));
}

/* What the gradient shows all the same, where no text was recovered. */
static void add_shown(dlg_object *o, const dlg_attack_result *result)
{
    const bool is_told = result->shown && !dlg_is_recovered(result->end);
    cJSON *shown = dlg_object_add_new(o, o->root, "shown", is_told ? cJSON_CreateObject() : cJSON_CreateNull());
    if (is_told) dlg_inspection_add_facts(o, shown, result->shown);
}

/* ---- scores ---- */

static void add_rouge_score(dlg_object *o, cJSON *parent, const char *name, dlg_rouge_score score)
{
    cJSON *three = dlg_object_add_new(o, parent, name, cJSON_CreateObject());
    dlg_object_add(o, three, "precision", dlg_json_number(score.precision));
    dlg_object_add(o, three, "recall", dlg_json_number(score.recall));
    dlg_object_add(o, three, "f1", dlg_json_number(score.f1));
}

static void add_rouge(dlg_object *o, cJSON *parent, const char *name, const dlg_rouge *rouge)
{
    cJSON *all = dlg_object_add_new(o, parent, name, cJSON_CreateObject());
    add_rouge_score(o, all, "rouge1", rouge->one);
    add_rouge_score(o, all, "rouge2", rouge->two);
    add_rouge_score(o, all, "rougeL", rouge->longest);
}

static void add_metrics(dlg_object *o, const dlg_scores *scores)
{
    cJSON *metrics = dlg_object_add_new(o, o->root, "metrics", cJSON_CreateObject());
    dlg_object_add(o, metrics, "token_accuracy", dlg_json_number(dlg_scores_token_accuracy(scores)));
    dlg_object_add(o, metrics, "exact_match", cJSON_CreateBool(dlg_scores_exact_match(scores)));
    dlg_object_add(o, metrics, "exact_sentences", dlg_json_number((double)scores->n_exact));
    dlg_object_add(o, metrics, "bag_similarity", dlg_json_number(dlg_scores_bag_similarity(scores)));
    dlg_object_add(o, metrics, "label_accuracy", dlg_json_number(dlg_scores_label_accuracy(scores)));
    add_rouge(o, metrics, "rouge", &scores->rouge);
    add_rouge(o, metrics, "rouge_special", &scores->rouge_special);
}

/* ---- the lines ---- */

dlg_status dlg_json_start(FILE *stream, const dlg_subject *subject, dlg_error *err)
{
    dlg_object o = dlg_object_begin(subject, "start");
    dlg_object_add_subject(&o);
    add_attack(&o);
    add_knowledge(&o, subject->knowledge);
    add_inferred(&o);
    dlg_object_add_number(&o, "memory_wanted", (double)subject->memory.wanted);
    dlg_object_add_string(&o, "checkpoint", subject->checkpoint);
    dlg_object_add_number(&o, "resumed_after", (double)subject->n_resumed);
    return dlg_object_finish(&o, stream, err);
}

dlg_status dlg_json_iteration(FILE *stream, const dlg_subject *subject, const dlg_attack_state *state, dlg_error *err)
{
    dlg_object o = dlg_object_begin(subject, "iteration");
    dlg_object_add_number(&o, "start", (double)state->start);
    dlg_object_add_number(&o, "iteration", (double)state->iteration);
    dlg_object_add_number(&o, "distance", dlg_part_of_zero(state->distance, state->scale));
    dlg_object_add_number(&o, "seconds", state->seconds);
    add_tokens(&o, "tokens", state->tokens);
    add_text(&o, state->tokens);
    return dlg_object_finish(&o, stream, err);
}

static void add_explanation(dlg_object *o, const dlg_explanation *e)
{
    cJSON *object = e->tensor ? cJSON_CreateObject() : cJSON_CreateNull();
    dlg_object_add(o, o->root, "explanation", object);
    if (!e->tensor) return;
    dlg_object_add(o, object, "whole", dlg_json_number(e->whole));
    dlg_object_add(o, object, "worst", dlg_json_number(e->worst));
    dlg_object_add(o, object, "tensor", cJSON_CreateString(e->tensor));
    dlg_object_add(o, object, "text", dlg_json_number(e->text));
}

dlg_status dlg_json_result(FILE *stream, const dlg_subject *subject, const dlg_attack_result *result,
                           const dlg_scores *scores, dlg_error *err)
{
    const dlg_attack_state *best = &result->state;
    const size_t n_made = best->evaluations - result->recalled;
    dlg_object o = dlg_object_begin(subject, "result");
    dlg_object_add_subject(&o);
    add_attack(&o);
    dlg_object_add_string(&o, "end", dlg_attack_end_name(result->end));
    dlg_object_add(&o, o.root, "recovered", cJSON_CreateBool(dlg_is_recovered(result->end)));
    dlg_object_add_string(&o, "reason", result->reason);
    add_part(&o, result);
    dlg_object_add(&o, o.root, "dropout", cJSON_CreateBool(result->was_dropped));
    dlg_object_add_number(&o, "start", (double)best->start);
    dlg_object_add_number(&o, "iterations", (double)best->iterations);
    dlg_object_add_number(&o, "evaluations", (double)best->evaluations);
    dlg_object_add_number(&o, "seconds", best->seconds);
    dlg_object_add_number(&o, "seconds_per_evaluation", n_made ? best->evaluating_seconds / (double)n_made : NAN);
    dlg_object_add_number(&o, "recalled", (double)result->recalled);
    /* An attack that found nothing has no distance: zero would be the best there is. */
    dlg_object_add_number(&o, "distance", best->tokens ? dlg_part_of_zero(best->distance, best->scale) : NAN);
    dlg_object_add_number(&o, "distance_of_tokens",
                          best->tokens ? dlg_part_of_zero(best->distance_of_tokens, best->scale) : NAN);
    dlg_object_add_number(&o, "scale", best->tokens ? best->scale : NAN);
    add_explanation(&o, &best->explanation);
    dlg_loss_add(&o, result);
    dlg_object_add_number(&o, "n_dense", (double)result->n_dense);
    dlg_object_add_number(&o, "n_targets", (double)result->n_targets);
    add_knowledge(&o, result->end == DLG_PARTLY ? subject->told : subject->knowledge);
    add_tokens(&o, "fed_tokens", best->fed);
    add_tokens(&o, "tokens", best->tokens);
    add_text(&o, best->tokens);
    add_rows(&o, o.root, "segments", best->tokens ? subject->knowledge->types : NULL, segment_of);
    add_evidence(&o, result);
    dlg_object_add_sizes(&o, o.root, "labels", subject->knowledge->labels, subject->knowledge->n_labels);
    add_shown(&o, result);
    if (scores) add_metrics(&o, scores);
    return dlg_object_finish(&o, stream, err);
}
