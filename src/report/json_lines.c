#include "report/json_lines.h"

#include "base/memory.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* A builder: once something failed the rest does nothing, and the end tells. */
typedef struct {
    const dlg_subject *subject;
    cJSON *root;
    bool failed;
} object;

static object begin(const dlg_subject *subject, const char *event)
{
    object o = {subject, cJSON_CreateObject(), false};
    o.failed = !o.root || !cJSON_AddStringToObject(o.root, "event", event);
    return o;
}

static void add(object *o, cJSON *parent, const char *key, cJSON *item)
{
    if (o->failed || !item || !cJSON_AddItemToObject(parent, key, item)) {
        cJSON_Delete(item);
        o->failed = true;
    }
}

static void append(object *o, cJSON *list, cJSON *item)
{
    if (o->failed || !item || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        o->failed = true;
    }
}

/* A member that is a list or an object, to be filled; NULL when nothing works any more. */
static cJSON *add_new(object *o, cJSON *parent, const char *key, cJSON *item)
{
    add(o, parent, key, item);
    return o->failed ? NULL : item;
}

static cJSON *number(double value)
{
    return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
}

static void add_number(object *o, const char *key, double value)
{
    add(o, o->root, key, number(value));
}

static void add_string(object *o, const char *key, const char *value)
{
    add(o, o->root, key, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

static dlg_status finish(object *o, FILE *stream, dlg_error *err)
{
    char *line = o->failed ? NULL : cJSON_PrintUnformatted(o->root);
    dlg_status status = line ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "JSON: no memory");
    if (!status && (fprintf(stream, "%s\n", line) < 0 || fflush(stream)))
        status = dlg_fail(err, DLG_EIO, "JSON: standard output: %s", strerror(errno));
    cJSON_free(line);
    cJSON_Delete(o->root);
    return status;
}

/* ---- lists ---- */

static cJSON *list_of_sizes(object *o, cJSON *parent, const char *key, const size_t *values, size_t n)
{
    cJSON *list = add_new(o, parent, key, cJSON_CreateArray());
    for (size_t i = 0; i < n && !o->failed; i++) append(o, list, number((double)values[i]));
    return list;
}

/* One list a sentence. */
static void add_tokens(object *o, const char *key, const uint32_t *tokens)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = add_new(o, o->root, key, cJSON_CreateArray());
    for (size_t b = 0, row = 0; tokens && b < k->n_sentences && !o->failed; row += k->lengths[b++]) {
        cJSON *sentence = cJSON_CreateArray();
        append(o, list, sentence);
        for (size_t t = 0; t < k->lengths[b] && !o->failed; t++) append(o, sentence, number((double)tokens[row + t]));
    }
}

static void add_text(object *o, const uint32_t *tokens)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = add_new(o, o->root, "text", cJSON_CreateArray());
    for (size_t b = 0, row = 0; tokens && b < k->n_sentences && !o->failed; row += k->lengths[b++]) {
        char *text = dlg_tokenizer_decode(o->subject->tokenizer, tokens + row, k->lengths[b], true);
        append(o, list, text ? cJSON_CreateString(text) : NULL);
        dlg_free(text);
    }
}

/* ---- what is known ---- */

typedef struct {
    const char *name;
    dlg_origin from;
} piece;

enum { BATCH, LENGTH, LABELS, MASKED, N_PIECES };

static void list_pieces(const dlg_subject *subject, piece out[N_PIECES])
{
    const dlg_knowledge *k = subject->knowledge;
    out[BATCH] = (piece){"batch", k->sentences_from};
    out[LENGTH] = (piece){"length", k->lengths_from};
    out[LABELS] = (piece){"labels", k->labels_from};
    out[MASKED] = (piece){"masked", k->rows_from};
}

static bool is_classifier(const dlg_subject *subject)
{
    return subject->model->config.task == DLG_SEQUENCE_CLASSIFICATION;
}

static void add_knowledge(object *o)
{
    piece pieces[N_PIECES];
    const size_t n = is_classifier(o->subject) ? MASKED : N_PIECES; /* a classifier masks nothing */
    list_pieces(o->subject, pieces);
    cJSON *told = add_new(o, o->root, "knowledge", cJSON_CreateArray());
    for (size_t i = 0; i < n; i++)
        if (pieces[i].from == DLG_TOLD) append(o, told, cJSON_CreateString(pieces[i].name));
    cJSON *origins = add_new(o, o->root, "origins", cJSON_CreateObject());
    for (size_t i = 0; i < n; i++) add(o, origins, pieces[i].name, cJSON_CreateString(dlg_origin_name(pieces[i].from)));
}

/* Positions within each sentence. */
static void add_masked(object *o, cJSON *parent)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *list = add_new(o, parent, "masked", cJSON_CreateArray());
    for (size_t b = 0, first = 0; b < k->n_sentences && !o->failed; first += k->lengths[b++]) {
        cJSON *sentence = cJSON_CreateArray();
        append(o, list, sentence);
        for (size_t i = 0; i < k->n_rows && !o->failed; i++)
            if (k->rows[i] >= first && k->rows[i] < first + k->lengths[b]) append(o, sentence, number((double)(k->rows[i] - first)));
    }
}

static void add_inferred(object *o)
{
    const dlg_knowledge *k = o->subject->knowledge;
    cJSON *inferred = add_new(o, o->root, "inferred", cJSON_CreateObject());
    add(o, inferred, "batch_size", k->sentences_from == DLG_TOLD ? cJSON_CreateNull() : number((double)k->n_sentences));
    if (k->lengths_from == DLG_TOLD) add(o, inferred, "length", cJSON_CreateNull());
    else list_of_sizes(o, inferred, "length", k->lengths, k->n_sentences);
    if (k->labels_from == DLG_TOLD) add(o, inferred, "labels", cJSON_CreateNull());
    else list_of_sizes(o, inferred, "labels", k->labels, k->n_labels);
    if (k->rows_from != DLG_INFERRED || is_classifier(o->subject)) add(o, inferred, "masked", cJSON_CreateNull());
    else add_masked(o, inferred);
}

/* ---- scores ---- */

static void add_rouge_score(object *o, cJSON *parent, const char *name, dlg_rouge_score score)
{
    cJSON *three = add_new(o, parent, name, cJSON_CreateObject());
    add(o, three, "precision", number(score.precision));
    add(o, three, "recall", number(score.recall));
    add(o, three, "f1", number(score.f1));
}

static void add_rouge(object *o, cJSON *parent, const char *name, const dlg_rouge *rouge)
{
    cJSON *all = add_new(o, parent, name, cJSON_CreateObject());
    add_rouge_score(o, all, "rouge1", rouge->one);
    add_rouge_score(o, all, "rouge2", rouge->two);
    add_rouge_score(o, all, "rougeL", rouge->longest);
}

static void add_metrics(object *o, const dlg_scores *scores)
{
    cJSON *metrics = add_new(o, o->root, "metrics", cJSON_CreateObject());
    add(o, metrics, "token_accuracy", number(dlg_scores_token_accuracy(scores)));
    add(o, metrics, "exact_match", cJSON_CreateBool(dlg_scores_exact_match(scores)));
    add(o, metrics, "exact_sentences", number((double)scores->n_exact));
    add(o, metrics, "bag_similarity", number(dlg_scores_bag_similarity(scores)));
    add(o, metrics, "label_accuracy", number(dlg_scores_label_accuracy(scores)));
    add_rouge(o, metrics, "rouge", &scores->rouge);
    add_rouge(o, metrics, "rouge_special", &scores->rouge_special);
}

/* ---- the lines ---- */

dlg_status dlg_json_start(FILE *stream, const dlg_subject *subject, dlg_error *err)
{
    object o = begin(subject, "start");
    add_string(&o, "version", subject->version);
    add_string(&o, "gradient", subject->gradient);
    add_string(&o, "attack", subject->attack);
    add_string(&o, "model", subject->model->name);
    if (subject->is_preset) add_number(&o, "model_seed", (double)subject->model_seed);
    add_number(&o, "n_parameters", (double)dlg_model_size(subject->model));
    add_string(&o, "task", dlg_task_name(subject->model->config.task));
    add_string(&o, "defence", subject->defence);
    add_knowledge(&o);
    add_inferred(&o);
    add_string(&o, "blas", subject->blas);
    add_number(&o, "threads", subject->n_threads);
    add_string(&o, "distance", subject->options->distance->name);
    add_string(&o, "optimizer", subject->options->minimiser->name);
    add_number(&o, "seed", (double)subject->options->seed);
    return finish(&o, stream, err);
}

dlg_status dlg_json_iteration(FILE *stream, const dlg_subject *subject, const dlg_attack_state *state, dlg_error *err)
{
    object o = begin(subject, "iteration");
    add_number(&o, "start", (double)state->start);
    add_number(&o, "iteration", (double)state->iteration);
    add_number(&o, "distance", state->distance);
    add_number(&o, "seconds", state->seconds);
    add_tokens(&o, "tokens", state->tokens);
    add_text(&o, state->tokens);
    return finish(&o, stream, err);
}

dlg_status dlg_json_result(FILE *stream, const dlg_subject *subject, const dlg_attack_result *result, const dlg_scores *scores,
                           dlg_error *err)
{
    const dlg_attack_state *best = &result->state;
    object o = begin(subject, "result");
    add_string(&o, "attack", subject->attack);
    add_string(&o, "end", dlg_attack_end_name(result->end));
    add(&o, o.root, "recovered", cJSON_CreateBool(dlg_is_recovered(result->end)));
    add_number(&o, "start", (double)best->start);
    add_number(&o, "iterations", (double)best->iterations);
    add_number(&o, "evaluations", (double)best->evaluations);
    add_number(&o, "seconds", best->seconds);
    add_number(&o, "seconds_per_evaluation", best->evaluations ? best->seconds / (double)best->evaluations : NAN);
    /* An attack that found nothing has no distance: zero would be the best there is. */
    add_number(&o, "distance", best->tokens ? best->distance : NAN);
    add_number(&o, "distance_of_tokens", best->tokens ? best->distance_of_tokens : NAN);
    add_number(&o, "scale", best->tokens ? best->scale : NAN);
    add_number(&o, "n_dense", (double)result->n_dense);
    add_number(&o, "n_targets", (double)result->n_targets);
    add_knowledge(&o);
    add_tokens(&o, "fed_tokens", best->fed);
    add_tokens(&o, "tokens", best->tokens);
    add_text(&o, best->tokens);
    list_of_sizes(&o, o.root, "labels", subject->knowledge->labels, subject->knowledge->n_labels);
    if (scores) add_metrics(&o, scores);
    return finish(&o, stream, err);
}
