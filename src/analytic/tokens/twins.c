#include "analytic/tokens/twins.h"

#include "math/tolerance.h"

/* Whether b (n) is a but for the square that may be off; most words part in the first few numbers. */
static bool is_same(size_t n, const dlg_real *a, const dlg_real *b, double most2)
{
    double off2 = 0;
    for (size_t i = 0; i < n && off2 <= most2; i++) {
        const double d = (double)a[i] - (double)b[i];
        off2 += d * d;
    }
    return off2 <= most2;
}

size_t dlg_twins_count(const dlg_model *model, uint32_t token)
{
    const dlg_real *words = dlg_model_word_embeddings(model), *of_token = words + token * model->config.hidden_size;
    const size_t H = model->config.hidden_size;
    /* the same: what a text may leave of a tensor and be called the text (matching/explanation.c) */
    const double same = dlg_tolerance_explained_tensor(DLG_SINGLE_ROUNDOFF, H, model->config.n_layers);
    double norm2 = 0;
    size_t n = 0;
    for (size_t i = 0; i < H; i++) norm2 += (double)of_token[i] * (double)of_token[i];
    for (size_t v = 0; v < model->config.vocabulary_size; v++)
        n += is_same(H, of_token, words + v * H, same * same * norm2);
    return n;
}

bool dlg_twins_are_hidden(const dlg_gradient *gradient, size_t n, const uint32_t *tokens)
{
    if (dlg_gradient_at(gradient, gradient->model->roles.words)) return false;
    for (size_t i = 0; i < n; i++)
        if (dlg_twins_count(gradient->model, tokens[i]) > 1) return true;
    return false;
}
