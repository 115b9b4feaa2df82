#include "analytic/tokens/inputs.h"

#include <math.h>

dlg_inputs dlg_inputs_of(const dlg_model *model)
{
    size_t n_types;
    const dlg_real *types = dlg_model_types(model, &n_types);
    return (dlg_inputs){
        .n_types = n_types,
        .H = model->config.hidden_size,
        .words = dlg_model_word_embeddings(model),
        .positions = model->roles.positions->value,
        .types = types,
        .gamma = model->roles.norm.scale->value,
        .beta = model->roles.norm.shift->value,
        .eps = model->config.layer_norm_eps,
    };
}

static void centre(size_t n, double *c)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += c[i];
    for (size_t i = 0; i < n; i++) c[i] -= sum / (double)n;
}

double dlg_input_at(const dlg_inputs *in, uint32_t token, size_t position, size_t type, double *x)
{
    const size_t H = in->H;
    const dlg_real *word = in->words + token * H, *place = in->positions + position * H, *kind = in->types + type * H;
    double variance = 0, norm2 = 0;
    for (size_t i = 0; i < H; i++) x[i] = (double)word[i] + (double)place[i] + (double)kind[i];
    centre(H, x);
    for (size_t i = 0; i < H; i++) variance += x[i] * x[i] / (double)H;
    const double scale = 1 / sqrt(variance + in->eps);
    for (size_t i = 0; i < H; i++) {
        x[i] = scale * (double)in->gamma[i] * x[i] + (double)in->beta[i];
        norm2 += x[i] * x[i];
    }
    return norm2;
}

void dlg_input_of_token(const dlg_inputs *in, uint32_t token, double *c)
{
    for (size_t i = 0; i < in->H; i++) c[i] = (double)in->words[token * in->H + i];
    centre(in->H, c);
}

void dlg_input_of_position(const dlg_inputs *in, size_t position, size_t type, double *c)
{
    const dlg_real *place = in->positions + position * in->H, *kind = in->types + type * in->H;
    for (size_t i = 0; i < in->H; i++) c[i] = (double)place[i] + (double)kind[i];
    centre(in->H, c);
}

void dlg_input_of_type(const dlg_inputs *in, size_t type, double *c)
{
    const dlg_real *kind = in->types + type * in->H;
    for (size_t i = 0; i < in->H; i++) c[i] = (double)kind[i] - (double)in->types[i];
    centre(in->H, c);
}
