#include "leak/infer.h"

#include "math/blas.h"
#include "math/row_space.h"

#include <math.h>

struct dlg_span_check {
    const dlg_model *model;
    dlg_row_space space;
};

dlg_status dlg_span_check_create(dlg_span_check **out, const dlg_gradient *gradient, size_t n_tokens, dlg_error *err)
{
    *out = NULL;
    dlg_span_check *check = dlg_allocate(1, sizeof *check);
    if (!check) return dlg_fail(err, DLG_ENOMEM, "span check: no memory");
    const size_t H = gradient->model->config.hidden_size;
    const dlg_stack stack = dlg_gradient_stack(gradient, 0);
    check->model = gradient->model;
    const dlg_status status = dlg_row_space_find(&check->space, &stack, n_tokens < H ? n_tokens : H, err);
    if (status) dlg_span_check_free(check);
    else *out = check;
    return status;
}

void dlg_span_check_free(dlg_span_check *check)
{
    if (!check) return;
    dlg_free(check->space.basis);
    dlg_free(check);
}

/* Layer 0's input of a token at a position, LN(E[token] + P[position] + S[0]), one number at a time: mean and 1 / deviation come first. */
typedef struct {
    const dlg_real *word, *position, *type, *gamma, *beta;
    double mean, rstd;
} input;

static input input_at(const dlg_model *model, uint32_t token, size_t position)
{
    const size_t H = model->config.hidden_size;
    input in = {
        .word = dlg_model_word_embeddings(model) + (size_t)token * H,
        .position = dlg_model_parameter(model, "bert.embeddings.position_embeddings.weight")->value + position * H,
        .type = dlg_model_parameter(model, "bert.embeddings.token_type_embeddings.weight")->value,
        .gamma = dlg_model_parameter(model, "bert.embeddings.LayerNorm.weight")->value,
        .beta = dlg_model_parameter(model, "bert.embeddings.LayerNorm.bias")->value,
    };
    double sum = 0, sum_of_squares = 0;
    for (size_t i = 0; i < H; i++) sum += (double)in.word[i] + (double)in.position[i] + (double)in.type[i];
    in.mean = sum / (double)H;
    for (size_t i = 0; i < H; i++) {
        const double centred = (double)in.word[i] + (double)in.position[i] + (double)in.type[i] - in.mean;
        sum_of_squares += centred * centred;
    }
    in.rstd = 1 / sqrt(sum_of_squares / (double)H + model->config.layer_norm_eps);
    return in;
}

static double component(const input *in, size_t i)
{
    const double centred = (double)in->word[i] + (double)in->position[i] + (double)in->type[i] - in->mean;
    return (double)in->gamma[i] * in->rstd * centred + (double)in->beta[i];
}

double dlg_span_check_outside(const dlg_span_check *check, uint32_t token, size_t position)
{
    const size_t H = check->model->config.hidden_size;
    const input in = input_at(check->model, token, position);
    double norm2 = 0, inside = 0;
    for (size_t i = 0; i < H; i++) norm2 += component(&in, i) * component(&in, i);
    for (size_t r = 0; r < check->space.rank; r++) {
        double along = 0;
        for (size_t i = 0; i < H; i++) along += component(&in, i) * (double)check->space.basis[r * H + i];
        inside += along * along;
    }
    return norm2 > 0 ? fmax(0, 1 - inside / norm2) : 1;
}

/* Inside and outside must be this far apart, and what is outside this far out: where the tokens fill the space all is inside. */
static const double gap = 10, clearly_outside = 1e-3;

size_t dlg_span_check_positions(const dlg_span_check *check, uint32_t token, size_t length, size_t *positions, double *outside)
{
    const size_t n = length > 2 ? length - 2 : 0;
    size_t n_found = 0;
    double best_ratio = gap, limit = 0;
    for (size_t i = 0; i < n; i++) outside[i] = fmax(dlg_span_check_outside(check, token, i + 1), 1e-12);
    for (size_t i = 0; i < n; i++) {
        /* the next larger one decides how wide the gap above the i-th is */
        double next = INFINITY;
        for (size_t k = 0; k < n; k++)
            if (outside[k] > outside[i] && outside[k] < next) next = outside[k];
        if (next < INFINITY && next >= clearly_outside && next / outside[i] > best_ratio) {
            best_ratio = next / outside[i];
            limit = outside[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        if (outside[i] <= limit) positions[n_found++] = i + 1;
    return n_found;
}
