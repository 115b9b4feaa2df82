#include "residuals_step.h"

#include "analytic/labels/infer_labels.h"
#include "analytic/tokens/span_check.h"
#include "base/memory.h"
#include "matching/explanation.h"
#include "math/blas.h"
#include "math/row_rounding.h"
#include "math/row_space.h"
#include "math/spectrum.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum { REPLACED = 2 }; /* position of the token that the wrong text has another for */

dlg_status residuals_no_memory(dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "residuals: no memory");
}

void residuals_note(const residuals_step *s, residual_kind kind, const char *name, double truth, double bound,
                    double wrong)
{
    s->out[kind] = (residual){name, truth, bound, wrong};
}

static uint32_t find_nearest(const residuals_step *s, uint32_t token)
{
    const dlg_real *words = dlg_model_word_embeddings(s->gradient->model);
    double least = INFINITY;
    uint32_t found = token;
    for (uint32_t v = s->first_word; v < s->V; v++) {
        double apart = 0;
        for (size_t i = 0; i < s->H && apart < least; i++) {
            const double d = (double)words[v * s->H + i] - (double)words[token * s->H + i];
            apart += d * d;
        }
        if (v != token && apart < least) least = apart, found = v;
    }
    return found;
}

/* ---- the text beside the whole gradient ---- */

static dlg_explanation explain(const residuals_step *s, dlg_objective *objective, const uint32_t *fed,
                               const dlg_real *certain, dlg_real *x, dlg_real *rows)
{
    const dlg_soft_labels labels = {s->batch->n_predicted, s->labels, certain, NULL, NULL, false};
    for (size_t i = 0; i < s->n; i++)
        memcpy(x + i * s->H, dlg_model_word_embeddings(s->gradient->model) + (size_t)fed[i] * s->H, s->H * sizeof *x);
    (void)dlg_objective_distance(objective, &labels, x);
    return dlg_explanation_find(objective, fed, rows);
}

static dlg_status find_explained(const residuals_step *s, dlg_error *err)
{
    const size_t n = s->batch->n_predicted;
    dlg_real *certain = dlg_allocate(n * n, sizeof *certain), *x = dlg_allocate(s->n * s->H, sizeof *x),
             *rows = dlg_allocate(DLG_EXPLANATION_ROWS * s->H, sizeof *rows);
    dlg_objective *objective = NULL;
    dlg_status status = certain && x && rows ? DLG_OK : residuals_no_memory(err);
    for (size_t i = 0; !status && i < n; i++) certain[i * n + i] = 1;
    if (!status) status = dlg_objective_create(&objective, s->gradient, s->batch, n, &dlg_l2, err);
    if (!status) {
        const dlg_explanation truth = explain(s, objective, s->fed, certain, x, rows),
                              wrong = explain(s, objective, s->wrong, certain, x, rows);
        residuals_note(s, RESIDUAL_EXPLAINED, "gradient", truth.whole, dlg_explanation_bound(&truth), wrong.whole);
        residuals_note(s, RESIDUAL_EXPLAINED_TENSOR, "one tensor", truth.worst,
                       dlg_tolerance_explained_tensor(s->roundoff, s->H, s->gradient->model->config.n_layers),
                       wrong.worst);
        residuals_note(s, RESIDUAL_TEXT, "text's part", NAN, dlg_tolerance_beside(s->roundoff), truth.text);
    }
    dlg_objective_free(objective);
    dlg_free(certain);
    dlg_free(x);
    dlg_free(rows);
    return status;
}

/* ---- layer 0 ---- */

/* Distinct inputs. */
static size_t count_inputs(const residuals_step *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool is_again = false;
        for (size_t k = 0; k < i && !is_again; k++)
            is_again = s->fed[k] == s->fed[i] && s->batch->position[k] == s->batch->position[i];
        n += !is_again;
    }
    return n;
}

static dlg_status find_remainder(const residuals_step *s, const dlg_stack *stack, dlg_error *err)
{
    dlg_row_space space = {0};
    dlg_status status = dlg_row_space_find(&space, stack, s->n, err);
    double *basis = status ? NULL : dlg_allocate(space.rank * s->H + 1, sizeof *basis),
           *row = dlg_allocate(s->H, sizeof *row), *along = dlg_allocate(s->H, sizeof *along), most = 0;
    if (!status && !(basis && row && along)) status = residuals_no_memory(err);
    for (size_t i = 0; !status && i < space.rank * s->H; i++) basis[i] = (double)space.basis[i];
    for (size_t b = 0; !status && b < stack->n_blocks; b++) {
        double left2 = 0;
        for (size_t j = 0; j < stack->n_rows[b]; j++) {
            for (size_t i = 0; i < s->H; i++) row[i] = (double)stack->blocks[b][j * s->H + i];
            const double left = dlg_take_out(space.rank, s->H, basis, row, along);
            left2 += left * left;
        }
        const size_t n = stack->n_rows[b] * s->H;
        most = fmax(most, sqrt(left2 / dlg_dot(n, stack->blocks[b], stack->blocks[b])));
    }
    residuals_note(s, RESIDUAL_REMAINDER, "remainder", most, dlg_tolerance_remainder(s->n), NAN);
    dlg_free(space.basis);
    dlg_free(basis);
    dlg_free(row);
    dlg_free(along);
    return status;
}

static bool was_there(const residuals_step *s, uint32_t token, size_t position)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->fed[i] == token && s->batch->position[i] == position) return true;
    return false;
}

static dlg_status find_input(const residuals_step *s, const dlg_spectrum *inputs, size_t rank, dlg_error *err)
{
    dlg_span_check *check;
    double truth = 0, wrong = 1;
    const dlg_status status = dlg_span_check_create(&check, s->gradient->model, inputs, rank, 1, err);
    if (status) return status;
    for (size_t i = 0; i < s->n; i++) {
        truth = fmax(truth, sqrt(dlg_span_check_outside(check, s->fed[i], s->batch->position[i])));
        if (!was_there(s, s->nearest[i], s->batch->position[i]))
            wrong = fmin(wrong, sqrt(dlg_span_check_outside(check, s->nearest[i], s->batch->position[i])));
    }
    residuals_note(s, RESIDUAL_INPUT, "input of layer 0", truth, dlg_tolerance_input_weak(), wrong);
    dlg_span_check_free(check);
    return DLG_OK;
}

static dlg_status find_layer_0(const residuals_step *s, dlg_error *err)
{
    const dlg_stack stack = dlg_gradient_inputs(s->gradient, &s->gradient->model->roles.blocks[0]);
    const size_t rank = count_inputs(s);
    dlg_spectrum inputs = {0};
    if (rank + DLG_SPAN_CHECK_BEYOND > s->H) return DLG_OK;
    dlg_status status = dlg_spectrum_grow(&inputs, &stack, SIZE_MAX, s->roundoff, err);
    if (!status) {
        const double truth = inputs.n > rank ? inputs.values[rank] / inputs.values[0] : 0,
                     wrong = inputs.values[rank - 1] / inputs.values[0];
        residuals_note(s, RESIDUAL_DIRECTION, "direction", truth, dlg_tolerance_direction(s->roundoff), wrong);
        status = find_input(s, &inputs, rank, err);
    }
    if (!status) status = find_remainder(s, &stack, err);
    dlg_spectrum_release(&inputs);
    return status;
}

/* ---- the head ---- */

typedef struct {
    size_t rank;
    const double *basis; /* (rank, H) */
    double *form, *row, *along;
} head_space;

static void judge_row(const residuals_step *s, const head_space *space, const dlg_real *encoded, double *part,
                      double *times)
{
    const double norm2 = dlg_dot(s->H, encoded, encoded);
    for (size_t k = 0; k < s->H; k++) space->row[k] = (double)encoded[k];
    const double left = dlg_take_out(space->rank, s->H, space->basis, space->row, space->along);
    *part = left / sqrt(norm2);
    *times = left / sqrt(dlg_row_rounding(space->rank, space->form, space->along, dlg_tolerance_row(s->roundoff, s->H),
                                          norm2));
}

static bool is_predicted(const residuals_step *s, size_t row)
{
    for (size_t i = 0; i < s->batch->n_predicted; i++)
        if (s->batch->predicted[i] == row) return true;
    return false;
}

static void judge_rows(const residuals_step *s, const head_space *space, const dlg_network *network)
{
    double part[2] = {0, INFINITY}, times[2] = {0, INFINITY};
    for (size_t i = 0; i < s->n; i++) {
        double a, b;
        judge_row(s, space, network->encoded->x + i * s->H, &a, &b);
        if (is_predicted(s, i)) part[0] = fmax(part[0], a), times[0] = fmax(times[0], b);
        else part[1] = fmin(part[1], a), times[1] = fmin(times[1], b);
    }
    residuals_note(s, RESIDUAL_ENCODED, "head's row", part[0], dlg_tolerance_encoded_row(), part[1]);
    residuals_note(s, RESIDUAL_ROW, "the same by expected", times[0], dlg_tolerance_times_expected(), times[1]);
}

static dlg_status find_head(const residuals_step *s, dlg_error *err)
{
    const dlg_parameter *head = s->gradient->model->roles.head.weight;
    const dlg_batch *batch = s->batch;
    const dlg_stack stack = {1, s->H, {dlg_gradient_at(s->gradient, head)}, {head->n_rows}};
    const size_t rank = batch->n_predicted;
    dlg_forward forward = {.model = s->gradient->model};
    dlg_spectrum found = {0};
    const dlg_network *network;
    head_space space = {rank, NULL, dlg_allocate(rank * rank, sizeof *space.form),
                        dlg_allocate(s->H, sizeof *space.row), dlg_allocate(rank, sizeof *space.along)};
    size_t *lengths = dlg_allocate(batch->n_sentences, sizeof *lengths);
    dlg_status status = space.form && space.row && space.along && lengths ? DLG_OK : residuals_no_memory(err);
    for (size_t b = 0; !status && b < batch->n_sentences; b++) lengths[b] = batch->first[b + 1] - batch->first[b];
    if (!status) status = dlg_spectrum_grow(&found, &stack, rank, s->roundoff, err);
    space.basis = found.vectors;
    if (!status) status = dlg_row_rounding_find(space.form, &stack, rank, space.basis, err);
    if (!status)
        status = dlg_forward_run(&network, &forward,
                                 &(dlg_forward_text){batch->n_sentences, lengths, s->fed, rank, batch->predicted, NULL},
                                 err);
    if (!status) judge_rows(s, &space, network);
    dlg_forward_release(&forward);
    dlg_spectrum_release(&found);
    dlg_free(space.form);
    dlg_free(space.row);
    dlg_free(space.along);
    dlg_free(lengths);
    return status;
}

/* Beside it, a label that is another: one count too many, one too few. */
static dlg_status find_bias(const residuals_step *s, dlg_error *err)
{
    const dlg_parameter *bias = s->gradient->model->roles.decoder.bias;
    const dlg_real *g = dlg_gradient_at(s->gradient, bias);
    const size_t n = s->batch->n_predicted;
    const dlg_label_evidence known = {.most = n, .expected = n, .is_certain = true, .fed = s->fed};
    dlg_forward forward = {.model = s->gradient->model};
    dlg_label_fit fit = {0};
    size_t *labels = dlg_allocate(n, sizeof *labels);
    const dlg_status status = labels
                                  ? dlg_infer_labels(labels, &fit, s->gradient, &forward, s->n, &known, s->special, err)
                                  : residuals_no_memory(err);
    const double wrong = sqrt(2 / dlg_dot(s->V, g, g)) / (double)n;
    residuals_note(s, RESIDUAL_BIAS, "decoder's bias", fit.n_labels ? fit.unexplained : 1,
                   dlg_tolerance_bias(s->roundoff), wrong);
    dlg_free(labels);
    dlg_forward_release(&forward);
    return status;
}

/* ---- all of them ---- */

dlg_status residuals_find(residual *out, const dlg_gradient *gradient, const dlg_batch *batch, const uint32_t *fed,
                          const size_t *labels, dlg_special_tokens special, uint32_t first_word, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const dlg_roles *roles = &gradient->model->roles;
    const bool is_mlm = config->task == DLG_MASKED_LM;
    residuals_step s = {.out = out,
                        .gradient = gradient,
                        .batch = batch,
                        .fed = fed,
                        .labels = labels,
                        .special = special,
                        .H = config->hidden_size,
                        .V = config->vocabulary_size,
                        .n = batch->n_rows,
                        .roundoff = gradient->roundoff,
                        .nearest = dlg_allocate(batch->n_rows, sizeof *s.nearest),
                        .wrong = dlg_allocate(batch->n_rows, sizeof *s.wrong),
                        .first_word = first_word};
    dlg_status status = s.nearest && s.wrong ? DLG_OK : residuals_no_memory(err);
    for (size_t i = 0; i < RESIDUALS; i++) out[i] = (residual){"", NAN, NAN, NAN};
    for (size_t i = 0; !status && i < s.n; i++) s.nearest[i] = find_nearest(&s, fed[i]);
    for (size_t i = 0; !status && i < s.n; i++) s.wrong[i] = i == REPLACED ? s.nearest[i] : fed[i];
    if (!status) status = find_explained(&s, err);
    if (!status) status = find_layer_0(&s, err);
    if (!status && batch->n_sentences == 1) status = residuals_of_position_rows(&s, err);
    if (!status && is_mlm && roles->decoder.weight == roles->words) status = residuals_of_word_rows(&s, err);
    if (!status && roles->types) status = residuals_of_embeddings(&s, err);
    if (!status) status = residuals_of_terms(&s, err);
    if (!status) status = find_head(&s, err);
    if (!status && is_mlm && batch->n_sentences == 1) status = find_bias(&s, err);
    dlg_free(s.nearest);
    dlg_free(s.wrong);
    return status;
}
