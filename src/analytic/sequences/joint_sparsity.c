#include "analytic/sequences/joint_sparsity.h"

#include "analytic/sequences/attention_parts.h"
#include "analytic/tokens/inputs.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/solve.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

/* An input depends on no other where all but this part of it is its own. */
static const double not_its_own = 1e-3;

/* What keeps rounding out of the shares, and the weight that an atom never falls below. */
static const double ridge = 1e-9, least_weight = 1e-6;

enum {
    ROUNDS = 8,
    SPREAD_FROM = 2, /* the first rounds' shares are of everybody */
    REFINED = 3,     /* times a sentence is made of what its own tokens say */
    LEAST_KNOWN = 3  /* one of so many places */
};

/* Of a weight, the part that comes by two steps. */
static const double spread = 0.3;

/* What a place of a found sentence weighs beside another. */
static const double found_weight = 0.1;

struct dlg_joint_sparsity {
    const dlg_model *model;
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    size_t H, T, heads, n;
    double *inputs;                      /* (n, H) */
    double *queries_and_keys;            /* (2, n, H) */
    double *parts;                       /* (n, 2 H) dq_p and dk_p */
    bool *is_known;                      /* (n) its part is of nothing else */
    bool *is_found;                      /* (n) */
    dlg_real *shares, *spread, *between; /* (n, n) */
    double *weights, *along;             /* (n) */
    size_t *index, *choice;              /* (T) */
};

/* ---- what belongs to every place ---- */

static void make_inputs(dlg_joint_sparsity *o, const double *inputs)
{
    if (inputs) {
        memcpy(o->inputs, inputs, o->n * o->H * sizeof *o->inputs);
        return;
    }
    const dlg_inputs in = dlg_inputs_of(o->model);
    const dlg_candidates *c = o->candidates;
    for (size_t t = 0; t < o->T; t++)
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
            (void)dlg_input_at(&in, c->token[i], t, c->type[i], o->inputs + i * o->H);
}

/* @param[out] n_known places whose input is no combination of the others' */
static dlg_status find_known(dlg_joint_sparsity *o, size_t *n_known, dlg_error *err)
{
    const size_t n = o->n, H = o->H;
    double *gram = dlg_allocate(n * n, sizeof *gram), *values = dlg_allocate(n, sizeof *values);
    dlg_status status = gram && values ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "joint sparsity: no memory");
    for (size_t i = 0; !status && i < n; i++)
        for (size_t j = 0; j <= i; j++)
            gram[i * n + j] = gram[j * n + i] = dlg_dot_of_doubles(H, o->inputs + i * H, o->inputs + j * H);
    if (!status) status = dlg_symmetric_eigen(n, gram, values, err);
    const double part = dlg_tolerance_dependent_input(), least = status || !n ? 0 : part * part * values[n - 1];
    *n_known = 0;
    for (size_t i = 0; !status && i < n; i++) {
        double own = 0;
        for (size_t k = 0; k < n; k++)
            if (values[k] > least) own += gram[i * n + k] * gram[i * n + k];
        o->is_known[i] = own > 1 - not_its_own;
        *n_known += o->is_known[i];
    }
    dlg_free(values);
    dlg_free(gram);
    return status;
}

/* ---- shares ---- */

/* sum (n) += shares of atoms in one head's part of a place's dq (which 0) or dk (1). */
static void add_head(const dlg_joint_sparsity *o, size_t place, size_t which, size_t head, const double *weights,
                     double *x, double *scratch, double *sum)
{
    const size_t H = o->H, d = H / o->heads, n = o->n;
    const double *by = o->queries_and_keys + (1 - which) * n * H + head * d,
                 *b = o->parts + (place * 2 + which) * H + head * d;
    if (!dlg_solve_weighted(d, n, by, H, weights, ridge, b, x, scratch)) return;
    const double all = dlg_dot_of_doubles(n, x, x);
    for (size_t j = 0; j < n && all > 0; j++) sum[j] += x[j] * x[j] / all / (2 * (double)o->heads);
}

/* between (n, n) := shares by the weights that `shares` are. @return false without memory */
static bool solve_places(dlg_joint_sparsity *o)
{
    const size_t n = o->n, d = o->H / o->heads;
    bool has_memory = true;
    memset(o->between, 0, n * n * sizeof *o->between);
#pragma omp parallel num_threads(dlg_blas_threads())
    {
        double *weights = dlg_allocate(3 * n + d * (n + d + 1), sizeof *weights);
        double *x = weights + n, *sum = x + n, *scratch = sum + n;
        if (!weights) {
#pragma omp atomic write
            has_memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t p = 0; p < n; p++) {
            if (!weights || !o->is_known[p] || o->is_found[p] || dlg_is_interrupted()) continue;
            double most = 0;
            for (size_t j = 0; j < n; j++) {
                weights[j] = sqrt((double)o->shares[p * n + j]);
                most = fmax(most, weights[j]);
                sum[j] = 0;
            }
            for (size_t j = 0; j < n; j++) weights[j] = fmax(weights[j] / most, least_weight);
            for (size_t g = 0; g < 2 * o->heads; g++)
                add_head(o, p, g / o->heads, g % o->heads, weights, x, scratch, sum);
            for (size_t j = 0; j < n; j++) o->between[p * n + j] = (dlg_real)sum[j];
        }
        dlg_free(weights);
    }
    return has_memory;
}

/* Divide a symmetric matrix by the square roots of its rows' sums. */
static void balance(dlg_joint_sparsity *o, dlg_real *a)
{
    const size_t n = o->n;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += (double)a[i * n + j];
        o->weights[i] = sum > 0 ? 1 / sqrt(sum) : 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) a[i * n + j] *= (dlg_real)(o->weights[i] * o->weights[j]);
}

static bool says(const dlg_joint_sparsity *o, size_t p)
{
    return o->is_known[p] && !o->is_found[p];
}

/* shares := between, the same for both of a pair */
static void share(dlg_joint_sparsity *o, size_t round)
{
    const size_t n = o->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const dlg_real sum = o->between[i * n + j] + o->between[j * n + i];
            o->shares[i * n + j] = says(o, i) && says(o, j) ? sum / 2 : sum;
        }
    balance(o, o->shares);
    if (round < SPREAD_FROM) return;
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, n, n, 1, o->shares, n, o->shares, n, 0, o->spread, n);
    balance(o, o->spread);
    for (size_t i = 0; i < n * n; i++)
        o->shares[i] = (dlg_real)((1 - spread) * (double)o->shares[i] + spread * (double)o->spread[i]);
}

static dlg_status find_shares(dlg_joint_sparsity *o, const dlg_sequences *found, dlg_error *err)
{
    const size_t n = o->n;
    dlg_status status = DLG_OK;
    memset(o->is_found, 0, n * sizeof *o->is_found);
    for (size_t b = 0; b < found->n; b++)
        for (size_t t = 0; t < found->lengths[b]; t++) o->is_found[found->index[b * o->T + t]] = true;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) o->shares[i * n + j] = o->is_found[j] ? (dlg_real)found_weight : 1;
    for (size_t round = 0; round < ROUNDS && !status; round++) {
        if (!solve_places(o)) return dlg_fail(err, DLG_ENOMEM, "joint sparsity: no memory");
        share(o, round);
        status = dlg_check_interrupt(err);
    }
    return status;
}

/* ---- sentences ---- */

static double of(const dlg_joint_sparsity *o, size_t i)
{
    return o->along[i] * (o->is_found[i] ? found_weight : 1);
}

/* The candidate at t of a sentence of that length with the largest share; the position's end where none may stand
 * there. length 0: any */
static size_t best_at(const dlg_joint_sparsity *o, size_t t, size_t length)
{
    const dlg_candidates *c = o->candidates;
    size_t best = c->first[t + 1];
    for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
        if ((!length || dlg_special_tokens_allow(o->special, c->token[i], t, length)) &&
            (best == c->first[t + 1] || of(o, i) > of(o, best)))
            best = i;
    return best;
}

/* choice := the sentence whose places have more of `along`, and those behind its end less, than of any other length.
 * @return its length; 0: none */
static size_t assemble(dlg_joint_sparsity *o, double *outside)
{
    const size_t *first = o->candidates->first;
    double inner = 0, rest = 0, most = -INFINITY, all = 0;
    size_t length = 0;
    for (size_t t = 0; t < o->T; t++)
        if (first[t + 1] > first[t]) rest += of(o, best_at(o, t, 0));
    for (size_t i = 0; i < o->n; i++) all += of(o, i);
    for (size_t t = 0; t < o->T; t++) {
        if (first[t + 1] > first[t]) rest -= of(o, best_at(o, t, 0));
        const size_t last = best_at(o, t, t + 1), best = best_at(o, t, o->T + 1);
        if (t && last < first[t + 1] && inner + of(o, last) - rest > most) {
            most = inner + of(o, last) - rest;
            length = t + 1;
            *outside = 1 - (inner + of(o, last)) / all;
            memcpy(o->index, o->choice, t * sizeof *o->index);
            o->index[t] = last;
        }
        if (best == first[t + 1]) break;
        o->choice[t] = best;
        inner += of(o, best);
    }
    return length;
}

static dlg_status propose_from(dlg_joint_sparsity *o, dlg_sequences *out, size_t place, dlg_error *err)
{
    const size_t n = o->n;
    dlg_status status = DLG_OK;
    for (size_t j = 0; j < n; j++) o->along[j] = (double)o->shares[place * n + j];
    for (size_t k = 0; k < REFINED && !status; k++) {
        double outside = 0;
        const size_t length = assemble(o, &outside);
        if (!length) break;
        if (!dlg_sequences_has(out, length, o->index)) status = dlg_sequences_add(out, length, o->index, outside, err);
        memset(o->along, 0, n * sizeof *o->along);
        for (size_t t = 0; t < length; t++)
            for (size_t j = 0; says(o, o->index[t]) && j < n; j++)
                o->along[j] += (double)o->shares[o->index[t] * n + j];
    }
    return status;
}

dlg_status dlg_joint_sparsity_propose(dlg_sequences *out, dlg_joint_sparsity *o, const dlg_sequences *found,
                                      dlg_error *err)
{
    *out = (dlg_sequences){.n_positions = found->n_positions};
    dlg_status status = find_shares(o, found, err);
    for (size_t p = 0; p < o->n && !status; p++)
        if (says(o, p)) status = propose_from(o, out, p, err);
    if (status) dlg_sequences_release(out);
    return status;
}

/* ---- life ---- */

static bool allocate(dlg_joint_sparsity *o)
{
    const size_t n = o->n, H = o->H;
    o->inputs = dlg_allocate(n * H, sizeof *o->inputs);
    o->queries_and_keys = dlg_allocate(2 * n * H, sizeof *o->queries_and_keys);
    o->parts = dlg_allocate(2 * n * H, sizeof *o->parts);
    o->is_known = dlg_allocate(n, sizeof *o->is_known);
    o->is_found = dlg_allocate(n, sizeof *o->is_found);
    o->shares = dlg_allocate(n * n, sizeof *o->shares);
    o->spread = dlg_allocate(n * n, sizeof *o->spread);
    o->between = dlg_allocate(n * n, sizeof *o->between);
    o->weights = dlg_allocate(n, sizeof *o->weights);
    o->along = dlg_allocate(n, sizeof *o->along);
    o->index = dlg_allocate(o->T, sizeof *o->index);
    o->choice = dlg_allocate(o->T, sizeof *o->choice);
    return o->inputs && o->queries_and_keys && o->parts && o->is_known && o->is_found && o->shares && o->spread &&
           o->between && o->weights && o->along && o->index && o->choice;
}

static bool is_plain(const dlg_candidates *c, dlg_special_tokens special)
{
    for (size_t i = 0; i < c->first[c->n_positions]; i++)
        if (c->type[i]) return false;
    return !special.framing;
}

dlg_status dlg_joint_sparsity_create(dlg_joint_sparsity **out, const dlg_gradient *gradient,
                                     const dlg_candidates *candidates, const double *inputs, dlg_special_tokens special,
                                     dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const size_t n = candidates->first[candidates->n_positions];
    size_t n_known = 0;
    *out = NULL;
    if (!dlg_attention_parts_are_there(gradient) || !n || n > 2 * config->hidden_size || !is_plain(candidates, special))
        return DLG_OK;
    dlg_joint_sparsity *o = dlg_allocate(1, sizeof *o);
    if (!o) return dlg_fail(err, DLG_ENOMEM, "joint sparsity: no memory");
    *o = (dlg_joint_sparsity){.model = gradient->model,
                              .candidates = candidates,
                              .special = special,
                              .H = config->hidden_size,
                              .T = candidates->n_positions,
                              .heads = config->n_heads,
                              .n = n};
    dlg_status status = allocate(o) ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "joint sparsity: no memory");
    if (!status) {
        make_inputs(o, inputs);
        status = find_known(o, &n_known, err);
    }
    if (!status && n_known * LEAST_KNOWN >= n) {
        dlg_attention_project(o->queries_and_keys, o->model, n, o->inputs, 0);
        status = dlg_attention_parts_find(o->parts, gradient, n, o->inputs, dlg_tolerance_dependent_input(), err);
        if (!status) *out = o;
    }
    if (!*out) dlg_joint_sparsity_free(o);
    return status;
}

void dlg_joint_sparsity_free(dlg_joint_sparsity *o)
{
    if (!o) return;
    dlg_free(o->choice);
    dlg_free(o->index);
    dlg_free(o->along);
    dlg_free(o->weights);
    dlg_free(o->between);
    dlg_free(o->spread);
    dlg_free(o->shares);
    dlg_free(o->is_found);
    dlg_free(o->is_known);
    dlg_free(o->parts);
    dlg_free(o->queries_and_keys);
    dlg_free(o->inputs);
    dlg_free(o);
}
