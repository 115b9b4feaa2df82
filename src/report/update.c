#include "report/update.h"

#include "report/line.h"

#include <math.h>

static const dlg_layout indented = {.indent = 2, .hang = 2};

/* The least and the most that an entry of one parameter is off; 0, 0 where nothing is known of it. */
static void find_rounding(const dlg_gradient *gradient, double *least, double *most)
{
    *least = INFINITY;
    *most = 0;
    for (size_t i = 0; i < gradient->n; i++) {
        const double off = dlg_gradient_rounding_at(gradient, &gradient->model->parameters[i]);
        if (off > 0 && off < *least) *least = off;
        if (off > *most) *most = off;
    }
    if (!(*most > 0)) *least = 0;
}

void dlg_update_print_training(const dlg_screen *screen, const dlg_subject *subject)
{
    const dlg_training *t = subject->update.gradient ? &subject->update.gradient->training : NULL;
    char trainer[DLG_TRAINING_TEXT];
    dlg_line line = {.used = 0};
    double least, most;
    if (!t || !t->shared) return;
    find_rounding(subject->update.gradient, &least, &most);
    dlg_line_append(&line, "shared: %s after ",
                    t->shared == DLG_SHARED_WEIGHTS ? "weights" : "a difference of weights");
    if (t->n_steps) dlg_line_append(&line, "%zu step%s", t->n_steps, t->n_steps == 1 ? "" : "s");
    else dlg_line_append(&line, "training");
    if (t->is_inferred) dlg_line_append(&line, " of what moves all entries alike, as adamw does");
    else if (t->trainer) dlg_line_append(&line, " of %s", dlg_training_spell(t, trainer));
    else dlg_line_append(&line, ", by an optimizer that is not told");
    if (t->lr > 0) dlg_line_append(&line, ", lr %g", t->lr);
    else dlg_line_append(&line, "; lr not told, so that the gradient's factor is not known");
    dlg_line_append(&line, "; entries are off by the weights' last places, %.1e to %.1e", least, most);
    dlg_screen_print(screen, indented, line.text, NULL);
}

void dlg_update_print_decay(const dlg_screen *screen, const dlg_subject *subject)
{
    const double decay = subject->update.gradient ? subject->update.gradient->decay : 0;
    dlg_line line = {.used = 0};
    if (decay == 0) return;
    dlg_line_append(&line,
                    "weight decay: %.6g times the weights was added to it, as rows behind the text show; it was taken "
                    "out",
                    decay);
    dlg_screen_print(screen, indented, line.text, NULL);
}

/* Both what they are counted by must be clear. */
static bool least_is_clear(const dlg_update_tokens *found)
{
    return found->is_clear && found->length_is_clear;
}

static void append_sentences(dlg_line *line, const dlg_update_tokens *found)
{
    if (found->n_least > 1)
        dlg_line_append(line, "; at least %zu sentences (%s), at most any number", found->n_least,
                        least_is_clear(found) ? "certain" : "likely");
    else dlg_line_append(line, "; how many sentences is not seen");
}

void dlg_update_print_tokens(const dlg_screen *screen, const dlg_subject *subject)
{
    const dlg_update_tokens *found = subject->update.found;
    dlg_line line = {.used = 0};
    if (!found) return;
    dlg_line_append(&line, "rows that moved: ");
    if (found->sees_tokens) {
        dlg_line_append(&line, "%zu different tokens went in (%s):", found->n_tokens,
                        found->is_clear ? "certain" : "likely");
        for (size_t i = 0; i < found->n_tokens; i++) {
            const char *piece = dlg_tokenizer_piece(subject->tokenizer, (dlg_token)found->tokens[i]);
            dlg_line_append(&line, " %s", piece ? piece : "[UNK]");
        }
    } else {
        dlg_line_append(&line, "which tokens went in is not seen: %s", found->why);
    }
    if (found->length)
        dlg_line_append(&line, "; the longest sentence has %zu tokens (%s)", found->length,
                        found->length_is_clear ? "certain" : "likely");
    append_sentences(&line, found);
    dlg_screen_print(screen, indented, line.text, NULL);
}

static void add_training(dlg_object *o, cJSON *parent, const dlg_gradient *gradient)
{
    const dlg_training *t = &gradient->training;
    const bool is_adamw = t->trainer == DLG_TRAINER_ADAMW;
    double least, most;
    find_rounding(gradient, &least, &most);
    dlg_object_add(o, parent, "shared", cJSON_CreateString(dlg_shared_name(t->shared)));
    dlg_object_add(o, parent, "optimizer",
                   t->trainer ? cJSON_CreateString(dlg_trainer_name(t->trainer)) : cJSON_CreateNull());
    dlg_object_add(o, parent, "optimizer_is_inferred", cJSON_CreateBool(t->is_inferred));
    dlg_object_add(o, parent, "lr", dlg_json_number(t->lr > 0 ? t->lr : (double)NAN));
    dlg_object_add(o, parent, "steps", t->n_steps ? dlg_json_number((double)t->n_steps) : cJSON_CreateNull());
    dlg_object_add(o, parent, "weight_decay", dlg_json_number(t->trainer ? t->weight_decay : (double)NAN));
    dlg_object_add(o, parent, "eps", dlg_json_number(is_adamw ? t->eps : (double)NAN));
    cJSON *betas = is_adamw ? cJSON_CreateArray() : cJSON_CreateNull();
    dlg_object_add(o, parent, "betas", betas);
    if (is_adamw) dlg_object_append(o, betas, dlg_json_number(t->beta1));
    if (is_adamw) dlg_object_append(o, betas, dlg_json_number(t->beta2));
    dlg_object_add(o, parent, "rounding_least", dlg_json_number(least));
    dlg_object_add(o, parent, "rounding_most", dlg_json_number(most));
}

static cJSON *begin_fact(dlg_object *o, cJSON *parent, const char *key, bool is_seen, bool is_clear)
{
    cJSON *fact = dlg_object_add_new(o, parent, key, cJSON_CreateObject());
    const dlg_confidence sure = !is_seen ? DLG_UNSEEN : is_clear ? DLG_CERTAIN : DLG_LIKELY;
    dlg_object_add(o, fact, "sure", cJSON_CreateString(dlg_confidence_name(sure)));
    return fact;
}

void dlg_update_add(dlg_object *o)
{
    const dlg_gradient *gradient = o->subject->update.gradient;
    dlg_object_add(o, o->root, "weight_decay_found", dlg_json_number(gradient ? gradient->decay : 0));
    const dlg_update_tokens *found = o->subject->update.found;
    if (!gradient || !gradient->training.shared) {
        dlg_object_add(o, o->root, "update", cJSON_CreateNull());
        return;
    }
    cJSON *update = dlg_object_add_new(o, o->root, "update", cJSON_CreateObject());
    add_training(o, update, gradient);
    if (!found) return;
    cJSON *tokens = begin_fact(o, update, "tokens", found->sees_tokens, found->is_clear);
    cJSON *list = cJSON_CreateArray();
    dlg_object_add(o, tokens, "value", found->sees_tokens ? list : cJSON_CreateNull());
    for (size_t i = 0; found->sees_tokens && i < found->n_tokens && !o->failed; i++)
        dlg_object_append(o, list, dlg_json_number((double)found->tokens[i]));
    if (!found->sees_tokens) cJSON_Delete(list);
    cJSON *length = begin_fact(o, update, "length", found->length, found->length_is_clear);
    dlg_object_add(o, length, "value", found->length ? dlg_json_number((double)found->length) : cJSON_CreateNull());
    cJSON *least = begin_fact(o, update, "sentences_at_least", found->n_least, least_is_clear(found));
    dlg_object_add(o, least, "value", found->n_least ? dlg_json_number((double)found->n_least) : cJSON_CreateNull());
}
