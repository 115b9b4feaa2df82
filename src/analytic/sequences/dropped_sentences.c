#include "analytic/sequences/dropped_sentences.h"

#include "analytic/sequences/attention_parts.h"
#include "analytic/sequences/joint_sparsity.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum {
    ROOM = 4,   /* directions of a head that a sentence must leave, for its span to say anything */
    REFINED = 6 /* times a sentence is chosen anew by the span of the one before */
};

/* Of dq_p and dk_p, what may lie outside of the span of p's own sentence, by squares: a choice between rounding, which
 * is far less, and what another sentence's place leaves, which is of the order of 1. */
static const double proved = 1e-4;

typedef struct {
    const dlg_gradient *gradient;
    const dlg_dropped_inputs *in;
    dlg_special_tokens special;
    size_t H, d, heads, n, T;
    dlg_candidates places;    /* the inputs as candidates of their positions */
    double *queries, *keys;   /* (n, H) each of one block, without their biases */
    double *parts;            /* (n, 2 H) dq_p and dk_p */
    double *basis;            /* (2, heads, d, d) of the spans in turn: columns, transposed */
    size_t n_keys, n_queries; /* of these, how many; 0: too many to say anything */
    double *column;           /* (d, d) scratch */
    double *outside;          /* (n) of the last span */
    bool *is_used;            /* (n) by a sentence that was found */
    size_t *choice;           /* (T) */
} grouping;

/* ---- spans ---- */

/* out (n, d) := an orthonormal basis of the n columns in `column` (d, n), row by row. */
static dlg_status orthonormal(grouping *g, size_t n, double *out, dlg_error *err)
{
    const dlg_status status = dlg_orthonormalise(g->d, n, g->column, err);
    for (size_t k = 0; !status && k < n; k++)
        for (size_t i = 0; i < g->d; i++) out[k * g->d + i] = g->column[i * n + k];
    return status;
}

/* What the queries of a sentence can be made of, and its keys: head by head. */
static dlg_status make_spans(grouping *g, size_t length, const size_t *index, dlg_error *err)
{
    const size_t d = g->d, H = g->H;
    const dlg_real *bias = g->gradient->model->roles.blocks[0].query.bias->value;
    dlg_status status = DLG_OK;
    g->n_keys = length - 1 + ROOM <= d ? length - 1 : 0;
    g->n_queries = length + 1 + ROOM <= d ? length + 1 : 0;
    for (size_t h = 0; h < g->heads && !status; h++) {
        double *keys = g->basis + h * d * d, *queries = g->basis + (g->heads + h) * d * d;
        const size_t first = h * d;
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < g->n_keys; j++)
                g->column[i * g->n_keys + j] =
                    g->keys[index[j + 1] * H + first + i] - g->keys[index[0] * H + first + i];
        if (g->n_keys) status = orthonormal(g, g->n_keys, keys, err);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < g->n_queries; j++)
                g->column[i * g->n_queries + j] =
                    j < length ? g->queries[index[j] * H + first + i] : (double)bias[first + i];
        if (g->n_queries && !status) status = orthonormal(g, g->n_queries, queries, err);
    }
    return status;
}

/* ||part||^2, less what lies in the span of n rows of basis. */
static double take_out(size_t n, size_t d, const double *basis, const double *part)
{
    double left = dlg_dot_of_doubles(d, part, part);
    for (size_t k = 0; k < n; k++) {
        const double along = dlg_dot_of_doubles(d, basis + k * d, part);
        left -= along * along;
    }
    return fmax(left, 0);
}

static void find_outside(grouping *g)
{
    const size_t d = g->d, H = g->H;
    for (size_t p = 0; p < g->n; p++) {
        double left = 0, all = 0;
        for (size_t h = 0; h < g->heads; h++) {
            const double *dq = g->parts + p * 2 * H + h * d, *dk = dq + H;
            left += take_out(g->n_keys, d, g->basis + h * d * d, dq);
            all += dlg_dot_of_doubles(d, dq, dq);
            if (!g->n_queries) continue;
            left += take_out(g->n_queries, d, g->basis + (g->heads + h) * d * d, dk);
            all += dlg_dot_of_doubles(d, dk, dk);
        }
        g->outside[p] = all > 0 ? left / all : 1;
    }
}

/* ---- sentences ---- */

/* The unused place at t that lies least outside, and may stand there in a sentence of that length. @return the
 * position's end where there is none */
static size_t best_at(const grouping *g, size_t t, size_t length)
{
    const size_t end = g->places.first[t + 1];
    size_t best = end;
    for (size_t i = g->places.first[t]; i < end; i++)
        if (!g->is_used[i] && dlg_special_tokens_allow(g->special, g->in->token[i], t, length) &&
            (best == end || g->outside[i] < g->outside[best]))
            best = i;
    return best;
}

/* choice (length) := of each position the one that lies least outside, of the length at which these do on average.
 * @return 0 where no sentence can be made */
static size_t choose(grouping *g, size_t *choice)
{
    double sum = 0, least = INFINITY;
    size_t length = 0, end = 0;
    for (size_t t = 0; t < g->T; t++) {
        const size_t last = best_at(g, t, t + 1), inner = best_at(g, t, g->T + 1);
        if (t > 1 && last < g->places.first[t + 1] && (sum + g->outside[last]) / (double)(t + 1) < least) {
            least = (sum + g->outside[last]) / (double)(t + 1);
            length = t + 1;
            end = last;
        }
        if (inner == g->places.first[t + 1]) break;
        sum += g->outside[inner];
        choice[t] = inner;
    }
    if (length) choice[length - 1] = end;
    return length;
}

static double worst_of(const grouping *g, size_t length, const size_t *index)
{
    double worst = 0;
    for (size_t t = 0; t < length; t++) worst = fmax(worst, g->outside[index[t]]);
    return worst;
}

/* Refine a proposal until it is proved, or stays as it is. index (T) @return whether it is proved */
static dlg_status refine(grouping *g, size_t *length, size_t *index, bool *is_proved, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *is_proved = false;
    for (size_t n = 0; n < REFINED && !status && !*is_proved; n++) {
        status = make_spans(g, *length, index, err);
        if (status || !g->n_keys) return status;
        find_outside(g);
        bool is_free = true;
        for (size_t t = 0; t < *length; t++) is_free &= !g->is_used[index[t]];
        *is_proved = is_free && worst_of(g, *length, index) < proved;
        if (*is_proved) break;
        const size_t next = choose(g, g->choice);
        if (!next || (next == *length && !memcmp(index, g->choice, next * sizeof *index))) break;
        *length = next;
        memcpy(index, g->choice, next * sizeof *index);
    }
    return status;
}

static dlg_status keep(grouping *g, dlg_sequences *out, size_t length, const size_t *index, double outside,
                       dlg_error *err)
{
    for (size_t t = 0; t < length; t++) g->is_used[index[t]] = true;
    return dlg_sequences_add(out, length, index, outside, err);
}

/* What is left may be one sentence, and then that was there. */
static dlg_status keep_last(grouping *g, dlg_sequences *out, bool *any, dlg_error *err)
{
    size_t length = 0, n = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->is_used[i]) continue;
        if (g->in->position[i] == n && n < g->T) g->choice[n] = i, length = n + 1;
        n++;
    }
    *any = length > 1 && length == n && g->n == g->in->rank && g->in->token[g->choice[length - 1]] == g->special.end;
    for (size_t b = 0; b < out->n && *any; b++) *any = out->outside[b] == 0;
    return *any ? keep(g, out, length, g->choice, 0, err) : DLG_OK;
}

static dlg_status keep_proved(grouping *g, dlg_sequences *out, const dlg_sequences *proposals, bool *any,
                              dlg_error *err)
{
    dlg_status status = DLG_OK;
    size_t *index = dlg_allocate(g->T, sizeof *index);
    if (!index) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t k = 0; k < proposals->n && !status; k++) {
        size_t length = proposals->lengths[k];
        bool is_proved;
        memcpy(index, proposals->index + k * g->T, length * sizeof *index);
        status = refine(g, &length, index, &is_proved, err);
        if (!status && is_proved) status = keep(g, out, length, index, 0, err);
        *any |= !status && is_proved;
        if (!status) status = dlg_check_interrupt(err);
    }
    dlg_free(index);
    return status;
}

/* The best proposal that is free of what was found. */
static dlg_status keep_best(grouping *g, dlg_sequences *out, const dlg_sequences *proposals, bool *any, dlg_error *err)
{
    size_t best = proposals->n;
    for (size_t k = 0; k < proposals->n; k++) {
        const size_t *index = proposals->index + k * g->T;
        bool is_free = true;
        for (size_t t = 0; t < proposals->lengths[k] && is_free; t++) is_free = !g->is_used[index[t]];
        if (is_free && (best == proposals->n || proposals->outside[k] < proposals->outside[best])) best = k;
    }
    *any = best < proposals->n;
    return *any ? keep(g, out, proposals->lengths[best], proposals->index + best * g->T, 1, err) : DLG_OK;
}

static dlg_status find_sentences(grouping *g, dlg_sequences *out, dlg_joint_sparsity *joint, dlg_error *err)
{
    bool any;
    dlg_status status = keep_last(g, out, &any, err);
    while (joint && !status) {
        dlg_sequences proposals = {0};
        any = false;
        status = dlg_joint_sparsity_propose(&proposals, joint, out, err);
        if (!status) status = keep_proved(g, out, &proposals, &any, err);
        if (!status && !any) status = keep_last(g, out, &any, err);
        if (!status && !any) status = keep_best(g, out, &proposals, &any, err);
        dlg_sequences_release(&proposals);
        if (!any) break;
    }
    return status;
}

/* ---- life ---- */

static bool allocate(grouping *g)
{
    const size_t n = g->n, H = g->H, d = g->d, T = g->T;
    g->queries = dlg_allocate(2 * n * H, sizeof *g->queries);
    g->keys = g->queries + n * H;
    g->parts = dlg_allocate(2 * n * H, sizeof *g->parts);
    g->basis = dlg_allocate(2 * g->heads * d * d, sizeof *g->basis);
    g->column = dlg_allocate(d * d, sizeof *g->column);
    g->outside = dlg_allocate(n, sizeof *g->outside);
    g->is_used = dlg_allocate(n, sizeof *g->is_used);
    g->choice = dlg_allocate(T, sizeof *g->choice);
    g->places = (dlg_candidates){.n_positions = T,
                                 .first = dlg_allocate(T + 1, sizeof *g->places.first),
                                 .token = dlg_allocate(n, sizeof *g->places.token),
                                 .type = dlg_allocate(n, sizeof *g->places.type),
                                 .outside = dlg_allocate(n, sizeof *g->places.outside),
                                 .certain = dlg_allocate(T, sizeof *g->places.certain),
                                 .rank = g->in->rank,
                                 .sees = true};
    return g->queries && g->parts && g->basis && g->column && g->outside && g->is_used && g->choice &&
           g->places.first && g->places.token && g->places.type && g->places.outside && g->places.certain;
}

static void release(grouping *g)
{
    dlg_candidates_release(&g->places);
    dlg_free(g->queries);
    dlg_free(g->parts);
    dlg_free(g->basis);
    dlg_free(g->column);
    dlg_free(g->outside);
    dlg_free(g->is_used);
    dlg_free(g->choice);
}

static void fill_places(grouping *g)
{
    for (size_t i = 0; i < g->n; i++) {
        g->places.token[i] = g->in->token[i];
        g->places.first[g->in->position[i] + 1]++;
    }
    for (size_t t = 0; t < g->T; t++) g->places.first[t + 1] += g->places.first[t];
}

/* Proposals take the inputs as they went in, also by their size. */
static dlg_status propose_with(dlg_joint_sparsity **out, const grouping *g, dlg_error *err)
{
    const size_t n = g->n * g->H;
    const double kept = 1 - (double)g->in->n_dropped / (double)n;
    double *inputs = dlg_allocate(n, sizeof *inputs);
    *out = NULL;
    if (!inputs) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t i = 0; i < n; i++) inputs[i] = g->in->input[i] / kept;
    const dlg_status status = dlg_joint_sparsity_create(out, g->gradient, &g->places, inputs, g->special, err);
    dlg_free(inputs);
    return status;
}

dlg_status dlg_dropped_sentences_find(dlg_sequences *out, const dlg_gradient *gradient, const dlg_dropped_inputs *in,
                                      dlg_special_tokens special, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const size_t heads = config->n_heads;
    grouping g = {.gradient = gradient,
                  .in = in,
                  .special = special,
                  .H = in->H,
                  .d = in->H / heads,
                  .heads = heads,
                  .n = in->n,
                  .T = in->n_positions};
    dlg_joint_sparsity *joint = NULL;
    *out = (dlg_sequences){.n_positions = in->n_positions};
    if (!in->n || !dlg_attention_parts_are_there(gradient)) return DLG_OK;
    dlg_status status = allocate(&g) ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    if (!status) {
        fill_places(&g);
        dlg_attention_project(g.queries, gradient->model, g.n, in->input, g.n);
        status = dlg_attention_parts_find(g.parts, gradient, g.n, in->input, dlg_tolerance_dependent_input(), err);
    }
    if (!status) status = propose_with(&joint, &g, err);
    if (!status) status = find_sentences(&g, out, joint, err);
    dlg_joint_sparsity_free(joint);
    release(&g);
    if (status) dlg_sequences_release(out);
    return status;
}
