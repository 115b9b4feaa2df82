#include "analytic/sequences/sequence_check.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "analytic/tokens/inputs.h"
#include "math/rank.h"
#include "math/spectrum.h"
#include "math/row_rounding.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/tolerance.h"
#include "models/architecture.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    BLOCK = 512,      /* rows computed at a time */
    LEAST_OUTSIDE = 8 /* directions: with fewer nothing can be told apart */
};

/*
 * A sentence is told from others where so many times what would still pass for rounding is less than what sets it apart
 * from the found ones, and where it is no more than what one wrong token brings outside: at least this part of the
 * rows, of the wrong sentences that dlg_tolerance_times_expected was measured with.
 */
static const double clearly = 10, one_token = 1e-4;

typedef struct {
    const dlg_real *weight, *bias;
    size_t n_out, n_in;
} linear;

struct dlg_sequence_check {
    const dlg_model *model;
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    size_t H, I, heads, rank, n_found;
    bool asks_all;    /* rows; else the first's or those of the mask token */
    bool asks_hidden; /* what the rows are inside layer 0's feed-forward part, not what comes out of it */
    size_t width;     /* of what is asked: I or H */
    linear output, intermediate, last;
    const dlg_real *attention_gamma, *attention_beta, *output_gamma, *output_beta;
    dlg_real *input;    /* (candidates, H) */
    double *exact;      /* (H) one of them */
    dlg_real *qkv;      /* (candidates, 3 H) */
    dlg_real *basis;    /* (rank <= H, width) */
    dlg_spectrum space; /* the basis in double: its first `rank` directions */
    double *form;       /* what rounding leaves outside it (row_rounding.h); NULL inside */
    dlg_real *found;    /* (n_found <= H, width) orthonormal rows of the found sentences */
    /* of a block */
    dlg_real *x, *context, *y, *wide, *first, *second, *along;
    double *row, *row_along; /* (width), (H): of one row */
    size_t *owner, *row_index;
    dlg_arena arena;
};

static linear linear_of(dlg_linear_role role)
{
    return (linear){role.weight->value, role.bias->value, role.weight->n_rows, role.weight->n_cols};
}

/* y (n, out) = x W^T + b */
static void apply(linear l, size_t n, const dlg_real *x, dlg_real *y)
{
    for (size_t i = 0; i < n; i++) memcpy(y + i * l.n_out, l.bias, l.n_out * sizeof *y);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, l.n_out, l.n_in, 1, x, l.n_in, l.weight, l.n_in, 1, y, l.n_out);
}

static void normalise(size_t n, size_t H, double eps, const dlg_real *gamma, const dlg_real *beta, dlg_real *x)
{
    for (size_t i = 0; i < n; i++, x += H) {
        double mean = 0, variance = 0;
        for (size_t k = 0; k < H; k++) mean += (double)x[k] / (double)H;
        for (size_t k = 0; k < H; k++) variance += ((double)x[k] - mean) * ((double)x[k] - mean) / (double)H;
        const double scale = 1 / sqrt(variance + eps);
        for (size_t k = 0; k < H; k++)
            x[k] = (dlg_real)(((double)x[k] - mean) * scale * (double)gamma[k] + (double)beta[k]);
    }
}

/* ---- what is asked of whom ---- */

static void carve(dlg_sequence_check *c)
{
    const size_t H = c->H, n = c->candidates->first[c->candidates->n_positions];
    c->input = dlg_arena_carve(&c->arena, n * H, sizeof *c->input);
    c->exact = dlg_arena_carve(&c->arena, H, sizeof *c->exact);
    c->qkv = dlg_arena_carve(&c->arena, n * 3 * H, sizeof *c->qkv);
    const size_t widest = H > c->I ? H : c->I;
    c->basis = dlg_arena_carve(&c->arena, H * widest, sizeof *c->basis);
    c->found = dlg_arena_carve(&c->arena, H * widest, sizeof *c->found);
    c->x = dlg_arena_carve(&c->arena, BLOCK * widest, sizeof *c->x);
    c->context = dlg_arena_carve(&c->arena, BLOCK * H, sizeof *c->context);
    c->y = dlg_arena_carve(&c->arena, BLOCK * widest, sizeof *c->y);
    c->wide = dlg_arena_carve(&c->arena, BLOCK * c->I, sizeof *c->wide);
    c->first = dlg_arena_carve(&c->arena, BLOCK * c->I, sizeof *c->first);
    c->second = dlg_arena_carve(&c->arena, BLOCK * c->I, sizeof *c->second);
    c->along = dlg_arena_carve(&c->arena, BLOCK * H, sizeof *c->along);
    c->owner = dlg_arena_carve(&c->arena, BLOCK, sizeof *c->owner);
    c->row_index = dlg_arena_carve(&c->arena, BLOCK, sizeof *c->row_index);
    c->row = dlg_arena_carve(&c->arena, widest, sizeof *c->row);
    c->row_along = dlg_arena_carve(&c->arena, H, sizeof *c->row_along);
}

/* The row space of n gradients (H, width) under each other; its rank is 0 where it leaves too little outside. */
static dlg_status take_row_space(dlg_sequence_check *c, const dlg_gradient *gradient, size_t n,
                                 const dlg_parameter *const matrices[], dlg_error *err)
{
    const size_t H = c->H, W = c->width;
    dlg_stack stack = {.n_blocks = n, .n_in = W};
    for (size_t i = 0; i < n; i++) {
        stack.blocks[i] = dlg_gradient_at(gradient, matrices[i]);
        stack.n_rows[i] = H;
        if (!stack.blocks[i]) return DLG_OK; /* frozen: nothing is seen */
    }
    const dlg_status status = dlg_spectrum_grow(&c->space, &stack, SIZE_MAX, gradient->roundoff, err);
    if (status) return status;
    c->rank = dlg_rank_visible(c->space.n, c->space.values, c->space.roundoff);
    if (c->rank + LEAST_OUTSIDE >= H) c->rank = 0;
    for (size_t i = 0; i < c->rank * W; i++) c->basis[i] = (dlg_real)c->space.vectors[i];
    if (c->asks_hidden || !c->rank) return DLG_OK;
    c->form = dlg_allocate(c->rank * c->rank, sizeof *c->form);
    return c->form ? dlg_row_rounding_find(c->form, &stack, c->rank, c->space.vectors, err)
                   : dlg_fail(err, DLG_ENOMEM, "sequence check: no memory");
}

static dlg_status find_row_space(dlg_sequence_check *c, const dlg_gradient *gradient, bool inside, dlg_error *err)
{
    const dlg_roles *roles = &c->model->roles;
    const dlg_config *config = &c->model->config;
    c->asks_all = config->n_layers > (inside ? 1 : 2);
    c->asks_hidden = inside;
    c->width = inside ? c->I : c->H;
    if (inside && (config->n_layers == 1 || c->I < c->H)) return DLG_OK;
    if (inside) return take_row_space(c, gradient, 1, &roles->blocks[0].narrow.weight, err);
    if (config->n_layers == 1) return take_row_space(c, gradient, 1, &roles->head.weight, err);
    const dlg_block_roles *behind = &roles->blocks[1];
    const dlg_parameter *const matrices[] = {behind->query.weight, behind->key.weight, behind->value.weight};
    return take_row_space(c, gradient, c->asks_all ? 3 : 1, matrices, err);
}

/* Inputs of layer 0 and their query, key and value, for every candidate. */
static void compute_inputs(dlg_sequence_check *c)
{
    const dlg_model *m = c->model;
    const dlg_block_roles *block = &m->roles.blocks[0];
    const dlg_linear_role parts[] = {block->query, block->key, block->value};
    const size_t H = c->H, n = c->candidates->first[c->candidates->n_positions];
    const dlg_inputs inputs = dlg_inputs_of(m);
    for (size_t t = 0; t < c->candidates->n_positions; t++)
        for (size_t i = c->candidates->first[t]; i < c->candidates->first[t + 1]; i++) {
            dlg_input_at(&inputs, c->candidates->token[i], t, c->candidates->type[i], c->exact);
            for (size_t k = 0; k < H; k++) c->input[i * H + k] = (dlg_real)c->exact[k];
        }
    for (size_t p = 0; p < 3 && !dlg_is_interrupted(); p++) {
        const dlg_real *w = parts[p].weight->value, *b = parts[p].bias->value;
        for (size_t i = 0; i < n; i++) memcpy(c->qkv + i * 3 * H + p * H, b, H * sizeof *b);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, H, H, 1, c->input, H, w, H, 1, c->qkv + p * H, 3 * H);
    }
}

dlg_status dlg_sequence_check_create(dlg_sequence_check **out, const dlg_gradient *gradient,
                                     const dlg_candidates *candidates, dlg_special_tokens special, bool inside,
                                     dlg_error *err)
{
    const dlg_model *m = gradient->model;
    *out = NULL;
    dlg_sequence_check *c = dlg_allocate(1, sizeof *c);
    if (!c) return dlg_fail(err, DLG_ENOMEM, "sequence check: no memory");
    const size_t H = m->config.hidden_size, I = m->config.intermediate_size;
    c->model = m;
    c->candidates = candidates;
    c->special = special;
    c->H = H;
    c->I = I;
    c->heads = m->config.n_heads;
    const dlg_block_roles *block = &m->roles.blocks[0];
    c->output = linear_of(block->output);
    c->intermediate = linear_of(block->wide);
    c->last = linear_of(block->narrow);
    c->attention_gamma = block->attention_norm.scale->value;
    c->attention_beta = block->attention_norm.shift->value;
    c->output_gamma = block->output_norm.scale->value;
    c->output_beta = block->output_norm.shift->value;
    carve(c);
    dlg_status status = dlg_arena_reserve(&c->arena, "sequence check", err);
    if (!status) {
        carve(c);
        status = find_row_space(c, gradient, inside, err);
    }
    if (status) {
        dlg_sequence_check_free(c);
        return status;
    }
    compute_inputs(c);
    status = dlg_check_interrupt(err);
    if (status) dlg_sequence_check_free(c);
    else *out = c;
    return status;
}

void dlg_sequence_check_free(dlg_sequence_check *c)
{
    if (!c) return;
    dlg_arena_release(&c->arena);
    dlg_spectrum_release(&c->space);
    dlg_free(c->form);
    dlg_free(c);
}

size_t dlg_sequence_check_rank(const dlg_sequence_check *c)
{
    return c->rank;
}

/* ---- layer 0 of one row ---- */

static bool is_asked(const dlg_sequence_check *c, size_t t, size_t candidate)
{
    if (c->asks_all) return true;
    return c->model->config.task == DLG_MASKED_LM ? c->candidates->token[candidate] == c->special.mask : t == 0;
}

/* context (H) of the query at `query` among the sentence's candidates */
static void attend(const dlg_sequence_check *c, size_t length, const size_t *index, size_t query, dlg_real *context)
{
    const size_t H = c->H, d = H / c->heads;
    const double scale = 1 / sqrt((double)d);
    memset(context, 0, H * sizeof *context);
    for (size_t h = 0; h < c->heads; h++) {
        const dlg_real *q = c->qkv + index[query] * 3 * H + h * d;
        double most = -INFINITY, sum = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t t = 0; t < length; t++) {
                const dlg_real *k = c->qkv + index[t] * 3 * H + H + h * d, *v = k + H;
                dlg_real score = 0;
#pragma omp simd reduction(+ : score)
                for (size_t i = 0; i < d; i++) score += q[i] * k[i];
                if (!pass) {
                    most = fmax(most, scale * (double)score);
                    continue;
                }
                const double weight = exp(scale * (double)score - most);
                sum += weight;
                for (size_t i = 0; i < d; i++) context[h * d + i] += (dlg_real)weight * v[i];
            }
        for (size_t i = 0; i < d; i++) context[h * d + i] /= (dlg_real)sum;
    }
}

/* y := what is asked of n rows whose context and input (in row_index) are there */
static void finish_rows(dlg_sequence_check *c, size_t n)
{
    const size_t H = c->H;
    const double eps = c->model->config.layer_norm_eps;
    apply(c->output, n, c->context, c->x);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < H; k++) c->x[i * H + k] += c->input[c->row_index[i] * H + k];
    normalise(n, H, eps, c->attention_gamma, c->attention_beta, c->x);
    apply(c->intermediate, n, c->x, c->wide);
    dlg_activation_of (&c->model->config)(n * c->I, c->wide, c->wide, c->first, c->second);
    if (c->asks_hidden) {
        memcpy(c->y, c->wide, n * c->I * sizeof *c->y);
        return;
    }
    apply(c->last, n, c->wide, c->y);
    for (size_t i = 0; i < n * H; i++) c->y[i] += c->x[i];
    normalise(n, H, eps, c->output_gamma, c->output_beta, c->y);
}

/* x (n, H) := y without what lies along k orthonormal rows */
static void remove_along(dlg_sequence_check *c, size_t n, size_t k, const dlg_real *rows)
{
    const size_t H = c->width;
    memcpy(c->x, c->y, n * H * sizeof *c->x);
    if (!k) return;
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, k, H, 1, c->y, H, rows, H, 0, c->along, k);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, H, k, -1, c->along, k, rows, H, 1, c->x, H);
}

/* Squares of n rows added up by owner: what lies outside, what the found ones do not span */
typedef struct {
    double outside, apart;
} squares;

static void judge(dlg_sequence_check *c, size_t n, squares *of)
{
    const size_t H = c->width;
    finish_rows(c, n);
    remove_along(c, n, c->rank, c->basis);
    for (size_t i = 0; i < n; i++) of[c->owner[i]].outside += dlg_dot(H, c->x + i * H, c->x + i * H);
    remove_along(c, n, c->n_found, c->found);
    for (size_t i = 0; i < n; i++) of[c->owner[i]].apart += dlg_dot(H, c->x + i * H, c->x + i * H);
}

/* Of at most BLOCK sentences. */
static void measure(dlg_sequence_check *c, size_t n, size_t length, const size_t *index, squares *of)
{
    size_t n_rows = 0;
    memset(of, 0, n * sizeof *of);
    for (size_t s = 0; s < n; s++)
        for (size_t t = 0; t < length; t++) {
            const size_t *sentence = index + s * length;
            if (!is_asked(c, t, sentence[t])) continue;
            attend(c, length, sentence, t, c->context + n_rows * c->H);
            c->owner[n_rows] = s;
            c->row_index[n_rows++] = sentence[t];
            if (n_rows < BLOCK) continue;
            judge(c, n_rows, of);
            n_rows = 0;
        }
    judge(c, n_rows, of);
}

void dlg_sequence_check_outside(dlg_sequence_check *c, size_t n, size_t length, const size_t *index, double *outside)
{
    squares of[BLOCK];
    for (size_t from = 0; from < n; from += BLOCK) {
        const size_t many = n - from < BLOCK ? n - from : BLOCK;
        const bool is_over = dlg_is_interrupted(); /* then none of them is better than another */
        if (!is_over) measure(c, many, length, index + from * length, of);
        for (size_t s = 0; s < many; s++)
            outside[from + s] = !is_over && of[s].apart > 0 ? sqrt(of[s].outside / of[s].apart) : 1;
    }
}

/* y := the row of position t; x := what the found ones do not span of it. @return the square of that */
static double compute_row(dlg_sequence_check *c, size_t length, const size_t *index, size_t t)
{
    attend(c, length, index, t, c->context);
    c->row_index[0] = index[t];
    finish_rows(c, 1);
    remove_along(c, 1, c->n_found, c->found);
    return dlg_dot(c->width, c->x, c->x);
}

/* Whether y lies outside no further than rounding can leave it. @param[out] bound2 the square of that */
static bool is_inside(dlg_sequence_check *c, double norm2, double *bound2)
{
    for (size_t k = 0; k < c->width; k++) c->row[k] = (double)c->y[k];
    const double outside = dlg_take_out(c->rank, c->width, c->space.vectors, c->row, c->row_along);
    const double times = dlg_tolerance_times_expected();
    *bound2 = times * times *
              dlg_row_rounding(c->rank, c->form, c->row_along, dlg_tolerance_row(c->space.roundoff, c->width), norm2);
    return outside * outside <= *bound2;
}

bool dlg_sequence_check_has(dlg_sequence_check *c, size_t length, const size_t *index)
{
    double all2 = 0, apart2 = 0, rounding2 = 0;
    assert(!c->asks_hidden);
    for (size_t t = 0; t < length; t++) {
        double bound2;
        if (!is_asked(c, t, index[t])) continue;
        apart2 += compute_row(c, length, index, t);
        const double norm2 = dlg_dot(c->width, c->y, c->y);
        if (!is_inside(c, norm2, &bound2)) return false;
        all2 += norm2;
        rounding2 += bound2;
    }
    return rounding2 > 0 && rounding2 <= one_token * one_token * all2 && clearly * clearly * rounding2 <= apart2;
}

/* Whether what is apart of row y is more than rounding. */
static bool is_apart(dlg_sequence_check *c, double apart2)
{
    const double norm2 = dlg_dot(c->width, c->y, c->y);
    double bound2 = 0;
    if (c->asks_hidden) return apart2 > dlg_tolerance_hidden_row() * dlg_tolerance_hidden_row() * norm2;
    is_inside(c, norm2, &bound2);
    return apart2 >= clearly * clearly * bound2;
}

size_t dlg_sequence_check_found(dlg_sequence_check *c, size_t length, const size_t *index)
{
    const size_t H = c->width;
    size_t n = 0;
    for (size_t t = 0; t < length; t++) {
        if (!is_asked(c, t, index[t])) continue;
        n++;
        const double apart2 = compute_row(c, length, index, t);
        if (c->n_found == c->H || !is_apart(c, apart2)) continue;
        memcpy(c->y, c->x, H * sizeof *c->y);
        remove_along(c, 1, c->n_found, c->found); /* again, for what is left is small beside what was taken */
        const double norm = sqrt(dlg_dot(H, c->x, c->x));
        for (size_t k = 0; k < H; k++) c->found[c->n_found * H + k] = (dlg_real)((double)c->x[k] / norm);
        c->n_found++;
    }
    return n;
}
