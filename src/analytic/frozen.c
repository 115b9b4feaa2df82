#include "analytic/frozen.h"

static void lose(dlg_frozen *f, const char *reading, const char *from)
{
    f->lost[f->n_lost++] = (dlg_lost_reading){reading, from};
}

dlg_frozen dlg_frozen_of(const dlg_gradient *gradient)
{
    const dlg_roles *roles = &gradient->model->roles;
    dlg_frozen f = {.n_parameters = gradient->n};
    for (size_t i = 0; i < gradient->n; i++) f.n += !gradient->values[i];
    const bool has_layer_0 = dlg_gradient_inputs(gradient, &roles->blocks[0]).n_blocks;
    if (!dlg_gradient_at(gradient, roles->positions))
        lose(&f,
             has_layer_0 ? "tokens position by position" : "how long sentences are, and tokens position by position",
             "the position embedding");
    if (!dlg_gradient_at(gradient, roles->words)) lose(&f, "which tokens there are", "the word embedding");
    if (!has_layer_0) lose(&f, "the span check", "layer 0's query, key and value");
    if (!dlg_gradient_at(gradient, roles->head.weight)) lose(&f, "how many labels there are", "the head's first layer");
    if (!dlg_gradient_at(gradient, roles->decoder.bias)) lose(&f, "the labels", "the decoder's bias");
    return f;
}
