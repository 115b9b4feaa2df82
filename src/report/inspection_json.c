#include "report/inspection.h"

#include "base/memory.h"
#include "report/json_object.h"

#include <math.h>

/* A fact to be given its value. */
static cJSON *add_fact(dlg_object *o, cJSON *parent, const char *key, dlg_ground ground)
{
    cJSON *fact = dlg_object_add_new(o, parent, key, cJSON_CreateObject());
    dlg_object_add(o, fact, "sure", cJSON_CreateString(dlg_confidence_name(ground.sure)));
    dlg_object_add(o, fact, "from", cJSON_CreateString(ground.from));
    return fact;
}

static void add_number_fact(dlg_object *o, cJSON *parent, const char *key, dlg_ground ground, double value)
{
    dlg_object_add(o, add_fact(o, parent, key, ground), "value", dlg_json_number(ground.sure ? value : (double)NAN));
}

static void add_list_fact(dlg_object *o, cJSON *parent, const char *key, dlg_ground ground, const size_t *values,
                          size_t n)
{
    cJSON *fact = add_fact(o, parent, key, ground);
    if (ground.sure) dlg_object_add_sizes(o, fact, "value", values, n);
    else dlg_object_add(o, fact, "value", cJSON_CreateNull());
}

static void add_tokens(dlg_object *o, cJSON *parent, const char *key, const uint32_t *tokens, size_t n)
{
    cJSON *list = dlg_object_add_new(o, parent, key, cJSON_CreateArray());
    for (size_t i = 0; i < n && !o->failed; i++) dlg_object_append(o, list, dlg_json_number((double)tokens[i]));
}

static void add_text(dlg_object *o, cJSON *parent, const dlg_inspection *found)
{
    cJSON *fact = add_fact(o, parent, "text", found->text_ground);
    char *text = found->text ? dlg_tokenizer_decode(o->subject->tokenizer, found->text, found->length, false) : NULL;
    dlg_object_add(o, fact, "value", found->text ? (text ? cJSON_CreateString(text) : NULL) : cJSON_CreateNull());
    dlg_free(text);
    if (!found->text) return;
    add_tokens(o, fact, "fed_tokens", found->text, found->length);
    dlg_object_add(o, fact, "certain_positions", dlg_json_number((double)found->n_text_certain));
}

static void add_places(dlg_object *o, cJSON *parent, const dlg_inspection *found)
{
    cJSON *fact = add_fact(o, parent, "places", found->places_ground);
    if (!found->places_ground.sure) {
        dlg_object_add(o, fact, "value", cJSON_CreateNull());
        return;
    }
    cJSON *list = dlg_object_add_new(o, fact, "value", cJSON_CreateArray());
    for (size_t i = 0; i < found->places.n && !o->failed; i++) {
        const double pair[] = {(double)found->places.tokens[i].position, (double)found->places.tokens[i].token};
        dlg_object_append(o, list, cJSON_CreateDoubleArray(pair, 2));
    }
}

void dlg_inspection_add_facts(dlg_object *o, cJSON *parent, const dlg_inspection *found)
{
    cJSON *fits = add_fact(o, parent, "fits", found->fits_ground);
    dlg_object_add(o, fits, "value", found->fits_ground.sure ? cJSON_CreateBool(found->fits) : cJSON_CreateNull());
    add_number_fact(o, parent, "length", found->length_ground, (double)found->length);
    cJSON *batch = add_fact(o, parent, "batch_size", found->sentences_ground);
    const double n_sentences = found->sentences_ground.sure ? (double)found->n_sentences : (double)NAN;
    dlg_object_add(o, batch, "least", dlg_json_number(n_sentences));
    dlg_object_add(o, batch, "most",
                   found->n_sentences_most ? dlg_json_number((double)found->n_sentences_most) : cJSON_CreateNull());
    add_list_fact(o, parent, "lengths", found->lengths_ground, found->lengths, found->lengths ? found->n_sentences : 0);
    add_list_fact(o, parent, "labels", found->labels_ground, found->labels, found->n_labels);
    cJSON *tokens = add_fact(o, parent, "tokens", found->tokens_ground);
    if (found->tokens_ground.sure) add_tokens(o, tokens, "value", found->tokens.tokens, found->tokens.n);
    else dlg_object_add(o, tokens, "value", cJSON_CreateNull());
    if (o->subject->model->config.task == DLG_MASKED_LM)
        add_list_fact(o, parent, "masked", found->masked_ground, found->masked, found->n_masked);
    add_text(o, parent, found);
    add_number_fact(o, parent, "scale", found->scale_ground, found->scale);
    add_places(o, parent, found);
    cJSON *causes = dlg_object_add_new(o, parent, "causes", cJSON_CreateArray());
    for (size_t i = 0; i < found->causes.n && !o->failed; i++) {
        cJSON *cause = cJSON_CreateObject();
        dlg_object_append(o, causes, cause);
        dlg_object_add(o, cause, "name", cJSON_CreateString(found->causes.list[i].name));
        dlg_object_add(o, cause, "from", cJSON_CreateString(found->causes.list[i].seen));
        dlg_object_add(o, cause, "then", cJSON_CreateString(found->causes.list[i].then));
    }
}

static void add_traces(dlg_object *o, const dlg_defence_traces *t)
{
    static const char *const names[] = {NULL, "fp16", "bf16", "levels"};
    cJSON *traces = dlg_object_add_new(o, o->root, "traces", cJSON_CreateObject());
    dlg_object_add(o, traces, "norm", dlg_json_number(t->norm));
    dlg_object_add(o, traces, "norm_is_round", cJSON_CreateBool(t->is_norm_round));
    dlg_object_add(o, traces, "tensors_at_bound", dlg_json_number((double)t->n_at_bound));
    dlg_object_add(o, traces, "rounding",
                   names[t->rounding] ? cJSON_CreateString(names[t->rounding]) : cJSON_CreateNull());
    dlg_object_add(o, traces, "levels", t->n_levels ? dlg_json_number((double)t->n_levels) : cJSON_CreateNull());
    dlg_object_add(o, traces, "zeros", dlg_json_number(t->zeros));
    dlg_object_add(o, traces, "pruned", cJSON_CreateBool(t->is_pruned));
    dlg_object_add(o, traces, "noise", dlg_json_number(t->n_behind ? t->noise : (double)NAN));
    dlg_object_add(o, traces, "kurtosis", dlg_json_number(t->noise > 0 ? t->kurtosis : (double)NAN));
}

static void add_ranks(dlg_object *o, const dlg_inspection *found)
{
    cJSON *list = dlg_object_add_new(o, o->root, "ranks", cJSON_CreateArray());
    for (size_t i = 0; i < found->n_ranks && !o->failed; i++) {
        const dlg_matrix_rank *r = &found->ranks[i];
        cJSON *entry = cJSON_CreateObject();
        dlg_object_append(o, list, entry);
        dlg_object_add(o, entry, "name", cJSON_CreateString(r->parameter->name));
        dlg_object_add(o, entry, "rows", dlg_json_number((double)r->parameter->n_rows));
        dlg_object_add(o, entry, "columns", dlg_json_number((double)r->parameter->n_cols));
        dlg_object_add(o, entry, "frozen", cJSON_CreateBool(r->is_frozen));
        dlg_object_add(o, entry, "rank", r->rank.is_clear ? dlg_json_number((double)r->rank.rank) : cJSON_CreateNull());
        dlg_object_add(o, entry, "clear", cJSON_CreateBool(r->rank.is_clear));
        dlg_object_add(o, entry, "gap", r->rank.is_clear ? dlg_json_number(r->rank.gap) : cJSON_CreateNull());
    }
}

dlg_status dlg_inspection_json(FILE *stream, const dlg_subject *subject, const dlg_inspection *found, double seconds,
                               dlg_error *err)
{
    dlg_object o = dlg_object_begin(subject, "inspect");
    dlg_object_add_subject(&o);
    dlg_object_add_number(&o, "seconds", seconds);
    dlg_inspection_add_facts(&o, o.root, found);
    add_traces(&o, &found->traces);
    add_ranks(&o, found);
    return dlg_object_finish(&o, stream, err);
}
