#include "analytic/sequences/context_equations.h"

#include "analytic/tokens/inputs.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/rank.h"
#include "math/spectrum.h"
#include "math/svd.h"
#include "models/architecture.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 256,       /* candidates whose derivatives are found at a time */
    MARGIN = 6,        /* directions beyond the last that is seen, which rounding mixes with it */
    LEAST_OUTSIDE = 8, /* directions: with fewer the tokens may fill the space */
    MOST_CANDIDATES = 2048
};

/* The three row spaces: of contexts, of rows behind the attention, and inside the feed-forward part. */
enum { CONTEXT, ROW, HIDDEN, N_SPACES };

typedef struct {
    size_t width, n;   /* numbers of a row, directions outside */
    dlg_real *outside; /* (width, n) orthonormal columns */
    double size;       /* norm of the row now */
} space;

struct dlg_context_equations {
    const dlg_model *model;
    const dlg_candidates *candidates;
    const dlg_block_roles *block;
    size_t H, I, heads, n, count;
    space spaces[N_SPACES];
    dlg_real *inputs, *keys, *values; /* (n, H) */
    /* of the place */
    size_t place;
    dlg_real *query; /* (H) */
    double *scores;  /* (heads, n) e, its largest 1 */
    /* of the point */
    double *over;     /* (heads) 1 / sum of m e */
    double deviation; /* of the layer norm */
    dlg_real *context, *row, *normal, *wide, *hidden, *slope, *second;
    dlg_real *back_row, *back_wide;            /* (H), (I) */
    dlg_real *of_contexts, *of_rows, *of_wide; /* (BLOCK, H), (BLOCK, H), (BLOCK, I) */
    double *exact;                             /* (H) */
    dlg_arena arena;
};

static void carve(dlg_context_equations *o)
{
    const size_t H = o->H, I = o->I, n = o->n;
    o->inputs = dlg_arena_carve(&o->arena, n * H, sizeof *o->inputs);
    o->keys = dlg_arena_carve(&o->arena, n * H, sizeof *o->keys);
    o->values = dlg_arena_carve(&o->arena, n * H, sizeof *o->values);
    o->scores = dlg_arena_carve(&o->arena, o->heads * n, sizeof *o->scores);
    o->over = dlg_arena_carve(&o->arena, o->heads, sizeof *o->over);
    o->exact = dlg_arena_carve(&o->arena, H, sizeof *o->exact);
    dlg_real **of_row[] = {&o->query, &o->context, &o->row, &o->normal, &o->back_row};
    for (size_t k = 0; k < sizeof of_row / sizeof *of_row; k++)
        *of_row[k] = dlg_arena_carve(&o->arena, H, sizeof **of_row[k]);
    dlg_real **of_hidden[] = {&o->wide, &o->hidden, &o->slope, &o->second, &o->back_wide};
    for (size_t k = 0; k < sizeof of_hidden / sizeof *of_hidden; k++)
        *of_hidden[k] = dlg_arena_carve(&o->arena, I, sizeof **of_hidden[k]);
    o->of_contexts = dlg_arena_carve(&o->arena, BLOCK * H, sizeof *o->of_contexts);
    o->of_rows = dlg_arena_carve(&o->arena, BLOCK * H, sizeof *o->of_rows);
    o->of_wide = dlg_arena_carve(&o->arena, BLOCK * I, sizeof *o->of_wide);
}

/* ---- directions outside ---- */

/* n of the directions that are none of `rank` orthonormal rows: what is left of random ones. */
static dlg_status find_outside(space *s, size_t rank, const double *rows, dlg_error *err)
{
    const size_t W = s->width, n = s->n;
    const uint32_t stream = dlg_random_stream("directions outside a row space");
    double *a = dlg_allocate(W * n, sizeof *a), *along = dlg_allocate(rank * n, sizeof *along);
    s->outside = dlg_allocate(W * n, sizeof *s->outside);
    dlg_status status =
        a && (along || !rank) && s->outside ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "context equations: no memory");
    if (!status) {
        for (size_t i = 0; i < W * n; i++) a[i] = dlg_random_normal_at(0, stream, i);
        dlg_take_out_of_columns(rank, W, rows, n, a, along);
        status = dlg_orthonormalise(W, n, a, err);
        for (size_t i = 0; i < W * n && !status; i++) s->outside[i] = (dlg_real)a[i];
    }
    dlg_free(along);
    dlg_free(a);
    return status;
}

/* Of a weight's gradient whose rows are `width` numbers; s->n stays 0 where it has nothing outside. */
static dlg_status find_space(space *s, const dlg_gradient *gradient, const dlg_parameter *weight, bool is_hidden,
                             dlg_error *err)
{
    dlg_spectrum found = {0};
    const size_t H = gradient->model->config.hidden_size;
    *s = (space){.width = weight->n_cols};
    const dlg_stack stack = {1, s->width, {dlg_gradient_at(gradient, weight)}, {weight->n_rows}};
    if (!stack.blocks[0]) return DLG_OK;
    dlg_status status = dlg_spectrum_grow(&found, &stack, SIZE_MAX, gradient->roundoff, err);
    const size_t rank = status ? 0 : dlg_rank_visible(found.n, found.values, gradient->roundoff);
    if (!status && rank && rank + LEAST_OUTSIDE < H) {
        /* All directions that a hidden row can have are few beside its numbers: none of them need be told from
         * rounding. */
        const size_t inside = is_hidden || rank + MARGIN > found.n ? found.n : rank + MARGIN;
        s->n = s->width > inside ? s->width - inside : 0;
        if (is_hidden && s->n > H + H / 2) s->n = H + H / 2;
        if (s->n) status = find_outside(s, inside, found.vectors, err);
    }
    dlg_spectrum_release(&found);
    return status;
}

static dlg_status find_spaces(dlg_context_equations *o, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_parameter *const weights[] = {o->block->output.weight, o->block->wide.weight, o->block->narrow.weight};
    dlg_status status = DLG_OK;
    for (size_t k = 0; k < N_SPACES && !status; k++) {
        status = find_space(&o->spaces[k], gradient, weights[k], k == HIDDEN, err);
        if (!o->spaces[k].n) o->count = 0;
        if (status || !o->spaces[k].n) return status;
        o->count += o->spaces[k].n;
    }
    return status;
}

/* ---- forward ---- */

/* y (n, out) = x W^T + b */
static void apply(dlg_linear_role l, size_t n, const dlg_real *x, dlg_real *y)
{
    const size_t out = l.weight->n_rows, in = l.weight->n_cols;
    for (size_t i = 0; i < n; i++) memcpy(y + i * out, l.bias->value, out * sizeof *y);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, out, in, 1, x, in, l.weight->value, in, 1, y, out);
}

static void compute_inputs(dlg_context_equations *o)
{
    const dlg_inputs in = dlg_inputs_of(o->model);
    const dlg_candidates *c = o->candidates;
    for (size_t t = 0; t < c->n_positions; t++)
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++) {
            (void)dlg_input_at(&in, c->token[i], t, c->type[i], o->exact);
            for (size_t k = 0; k < o->H; k++) o->inputs[i * o->H + k] = (dlg_real)o->exact[k];
        }
    apply(o->block->key, o->n, o->inputs, o->keys);
    apply(o->block->value, o->n, o->inputs, o->values);
}

void dlg_context_equations_choose(dlg_context_equations *o, size_t candidate)
{
    const size_t H = o->H, d = H / o->heads, n = o->n;
    o->place = candidate;
    apply(o->block->query, 1, o->inputs + candidate * H, o->query);
    for (size_t h = 0; h < o->heads; h++) {
        double *e = o->scores + h * n, most = -INFINITY;
        for (size_t j = 0; j < n; j++) {
            e[j] = dlg_dot(d, o->query + h * d, o->keys + j * H + h * d) / sqrt((double)d);
            most = fmax(most, e[j]);
        }
        for (size_t j = 0; j < n; j++) e[j] = exp(e[j] - most);
    }
}

static void attend(dlg_context_equations *o, const double *m)
{
    const size_t H = o->H, d = H / o->heads, n = o->n;
    memset(o->exact, 0, H * sizeof *o->exact);
    for (size_t h = 0; h < o->heads; h++) {
        const double *e = o->scores + h * n;
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            const double weight = m[j] * e[j];
            if (!(weight > 0)) continue;
            sum += weight;
            for (size_t i = h * d; i < (h + 1) * d; i++) o->exact[i] += weight * (double)o->values[j * H + i];
        }
        o->over[h] = 1 / sum;
        for (size_t i = h * d; i < (h + 1) * d; i++) o->context[i] = (dlg_real)(o->exact[i] * o->over[h]);
    }
}

/* row := the layer norm of x_p + Wo c + bo; normal is that without scale and shift */
static void pass_norm(dlg_context_equations *o)
{
    const size_t H = o->H;
    const dlg_norm_role norm = o->block->attention_norm;
    double mean = 0, variance = 0;
    apply(o->block->output, 1, o->context, o->row);
    for (size_t i = 0; i < H; i++) {
        o->row[i] += o->inputs[o->place * H + i];
        mean += (double)o->row[i] / (double)H;
    }
    for (size_t i = 0; i < H; i++) variance += ((double)o->row[i] - mean) * ((double)o->row[i] - mean) / (double)H;
    o->deviation = sqrt(variance + o->model->config.layer_norm_eps);
    for (size_t i = 0; i < H; i++) {
        o->normal[i] = (dlg_real)(((double)o->row[i] - mean) / o->deviation);
        o->row[i] = o->normal[i] * norm.scale->value[i] + norm.shift->value[i];
    }
}

static const dlg_real *row_of(const dlg_context_equations *o, size_t k)
{
    return k == CONTEXT ? o->context : k == ROW ? o->row : o->hidden;
}

double dlg_context_equations_at(dlg_context_equations *o, const double *m, dlg_real *left)
{
    attend(o, m);
    pass_norm(o);
    apply(o->block->wide, 1, o->row, o->wide);
    dlg_activation_of (&o->model->config)(o->I, o->wide, o->hidden, o->slope, o->second);
    dlg_real *at = left;
    for (size_t k = 0; k < N_SPACES; k++) {
        space *s = &o->spaces[k];
        const dlg_real *row = row_of(o, k);
        s->size = sqrt(dlg_dot(s->width, row, row));
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, 1, s->n, s->width, (dlg_real)(1 / s->size), row, s->width, s->outside, s->n, 0,
                 at, s->n);
        at += s->n;
    }
    return dlg_dot(o->count, left, left);
}

/* ---- derivatives; the sizes of the rows count as constant, for what is left is small ---- */

/* Through the layer norm, in place: of rows dx (n, H) dy, or back of dy dx, for it is the same but for the scale. */
static void derive_norm(const dlg_context_equations *o, size_t n, dlg_real *rows)
{
    const size_t H = o->H;
    for (size_t r = 0; r < n; r++, rows += H) {
        double mean = 0, along = 0;
        for (size_t i = 0; i < H; i++) {
            mean += (double)rows[i];
            along += (double)rows[i] * (double)o->normal[i];
        }
        const dlg_real m = (dlg_real)(mean / (double)H), a = (dlg_real)(along / (double)H),
                       by = (dlg_real)(1 / o->deviation);
        for (size_t i = 0; i < H; i++) rows[i] = (rows[i] - m - a * o->normal[i]) * by;
    }
}

static void scale_by(size_t n, size_t width, const dlg_real *by, dlg_real *rows)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < width; i++) rows[r * width + i] *= by[i];
}

void dlg_context_equations_gradient(dlg_context_equations *o, const dlg_real *left, double *gradient)
{
    const size_t H = o->H, I = o->I, d = H / o->heads;
    const space *s = o->spaces;
    const dlg_real *of_row = left + s[CONTEXT].n, *of_hidden = of_row + s[ROW].n;
    dlg_real *back = o->of_rows;
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, 1, I, s[HIDDEN].n, (dlg_real)(1 / s[HIDDEN].size), of_hidden, s[HIDDEN].n,
             s[HIDDEN].outside, s[HIDDEN].n, 0, o->back_wide, I);
    scale_by(1, I, o->slope, o->back_wide);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, 1, H, I, 1, o->back_wide, I, o->block->wide.weight->value, H, 0, o->back_row, H);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, 1, H, s[ROW].n, (dlg_real)(1 / s[ROW].size), of_row, s[ROW].n, s[ROW].outside,
             s[ROW].n, 1, o->back_row, H);
    scale_by(1, H, o->block->attention_norm.scale->value, o->back_row);
    derive_norm(o, 1, o->back_row);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, 1, H, H, 1, o->back_row, H, o->block->output.weight->value, H, 0, back, H);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, 1, H, s[CONTEXT].n, (dlg_real)(1 / s[CONTEXT].size), left, s[CONTEXT].n,
             s[CONTEXT].outside, s[CONTEXT].n, 1, back, H);
    memset(gradient, 0, o->n * sizeof *gradient);
    for (size_t h = 0; h < o->heads; h++) {
        const double all = dlg_dot(d, o->context + h * d, back + h * d);
        for (size_t j = 0; j < o->n; j++)
            gradient[j] +=
                o->scores[h * o->n + j] * o->over[h] * (dlg_dot(d, o->values + j * H + h * d, back + h * d) - all);
    }
}

/* of_contexts := those of the contexts */
static void derive_contexts(dlg_context_equations *o, size_t n, const size_t *which)
{
    const size_t H = o->H, d = H / o->heads;
    for (size_t r = 0; r < n; r++)
        for (size_t h = 0; h < o->heads; h++) {
            const dlg_real by = (dlg_real)(o->scores[h * o->n + which[r]] * o->over[h]);
            for (size_t i = h * d; i < (h + 1) * d; i++)
                o->of_contexts[r * H + i] = by * (o->values[which[r] * H + i] - o->context[i]);
        }
}

static void project(const dlg_context_equations *o, size_t k, size_t n, const dlg_real *rows, dlg_real *out)
{
    const space *s = &o->spaces[k];
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, s->n, s->width, (dlg_real)(1 / s->size), rows, s->width, s->outside, s->n, 0, out,
             o->count);
}

void dlg_context_equations_slopes(dlg_context_equations *o, size_t n_all, const size_t *which, dlg_real *slopes)
{
    const size_t H = o->H, I = o->I;
    for (size_t from = 0; from < n_all; from += BLOCK) {
        const size_t n = n_all - from < BLOCK ? n_all - from : BLOCK;
        dlg_real *out = slopes + from * o->count;
        derive_contexts(o, n, which + from);
        project(o, CONTEXT, n, o->of_contexts, out);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, H, H, 1, o->of_contexts, H, o->block->output.weight->value, H, 0,
                 o->of_rows, H);
        derive_norm(o, n, o->of_rows);
        scale_by(n, H, o->block->attention_norm.scale->value, o->of_rows);
        project(o, ROW, n, o->of_rows, out + o->spaces[CONTEXT].n);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, I, H, 1, o->of_rows, H, o->block->wide.weight->value, H, 0, o->of_wide,
                 I);
        scale_by(n, I, o->slope, o->of_wide);
        project(o, HIDDEN, n, o->of_wide, out + o->spaces[CONTEXT].n + o->spaces[ROW].n);
    }
}

/* ---- life ---- */

size_t dlg_context_equations_count(const dlg_context_equations *o)
{
    return o->count;
}

dlg_status dlg_context_equations_create(dlg_context_equations **out, const dlg_gradient *gradient,
                                        const dlg_candidates *candidates, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const size_t n = candidates->first[candidates->n_positions];
    *out = NULL;
    if (!model->roles.is_post_norm || model->config.n_layers < 2 || !n || n > MOST_CANDIDATES) return DLG_OK;
    dlg_context_equations *o = dlg_allocate(1, sizeof *o);
    if (!o) return dlg_fail(err, DLG_ENOMEM, "context equations: no memory");
    *o = (dlg_context_equations){.model = model,
                                 .candidates = candidates,
                                 .block = &model->roles.blocks[0],
                                 .H = model->config.hidden_size,
                                 .I = model->config.intermediate_size,
                                 .heads = model->config.n_heads,
                                 .n = n};
    dlg_status status = find_spaces(o, gradient, err);
    if (!status && o->count) {
        carve(o);
        status = dlg_arena_reserve(&o->arena, "context equations", err);
    }
    if (!status && o->count) {
        carve(o);
        compute_inputs(o);
        *out = o;
    } else {
        dlg_context_equations_free(o);
    }
    return status;
}

void dlg_context_equations_free(dlg_context_equations *o)
{
    if (!o) return;
    for (size_t k = 0; k < N_SPACES; k++) dlg_free(o->spaces[k].outside);
    dlg_arena_release(&o->arena);
    dlg_free(o);
}
