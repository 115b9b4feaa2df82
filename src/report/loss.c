#include "report/loss.h"

#include "report/dropped.h"

#include <math.h>
#include <stdio.h>

enum { LONGEST_LINE = 512 };

/* A factor that is 1, a number of labels, or a power of two, to this part. */
static const double nearly = 1e-3;

static bool is_known(const dlg_attack_result *result)
{
    const bool is_compared = !dlg_dropped_has_text(result) && result->state.tokens;
    return is_compared && (result->end == DLG_EXPLAINED || result->end == DLG_SETTLED);
}

static bool is_about(double factor, double wanted)
{
    return fabs(factor - wanted) < nearly * wanted;
}

/* What usually makes such a factor. */
static const char *cause_of(double factor, size_t n_labels)
{
    if (factor < 0) return "as of a difference of weights that was taken the other way round";
    if (n_labels > 1 && is_about(factor, (double)n_labels)) return "so that the loss was summed over its labels";
    if (factor > 2 && is_about(factor, exp2(round(log2(factor))))) return "as a loss scaler does";
    return factor < 1 ? "as clipping does, or a learning rate" : "as a sum does, or a loss scaler";
}

static void print_factor(const dlg_screen *screen, const dlg_attack_result *result)
{
    const dlg_loss *loss = &result->state.loss;
    const double factor = loss->softmax.factor;
    const dlg_knowledge *k = result->state.knowledge;
    char line[LONGEST_LINE];
    const bool is_open = loss->other_factor != 0, is_plain = is_about(factor, 1);
    if (is_plain && !is_open) return;
    if (is_plain)
        snprintf(
            line, sizeof line,
            "class: %zu, or %d if the difference of weights was taken the other way round: which of the two cannot "
            "be told",
            k->labels[0], k->labels[0] ? 0 : 1);
    else if (result->end == DLG_SETTLED && !is_open)
        snprintf(line, sizeof line, "factor: the gradient is multiplied by about %.2g", factor);
    else if (is_open)
        snprintf(line, sizeof line,
                 "factor: the gradient is multiplied by %.4g if the class is %zu, or by %.4g if it is %d: which of the "
                 "two cannot be told",
                 factor, k->labels[0], loss->other_factor, k->labels[0] ? 0 : 1);
    else
        snprintf(line, sizeof line, "factor: the gradient is multiplied by %.4g, %s", factor,
                 cause_of(factor, k->n_labels));
    dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, line, NULL);
}

void dlg_loss_print(const dlg_screen *screen, const dlg_attack_result *result)
{
    const dlg_loss *loss = &result->state.loss;
    char line[LONGEST_LINE];
    if (!is_known(result)) return;
    switch (loss->kind) {
    case DLG_LOSS_MEAN: break;
    case DLG_LOSS_SMOOTHED:
        snprintf(line, sizeof line, "loss: not plain mean cross-entropy: its labels are smoothed by %.3g%s",
                 loss->softmax.smoothing,
                 loss->is_weighted_too ? ", or one of the two weighs more: which of the two cannot be told" : "");
        break;
    case DLG_LOSS_WEIGHTED:
        snprintf(line, sizeof line,
                 "loss: not plain mean cross-entropy: some labels weigh more, as with class weights, where batches of "
                 "different size are added up, or where a sentence stood there more than once");
        break;
    case DLG_LOSS_BINARY:
        snprintf(line, sizeof line, "loss: binary cross-entropy of each class, so that a text may have several");
        break;
    case DLG_LOSS_SQUARED:
        snprintf(line, sizeof line, "loss: one number, as in regression; which is not seen, nor a factor");
        break;
    case DLG_LOSS_OTHER:
        snprintf(line, sizeof line,
                 "loss: not plain mean cross-entropy, nor another that is known here: labels are not seen, nor whether "
                 "a sentence stood there twice. What lies behind the head's first layer was not compared");
        break;
    }
    if (loss->kind != DLG_LOSS_MEAN) dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, line, NULL);
    if (loss->kind != DLG_LOSS_SQUARED && loss->kind != DLG_LOSS_OTHER) print_factor(screen, result);
}

void dlg_loss_add(dlg_object *o, const dlg_attack_result *result)
{
    const dlg_loss *loss = &result->state.loss;
    cJSON *object = is_known(result) ? cJSON_CreateObject() : cJSON_CreateNull();
    const bool has_factor = loss->kind != DLG_LOSS_SQUARED && loss->kind != DLG_LOSS_OTHER;
    dlg_object_add(o, o->root, "loss", object);
    if (!is_known(result)) return;
    dlg_object_add(o, object, "kind", cJSON_CreateString(dlg_loss_name(loss->kind)));
    dlg_object_add(o, object, "factor", dlg_json_number(has_factor ? loss->softmax.factor : NAN));
    dlg_object_add(o, object, "smoothing", dlg_json_number(loss->softmax.smoothing));
    dlg_object_add(o, object, "is_weighted_too", cJSON_CreateBool(loss->is_weighted_too));
    dlg_object_add(o, object, "other_factor", dlg_json_number(loss->other_factor != 0 ? loss->other_factor : NAN));
}
