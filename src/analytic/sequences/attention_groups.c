#include "analytic/sequences/attention_groups.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "analytic/sequences/attention_parts.h"
#include "analytic/sequences/joint_sparsity.h"
#include "analytic/sequences/sequence_assembly.h"
#include "analytic/tokens/inputs.h"
#include "math/blas.h"
#include "math/solve.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

/* By then terms that have no part in a row have come down to rounding. */
enum { REWEIGHTED = 8 };

/* What keeps rounding out of the coefficients, and the weight that a term never falls below. */
static const double ridge = 1e-12, least_weight = 1e-6;

struct dlg_attention_groups {
    dlg_joint_sparsity *joint; /* where places are known: then nothing else is there */
    const dlg_model *model;
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    size_t H, T, heads, n_types, n_tokens, n_terms; /* terms: tokens, positions, types but for the first, beta */
    uint32_t *token;                                /* (n_tokens) ascending */
    size_t *slot;                                   /* (candidates) index into token */
    double *terms;                                  /* (n_terms, H) */
    double *queries_and_keys;                       /* (2, n_terms, H) what the terms become there */
    double *parts;                                  /* (n_terms, 2 H) what of dWq and dWk belongs to a term */
    double least;                                   /* norm of a part below which a term was not there */
    /* of a proposal */
    size_t n_rows, *row_of; /* components, and each token's and position's */
    double *rows;           /* (n_rows, 2 H) what is left of the parts */
    /* of a row */
    double *weights; /* (n_terms) */
    double *values;  /* (2 heads, n_terms) its coefficients, group by group */
    double *scratch;
    double *of_tokens, *of_positions; /* (n_tokens, 2 heads), (T, 2 heads) */
    size_t *index;                    /* (T) */
};

static double norm(size_t n, const double *x)
{
    return sqrt(dlg_dot_of_doubles(n, x, x));
}

static dlg_status list_tokens(dlg_attention_groups *o, dlg_error *err)
{
    const dlg_candidates *c = o->candidates;
    const size_t n = c->first[c->n_positions];
    const dlg_status status = dlg_candidates_tokens(&o->token, &o->n_tokens, c, err);
    if (status) return status;
    o->slot = dlg_allocate(n, sizeof *o->slot);
    if (!o->slot) return dlg_fail(err, DLG_ENOMEM, "co-occurrence: no memory");
    for (size_t i = 0; i < n; i++) o->slot[i] = dlg_candidates_token_index(o->n_tokens, o->token, c->token[i]);
    return DLG_OK;
}

static void make_terms(dlg_attention_groups *o)
{
    const dlg_inputs in = dlg_inputs_of(o->model);
    const size_t H = o->H, n = o->n_terms - 1;
    for (size_t i = 0; i < o->n_tokens; i++) dlg_input_of_token(&in, o->token[i], o->terms + i * H);
    for (size_t t = 0; t < o->T; t++) dlg_input_of_position(&in, t, 0, o->terms + (o->n_tokens + t) * H);
    for (size_t k = 1; k < o->n_types; k++) dlg_input_of_type(&in, k, o->terms + (o->n_tokens + o->T + k - 1) * H);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < H; i++) o->terms[r * H + i] *= (double)in.gamma[i];
    for (size_t i = 0; i < H; i++) o->terms[n * H + i] = (double)in.beta[i];
}

/* ---- what is left of them besides the found sentences ---- */

static void unite(dlg_attention_groups *o, size_t a, size_t b)
{
    const size_t kept = o->row_of[a], gone = o->row_of[b];
    for (size_t r = 0; r < o->n_tokens + o->T; r++)
        if (o->row_of[r] == gone) o->row_of[r] = kept;
}

/* A component's row is what its positions have and its tokens have not. */
static void form_rows(dlg_attention_groups *o, const dlg_sequences *found)
{
    const size_t width = 2 * o->H, n = o->n_tokens + o->T;
    for (size_t r = 0; r < n; r++) o->row_of[r] = r;
    for (size_t b = 0; b < found->n; b++)
        for (size_t t = 0; t < found->lengths[b]; t++) unite(o, o->slot[found->index[b * o->T + t]], o->n_tokens + t);
    o->n_rows = 0;
    for (size_t r = 0; r < n; r++) {
        if (o->row_of[r] != r) continue;
        double *row = o->rows + o->n_rows++ * width;
        memset(row, 0, width * sizeof *row);
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; o->row_of[k] == r && i < width; i++)
                row[i] += (k < o->n_tokens ? -1 : 1) * o->parts[k * width + i];
    }
}

/* ---- coefficients ---- */

/*
 * Of a row, the coefficients of a head of its queries' part by the terms of keys, where those of beta add up to nothing
 * (a softmax's scores may all be raised alike), or of its keys' part by those of queries.
 */
static bool solve_group(dlg_attention_groups *o, size_t row, size_t which, size_t head)
{
    const size_t H = o->H, d = H / o->heads, n = which ? o->n_terms : o->n_terms - 1;
    const double *by = o->queries_and_keys + (1 - which) * o->n_terms * H + head * d,
                 *b = o->rows + (row * 2 + which) * H + head * d;
    double *values = o->values + (which * o->heads + head) * o->n_terms;
    if (!dlg_solve_weighted(d, n, by, H, o->weights, ridge, b, values, o->scratch)) return false;
    const double size = norm(d, b);
    for (size_t r = 0; r < n; r++) values[r] /= size > 0 ? size : 1;
    return true;
}

/* Coefficients of few terms: those that came out small weigh less the next time, alike in all groups (FOCUSS,
 * Gorodnitsky & Rao 1997). @return false where the equations cannot be solved */
static bool solve_row(dlg_attention_groups *o, size_t row)
{
    const size_t groups = 2 * o->heads;
    for (size_t r = 0; r < o->n_terms; r++) o->weights[r] = 1;
    for (size_t k = 0; k < REWEIGHTED; k++) {
        double most = 0;
        for (size_t g = 0; g < groups; g++)
            if (!solve_group(o, row, g / o->heads, g % o->heads)) return false;
        for (size_t r = 0; r + 1 < o->n_terms; r++) {
            double sum = 0;
            for (size_t g = 0; g < groups; g++) sum += o->values[g * o->n_terms + r] * o->values[g * o->n_terms + r];
            o->weights[r] = sqrt(sum);
            most = fmax(most, o->weights[r]);
        }
        if (!(most > 0)) return false;
        o->weights[o->n_terms - 1] = most;
        for (size_t r = 0; r < o->n_terms; r++) o->weights[r] = fmax(o->weights[r] / most, least_weight);
    }
    return true;
}

/* ---- proposals ---- */

/* The coefficients of the row, every group's of norm 1. */
static void take_values(dlg_attention_groups *o)
{
    const size_t groups = 2 * o->heads;
    for (size_t g = 0; g < groups; g++) {
        const double *v = o->values + g * o->n_terms, size = norm(o->n_terms - 1, v), scale = size > 0 ? 1 / size : 0;
        for (size_t r = 0; r < o->n_tokens; r++) o->of_tokens[r * groups + g] = scale * v[r];
        for (size_t t = 0; t < o->T; t++) o->of_positions[t * groups + g] = scale * v[o->n_tokens + t];
    }
}

static dlg_status arrange(dlg_attention_groups *o, dlg_sequences *out, dlg_error *err)
{
    dlg_sequence_assembly a = {.candidates = o->candidates,
                               .slot = o->slot,
                               .n_tokens = o->n_tokens,
                               .n_values = 2 * o->heads,
                               .of_tokens = o->of_tokens,
                               .of_positions = o->of_positions,
                               .special = o->special};
    dlg_status status = dlg_sequence_assembly_reserve(&a, err);
    for (size_t r = 0; !status && r < o->n_rows; r++) {
        double misfit;
        if (norm(2 * o->H, o->rows + r * 2 * o->H) < o->least || !solve_row(o, r)) continue;
        take_values(o);
        const size_t length = dlg_sequence_assembly_find(&a, o->index, &misfit);
        status = dlg_check_interrupt(err);
        if (!status && length) status = dlg_sequences_add(out, length, o->index, sqrt(misfit), err);
    }
    dlg_sequence_assembly_release(&a);
    return status;
}

dlg_status dlg_attention_groups_propose(dlg_sequences *out, dlg_attention_groups *o, const dlg_sequences *found,
                                        dlg_error *err)
{
    *out = (dlg_sequences){.n_positions = found->n_positions};
    if (!o) return DLG_OK;
    if (o->joint) return dlg_joint_sparsity_propose(out, o->joint, found, err);
    form_rows(o, found);
    const dlg_status status = arrange(o, out, err);
    if (status) dlg_sequences_release(out);
    return status;
}

static size_t count_types(const dlg_candidates *c)
{
    size_t n = 1;
    for (size_t i = 0; i < c->first[c->n_positions]; i++) n = c->type[i] >= n ? c->type[i] + 1 : n;
    return n;
}

dlg_status dlg_attention_groups_create(dlg_attention_groups **out, const dlg_gradient *gradient,
                                       const dlg_candidates *candidates, dlg_special_tokens special, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    *out = NULL;
    dlg_attention_groups *o = dlg_allocate(1, sizeof *o);
    if (!o) return dlg_fail(err, DLG_ENOMEM, "co-occurrence: no memory");
    *o = (dlg_attention_groups){.model = gradient->model,
                                .candidates = candidates,
                                .special = special,
                                .H = config->hidden_size,
                                .T = candidates->n_positions,
                                .n_types = count_types(candidates),
                                .heads = config->n_heads};
    dlg_status status = dlg_joint_sparsity_create(&o->joint, gradient, candidates, NULL, special, err);
    if (!status && o->joint) *out = o;
    if (status || o->joint) goto out;
    status = list_tokens(o, err);
    const size_t d = o->H / o->heads;
    o->n_terms = o->n_tokens + o->T + o->n_types;
    if (status || !dlg_attention_parts_are_there(gradient) || o->n_terms > o->H) goto out;
    o->terms = dlg_allocate(o->n_terms * o->H, sizeof *o->terms);
    o->queries_and_keys = dlg_allocate(2 * o->n_terms * o->H, sizeof *o->queries_and_keys);
    o->parts = dlg_allocate(o->n_terms * 2 * o->H, sizeof *o->parts);
    o->rows = dlg_allocate(o->n_terms * 2 * o->H, sizeof *o->rows);
    o->row_of = dlg_allocate(o->n_terms, sizeof *o->row_of);
    o->weights = dlg_allocate(o->n_terms, sizeof *o->weights);
    o->values = dlg_allocate(2 * o->heads * o->n_terms, sizeof *o->values);
    o->scratch = dlg_allocate(d * (o->n_terms + d + 1), sizeof *o->scratch);
    o->of_tokens = dlg_allocate(o->n_tokens * 2 * o->heads, sizeof *o->of_tokens);
    o->of_positions = dlg_allocate(o->T * 2 * o->heads, sizeof *o->of_positions);
    o->index = dlg_allocate(o->T, sizeof *o->index);
    if (!o->terms || !o->queries_and_keys || !o->parts || !o->rows || !o->row_of || !o->values || !o->of_tokens ||
        !o->of_positions || !o->weights || !o->scratch || !o->index) {
        status = dlg_fail(err, DLG_ENOMEM, "co-occurrence: no memory");
        goto out;
    }
    make_terms(o);
    dlg_attention_project(o->queries_and_keys, o->model, o->n_terms, o->terms, o->n_terms - 1);
    status = dlg_attention_parts_find(o->parts, gradient, o->n_terms, o->terms, dlg_tolerance_dependent(), err);
    for (size_t r = 0; !status && r < o->n_tokens + o->T; r++)
        o->least =
            fmax(o->least, dlg_tolerance_attention_part(gradient->roundoff) * norm(2 * o->H, o->parts + r * 2 * o->H));
    if (!status) *out = o;
out:
    if (!*out) dlg_attention_groups_free(o);
    return status;
}

void dlg_attention_groups_free(dlg_attention_groups *o)
{
    if (!o) return;
    dlg_joint_sparsity_free(o->joint);
    dlg_free(o->index);
    dlg_free(o->of_positions);
    dlg_free(o->of_tokens);
    dlg_free(o->scratch);
    dlg_free(o->values);
    dlg_free(o->weights);
    dlg_free(o->row_of);
    dlg_free(o->rows);
    dlg_free(o->parts);
    dlg_free(o->queries_and_keys);
    dlg_free(o->terms);
    dlg_free(o->slot);
    dlg_free(o->token);
    dlg_free(o);
}
