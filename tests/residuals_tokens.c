#include "residuals_step.h"

#include "analytic/sequences/attention_parts.h"
#include "analytic/tokens/inputs.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>

static void centre(size_t n, double *a)
{
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += a[i] / (double)n;
    for (size_t i = 0; i < n; i++) a[i] -= mean;
}

/* |cosine| of a token's sum of embeddings and its position's row, times sqrt(H): 1 were they random. scratch (2 H) */
static double along_position(const residuals_step *s, uint32_t token, size_t position, double *scratch)
{
    const size_t H = s->H;
    const dlg_inputs in = dlg_inputs_of(s->gradient->model);
    const dlg_real *g = dlg_gradient_at(s->gradient, s->gradient->model->roles.positions) + position * H;
    double *row = scratch + H, dot = 0, norm2 = 0, row2 = 0;
    for (size_t i = 0; i < H; i++) {
        scratch[i] = (double)in.words[token * H + i] + (double)in.positions[position * H + i] + (double)in.types[i];
        row[i] = (double)g[i];
    }
    centre(H, scratch);
    for (size_t i = 0; i < H; i++) {
        dot += scratch[i] * row[i];
        norm2 += scratch[i] * scratch[i];
        row2 += row[i] * row[i];
    }
    return fabs(dot) / sqrt(norm2 * row2 / (double)H);
}

dlg_status residuals_of_position_rows(const residuals_step *s, dlg_error *err)
{
    double truth = 0, wrong = INFINITY, eps = 0, *scratch = dlg_allocate(2 * s->H, sizeof *scratch);
    if (!scratch) return residuals_no_memory(err);
    for (size_t i = 0; i < s->n; i++) {
        truth = fmax(truth, along_position(s, s->fed[i], i, scratch));
        const double variance = dlg_dot_of_doubles(s->H, scratch, scratch) / (double)s->H;
        eps = fmax(eps, dlg_tolerance_position_row_epsilon(s->gradient->model->config.layer_norm_eps, variance));
        wrong = fmin(wrong, along_position(s, s->nearest[i], i, scratch));
    }
    /* 4.5 deviations, as the position check allows */
    residuals_note(s, RESIDUAL_POSITION_ROW, "position's row", truth,
                   4.5 * hypot(dlg_tolerance_position_row(s->roundoff), eps), wrong);
    dlg_free(scratch);
    return DLG_OK;
}

static bool has(size_t n, const uint32_t *list, size_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == wanted) return true;
    return false;
}

static bool is_label(const residuals_step *s, size_t v)
{
    for (size_t i = 0; i < s->batch->n_predicted; i++)
        if (s->labels[i] == v) return true;
    return false;
}

/* What a tied decoder leaves in rows that were not fed spans as many directions as rows were predicted. */
dlg_status residuals_of_word_rows(const residuals_step *s, dlg_error *err)
{
    const size_t H = s->H, rank = s->batch->n_predicted;
    const dlg_roles *roles = &s->gradient->model->roles;
    const dlg_real *g = dlg_gradient_at(s->gradient, roles->words), *p = dlg_gradient_at(s->gradient, roles->positions);
    dlg_real *rows = dlg_allocate(s->V * H, sizeof *rows);
    double *basis = dlg_allocate(rank * H, sizeof *basis), *values = dlg_allocate(rank, sizeof *values),
           *row = dlg_allocate(H, sizeof *row), *along = dlg_allocate(rank, sizeof *along), typical = 0, most = 0,
           least = INFINITY, most_size = 0, least_size = INFINITY;
    size_t n = 0;
    dlg_status status = rows && basis && values && row && along ? DLG_OK : residuals_no_memory(err);
    for (size_t v = 0; !status && v < s->V; v++) {
        const double norm = sqrt(dlg_dot(H, g + v * H, g + v * H));
        if (has(s->n, s->fed, v) || is_label(s, v) || !(norm > 0)) continue;
        for (size_t i = 0; i < H; i++) rows[n * H + i] = (dlg_real)((double)g[v * H + i] / norm);
        n++;
    }
    if (!status) status = dlg_svd_right(&(dlg_stack){1, H, {rows}, {n}}, rank, values, basis, err);
    for (size_t t = 0; !status && t < s->n; t++) {
        for (size_t i = 0; i < H; i++) row[i] = (double)p[s->batch->position[t] * H + i];
        typical += dlg_take_out(rank, H, basis, row, along) / (double)s->n;
    }
    for (size_t v = 0; !status && v < s->V; v++) {
        if (is_label(s, v) || v == dlg_model_padding(s->gradient->model)) continue;
        const double norm = sqrt(dlg_dot(H, g + v * H, g + v * H));
        for (size_t i = 0; i < H; i++) row[i] = (double)g[v * H + i];
        const double left = dlg_take_out(rank, H, basis, row, along);
        if (has(s->n, s->fed, v)) least = fmin(least, left / norm), least_size = fmin(least_size, left / typical);
        else if (norm > 0) most = fmax(most, left / norm), most_size = fmax(most_size, left / typical);
    }
    residuals_note(s, RESIDUAL_WORD_ROW, "word's row", most, dlg_tolerance_word_row(s->roundoff), least);
    residuals_note(s, RESIDUAL_LOOKED_UP, "beside a position's", most_size, dlg_tolerance_looked_up(s->roundoff),
                   least_size);
    dlg_free(rows);
    dlg_free(basis);
    dlg_free(values);
    dlg_free(row);
    dlg_free(along);
    return status;
}

static size_t count_positions(const residuals_step *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) n = s->batch->position[i] >= n ? s->batch->position[i] + 1 : n;
    return n;
}

/* The rows of the positions that hold something, and of the types, whose row is their sum. */
dlg_status residuals_of_embeddings(const residuals_step *s, dlg_error *err)
{
    const dlg_roles *roles = &s->gradient->model->roles;
    const size_t H = s->H, n = count_positions(s);
    const dlg_real *p = dlg_gradient_at(s->gradient, roles->positions);
    double *basis = dlg_allocate(n * H, sizeof *basis), *values = dlg_allocate(n, sizeof *values),
           *row = dlg_allocate(H, sizeof *row), *along = dlg_allocate(n, sizeof *along);
    const dlg_stack stack = {1, H, {p}, {n}};
    dlg_status status = basis && values && row && along ? DLG_OK : residuals_no_memory(err);
    if (!status) status = dlg_svd_right(&stack, n, values, basis, err);
    for (size_t i = 0; !status && i < H; i++) row[i] = (double)dlg_gradient_at(s->gradient, roles->types)[i];
    if (!status) {
        const double largest = values[0] * sqrt(dlg_dot(n * H, p, p)); /* they are parts of its norm */
        residuals_note(s, RESIDUAL_EMBEDDING, "embeddings' rows", dlg_take_out(n, H, basis, row, along) / largest,
                       dlg_tolerance_embedding_direction(s->roundoff), values[n - 1] / values[0]);
    }
    dlg_free(basis);
    dlg_free(values);
    dlg_free(row);
    dlg_free(along);
    return status;
}

/* ---- what inputs are made of ---- */

enum { ABSENT = 3 }; /* tokens that were not there */

typedef struct {
    size_t n_present, n_tokens, n; /* tokens that were there come first; behind them positions, and beta */
    uint32_t *token;               /* (n_tokens) */
    double *rows, *parts;          /* (n, H), (n, 2 H) */
} terms;

static void list(const residuals_step *s, terms *of)
{
    for (size_t i = 0; i < s->n; i++)
        if (!has(of->n_present, of->token, s->fed[i])) of->token[of->n_present++] = s->fed[i];
    of->n_tokens = of->n_present;
    for (size_t i = 0; i < s->n && of->n_tokens < of->n_present + ABSENT; i++)
        if (!has(s->n, s->fed, s->nearest[i]) && !has(of->n_tokens, of->token, s->nearest[i]))
            of->token[of->n_tokens++] = s->nearest[i];
    of->n = of->n_tokens + count_positions(s) + 1;
}

static void make(const residuals_step *s, terms *of)
{
    const dlg_inputs in = dlg_inputs_of(s->gradient->model);
    for (size_t r = 0; r + 1 < of->n; r++) {
        double *row = of->rows + r * s->H;
        if (r < of->n_tokens) dlg_input_of_token(&in, of->token[r], row);
        else dlg_input_of_position(&in, r - of->n_tokens, 0, row);
        for (size_t i = 0; i < s->H; i++) row[i] *= (double)in.gamma[i];
    }
    for (size_t i = 0; i < s->H; i++) of->rows[(of->n - 1) * s->H + i] = (double)in.beta[i];
}

/* What a sum of two of them has outside of their span, and their smallest singular value; basis (H, n), gram (n, n) */
static dlg_status judge_dependence(const residuals_step *s, const terms *of, double *basis, double *gram,
                                   double *values, dlg_error *err)
{
    const size_t H = s->H, n = of->n - 1; /* beta may be zero */
    for (size_t r = 0; r < n; r++)
        for (size_t k = 0; k < n; k++) gram[r * n + k] = dlg_dot_of_doubles(H, of->rows + r * H, of->rows + k * H);
    dlg_status status = dlg_symmetric_eigen(n, gram, values, err);
    if (status) return status;
    const double largest = sqrt(values[n - 1]), least = sqrt(fmax(0, values[0]));
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < H; i++) basis[i * n + r] = of->rows[r * H + i];
    status = dlg_orthonormalise(H, n, basis, err);
    if (status) return status;
    double left2 = 0, *row = values, *sum = gram; /* both are done with */
    for (size_t i = 0; i < H; i++) sum[i] = of->rows[i] + of->rows[H + i];
    for (size_t r = 0; r < n; r++) {
        row[r] = 0;
        for (size_t i = 0; i < H; i++) row[r] += basis[i * n + r] * sum[i];
    }
    for (size_t i = 0; i < H; i++) {
        for (size_t r = 0; r < n; r++) sum[i] -= basis[i * n + r] * row[r];
        left2 += sum[i] * sum[i];
    }
    residuals_note(s, RESIDUAL_DEPENDENT, "dependence of terms", sqrt(left2) / largest, dlg_tolerance_dependent(),
                   least / largest);
    return DLG_OK;
}

static void judge_parts(const residuals_step *s, const terms *of)
{
    double most = 0, absent = 0, present = INFINITY;
    for (size_t r = 0; r + 1 < of->n; r++) {
        const double *part = of->parts + r * 2 * s->H, norm = sqrt(dlg_dot_of_doubles(2 * s->H, part, part));
        most = fmax(most, norm);
        if (r < of->n_present || r >= of->n_tokens) present = fmin(present, norm);
        else absent = fmax(absent, norm);
    }
    residuals_note(s, RESIDUAL_ATTENTION_PART, "a term's part", absent / most,
                   dlg_tolerance_attention_part(s->roundoff), present / most);
}

dlg_status residuals_of_terms(const residuals_step *s, dlg_error *err)
{
    terms of = {.token = dlg_allocate(s->n + ABSENT, sizeof *of.token)};
    if (!of.token) return residuals_no_memory(err);
    list(s, &of);
    const size_t n = of.n, H = s->H;
    double *basis = NULL, *gram = NULL, *values = NULL;
    dlg_status status = DLG_OK;
    if (n > H) goto out;
    of.rows = dlg_allocate(n * H, sizeof *of.rows);
    of.parts = dlg_allocate(n * 2 * H, sizeof *of.parts);
    basis = dlg_allocate(n * H, sizeof *basis);
    gram = dlg_allocate(n * n + H, sizeof *gram);
    values = dlg_allocate(n, sizeof *values);
    if (!of.rows || !of.parts || !basis || !gram || !values) status = residuals_no_memory(err);
    if (!status) make(s, &of);
    if (!status) status = judge_dependence(s, &of, basis, gram, values, err);
    if (!status) status = dlg_attention_parts_find(of.parts, s->gradient, n, of.rows, dlg_tolerance_dependent(), err);
    if (!status) judge_parts(s, &of);
out:
    dlg_free(of.token);
    dlg_free(of.rows);
    dlg_free(of.parts);
    dlg_free(basis);
    dlg_free(gram);
    dlg_free(values);
    return status;
}
