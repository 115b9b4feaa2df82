/*
 * All (v, t) at once. With c = centred E[v] + centred P[t], gamma and beta those of the embeddings' LayerNorm, d =
 * gamma c:
 *
 *   x = d / s + beta,    s^2 = ||c||^2 / H + eps
 *   ||x||^2     = ||d||^2 / s^2 + 2 <d, beta> / s + ||beta||^2
 *   ||B x||^2   = ||B d||^2 / s^2 + 2 <B d, B beta> / s + ||B beta||^2
 *
 * and ||c||^2, ||d||^2, ||B d||^2 split into a part of v, a part of t and a product of both: three inner products of
 * c_v with numbers of t. In single precision that sees how far x lies outside to a thousandth; those that are near are
 * computed anew, in double.
 */
#include "analytic/tokens/candidates.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "analytic/tokens/inputs.h"
#include "math/rank.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/sorted.h"
#include "math/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 512,       /* vocabulary entries at a time */
    MOST_NEAR = 200000 /* that many inputs are near only when nothing can be told apart */
};

/* Squared part of the norm outside below which an input is looked at closely. */
static const double near_enough = 4e-3;

/* A part of the vocabulary is enough to say so when it has so many times its share of them. */
static const double early = 4;

/* Inside and outside must be so far apart. */
static const double gap = 10;

typedef struct {
    const dlg_model *model;
    size_t H, rank;
    const double *basis; /* (rank, H) */
} row_space;

/* ---- how far outside, all at once ---- */

typedef struct {
    uint32_t token, position;
    size_t type;
    double outside;
} entry;

typedef struct {
    size_t n, capacity;
    entry *entries;
} heap;

static dlg_status push(heap *h, entry e, dlg_error *err)
{
    if (h->n == h->capacity) {
        const size_t more = h->capacity ? 2 * h->capacity : 1024;
        entry *grown = dlg_reallocate(h->entries, h->n, more, sizeof *grown);
        if (!grown) return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
        h->entries = grown;
        h->capacity = more;
    }
    h->entries[h->n++] = e;
    return DLG_OK;
}

/* The same in double, for one. x (H) is scratch. */
static double outside_exactly(const row_space *space, const dlg_inputs *in, uint32_t token, size_t position,
                              size_t type, double *x, double *along)
{
    const double norm2 = dlg_input_at(in, token, position, type, x);
    return norm2 > 0 ? dlg_take_out(space->rank, space->H, space->basis, x, along) / sqrt(norm2) : 1;
}

/* The products' right sides, (n_columns, H), and numbers of the positions. */
typedef struct {
    size_t T, n_types, n_columns; /* T: positions times types */
    dlg_real *columns; /* T of c, T of gamma^2 c, T of gamma B^T B gamma c, then gamma beta and gamma B^T B beta */
    double *cc, *dd, *pp, *db, *pb; /* (T) ||c||^2, ||d||^2, ||B d||^2, <d, beta>, <B d, B beta> */
    double bb, pbb;                 /* ||beta||^2, ||B beta||^2 */
    dlg_arena arena;
} sides;

static void carve_sides(sides *s, size_t H)
{
    s->columns = dlg_arena_carve(&s->arena, s->n_columns * H, sizeof *s->columns);
    s->cc = dlg_arena_carve(&s->arena, s->T, sizeof *s->cc);
    s->dd = dlg_arena_carve(&s->arena, s->T, sizeof *s->dd);
    s->pp = dlg_arena_carve(&s->arena, s->T, sizeof *s->pp);
    s->db = dlg_arena_carve(&s->arena, s->T, sizeof *s->db);
    s->pb = dlg_arena_carve(&s->arena, s->T, sizeof *s->pb);
}

/* out (H) = gamma B^T B d, scratch (H); @return ||B d||^2 */
static double project(const row_space *space, const double *d, const dlg_real *gamma, dlg_real *out, double *scratch)
{
    const size_t H = space->H;
    double sum = 0;
    memset(scratch, 0, H * sizeof *scratch);
    for (size_t r = 0; r < space->rank; r++) {
        double along = 0;
        for (size_t i = 0; i < H; i++) along += space->basis[r * H + i] * d[i];
        for (size_t i = 0; i < H; i++) scratch[i] += along * space->basis[r * H + i];
        sum += along * along;
    }
    for (size_t i = 0; i < H; i++) out[i] = (dlg_real)(scratch[i] * (double)gamma[i]);
    return sum;
}

static dlg_status make_sides(sides *s, const row_space *space, const dlg_inputs *in, size_t n_positions, size_t n_types,
                             dlg_error *err)
{
    const size_t H = space->H, T = n_positions * n_types;
    *s = (sides){.T = T, .n_types = n_types, .n_columns = 3 * T + 2};
    double *d = dlg_allocate(3 * H, sizeof *d);
    carve_sides(s, H);
    const dlg_status status = dlg_arena_reserve(&s->arena, "candidates", err);
    if (status || !d) {
        dlg_free(d);
        return status ? status : dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    }
    carve_sides(s, H);
    double *beta = d + H, *scratch = d + 2 * H;
    dlg_real *gamma_beta = s->columns + 3 * T * H, *projected_beta = gamma_beta + H;
    for (size_t i = 0; i < H; i++) {
        beta[i] = (double)in->beta[i];
        gamma_beta[i] = in->gamma[i] * in->beta[i];
    }
    s->bb = dlg_dot(H, in->beta, in->beta);
    s->pbb = project(space, beta, in->gamma, projected_beta, scratch);
    for (size_t t = 0; t < T; t++) {
        dlg_real *c = s->columns + t * H, *g = c + T * H, *p = g + T * H;
        dlg_input_of_position(in, t / n_types, t % n_types, d);
        for (size_t i = 0; i < H; i++) {
            const double centred = d[i];
            d[i] = (double)in->gamma[i] * centred;
            c[i] = (dlg_real)centred;
            g[i] = (dlg_real)((double)in->gamma[i] * d[i]);
            s->cc[t] += centred * centred;
            s->dd[t] += d[i] * d[i];
            s->db[t] += d[i] * beta[i];
        }
        s->pp[t] = project(space, d, in->gamma, p, scratch);
        s->pb[t] = dlg_dot(H, c, projected_beta);
    }
    dlg_free(d);
    return DLG_OK;
}

typedef struct {
    dlg_real *c;        /* (BLOCK, H) centred words */
    dlg_real *products; /* (BLOCK, n_columns) */
    dlg_real *along;    /* (BLOCK, rank) */
    dlg_real *basis;    /* (rank, H) with gamma */
    double *scratch;    /* 2 H */
    dlg_arena arena;
} workspace;

static void carve_workspace(workspace *w, const row_space *space, size_t n_columns)
{
    w->c = dlg_arena_carve(&w->arena, BLOCK * space->H, sizeof *w->c);
    w->products = dlg_arena_carve(&w->arena, BLOCK * n_columns, sizeof *w->products);
    w->along = dlg_arena_carve(&w->arena, BLOCK * (space->rank + 1), sizeof *w->along);
    w->basis = dlg_arena_carve(&w->arena, (space->rank + 1) * space->H, sizeof *w->basis);
    w->scratch = dlg_arena_carve(&w->arena, 2 * space->H, sizeof *w->scratch);
}

/* The inputs of one word, whose products are there, that seem near; how far outside they are is left open. */
static dlg_status check_word(heap *near, const workspace *w, const sides *s, const row_space *space,
                             const dlg_inputs *in, size_t i, uint32_t token, dlg_error *err)
{
    const size_t H = space->H, T = s->T;
    const dlg_real *c = w->c + i * H, *product = w->products + i * s->n_columns;
    double cc = 0, dd = 0;
    for (size_t k = 0; k < H; k++) {
        const double centred = (double)c[k], d = (double)in->gamma[k] * centred;
        cc += centred * centred;
        dd += d * d;
    }
    const double pp = dlg_dot(space->rank, w->along + i * space->rank, w->along + i * space->rank);
    const double db = (double)product[3 * T], pb = (double)product[3 * T + 1];
    for (size_t t = 0; t < T; t++) {
        const double scale = 1 / sqrt((cc + s->cc[t] + 2 * (double)product[t]) / (double)H + in->eps);
        const double norm2 =
            scale * scale * (dd + s->dd[t] + 2 * (double)product[T + t]) + 2 * scale * (db + s->db[t]) + s->bb;
        const double inside2 =
            scale * scale * (pp + s->pp[t] + 2 * (double)product[2 * T + t]) + 2 * scale * (pb + s->pb[t]) + s->pbb;
        if (!(norm2 > 0) || norm2 - inside2 > near_enough * norm2) continue;
        const size_t position = t / s->n_types, type = t % s->n_types;
        const dlg_status status = push(near, (entry){token, (uint32_t)position, type, 0}, err);
        if (status) return status;
    }
    return DLG_OK;
}

/* Whether the first n words have so many near inputs that the whole vocabulary will have too many. */
static bool is_blind(const heap *near, size_t n, size_t V)
{
    const double share = fmin(1, early * (double)n / (double)V);
    return (double)near->n >= share * MOST_NEAR;
}

static dlg_status check_all(heap *near, const row_space *space, const sides *s, dlg_error *err)
{
    const size_t H = space->H, V = space->model->config.vocabulary_size;
    const dlg_inputs in = dlg_inputs_of(space->model);
    workspace w = {0};
    carve_workspace(&w, space, s->n_columns);
    dlg_status status = dlg_arena_reserve(&w.arena, "candidates", err);
    if (status) return status;
    carve_workspace(&w, space, s->n_columns);
    for (size_t r = 0; r < space->rank; r++)
        for (size_t i = 0; i < H; i++) w.basis[r * H + i] = (dlg_real)(space->basis[r * H + i] * (double)in.gamma[i]);
    bool blind = false;
    for (size_t first = 0; first < V && !status && !blind; first += BLOCK) {
        const size_t n = V - first < BLOCK ? V - first : BLOCK, n_before = near->n;
        for (size_t i = 0; i < n; i++) {
            dlg_input_of_token(&in, (uint32_t)(first + i), w.scratch);
            for (size_t k = 0; k < H; k++) w.c[i * H + k] = (dlg_real)w.scratch[k];
        }
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, s->n_columns, H, 1, w.c, H, s->columns, H, 0, w.products, s->n_columns);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, space->rank, H, 1, w.c, H, w.basis, H, 0, w.along, space->rank);
        status = dlg_check_interrupt(err);
        for (size_t i = 0; i < n && !status; i++)
            status = check_word(near, &w, s, space, &in, i, (uint32_t)(first + i), err);
        blind = is_blind(near, first + n, V);
        for (size_t k = n_before; k < near->n && !status && !blind; k++) {
            entry *e = &near->entries[k];
            e->outside = outside_exactly(space, &in, e->token, e->position, e->type, w.scratch, w.scratch + H);
        }
    }
    if (blind) near->n = 0;
    dlg_arena_release(&w.arena);
    return status;
}

/* ---- from distances to candidates ---- */

/* How far outside the least certain position's nearest input lies; infinity where one has none. */
static dlg_status find_furthest(double *out, const heap *near, size_t n_positions, dlg_error *err)
{
    double *least = dlg_allocate(n_positions, sizeof *least);
    *out = 0;
    if (!least) return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    for (size_t t = 0; t < n_positions; t++) least[t] = INFINITY;
    for (size_t i = 0; i < near->n; i++) {
        double *here = &least[near->entries[i].position];
        *here = fmin(*here, near->entries[i].outside);
    }
    for (size_t t = 0; t < n_positions; t++) *out = fmax(*out, least[t]);
    dlg_free(least);
    return DLG_OK;
}

/*
 * The widest gap between the sorted distances, of those that leave no position without a candidate: what is below it is
 * inside. Beyond all of them lies near_enough. Where sums of inputs fill all gaps, those inside are no further outside
 * than a gap beyond what every position needs, if that is rounding.
 */
static dlg_status find_limit(const heap *near, size_t n_positions, double *limit, dlg_error *err)
{
    double widest = gap, furthest;
    const dlg_status status = find_furthest(&furthest, near, n_positions, err);
    double *sorted = dlg_allocate(near->n + 1, sizeof *sorted);
    if (status || !sorted) {
        dlg_free(sorted);
        return status ? status : dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    }
    for (size_t i = 0; i < near->n; i++) sorted[i] = fmax(near->entries[i].outside, 1e-9);
    sorted[near->n] = sqrt(near_enough);
    dlg_sort(near->n, sorted);
    *limit = furthest < dlg_tolerance_input() ? gap * furthest : 0;
    for (size_t i = 0; i < near->n; i++)
        if (sorted[i] >= furthest && sorted[i + 1] > widest * sorted[i]) {
            widest = sorted[i + 1] / sorted[i];
            *limit = sorted[i];
        }
    dlg_free(sorted);
    return DLG_OK;
}

static int by_position_and_token(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    if (x->token != y->token) return x->token < y->token ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

static dlg_status collect(dlg_candidates *out, heap *near, double limit, dlg_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < near->n; i++)
        if (near->entries[i].outside <= limit) near->entries[n++] = near->entries[i];
    /* it takes no NULL, not even for nothing */
    if (n) qsort(near->entries, n, sizeof *near->entries, by_position_and_token);
    out->first = dlg_allocate(out->n_positions + 1, sizeof *out->first);
    out->certain = dlg_allocate(out->n_positions, sizeof *out->certain);
    out->token = dlg_allocate(n + 1, sizeof *out->token);
    out->type = dlg_allocate(n + 1, sizeof *out->type);
    out->outside = dlg_allocate(n + 1, sizeof *out->outside);
    if (!out->first || !out->certain || !out->token || !out->type || !out->outside)
        return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    for (size_t i = 0; i < n; i++) {
        out->token[i] = near->entries[i].token;
        out->type[i] = near->entries[i].type;
        out->outside[i] = near->entries[i].outside;
        out->first[near->entries[i].position + 1] = i + 1;
    }
    out->sees = n > 0;
    for (size_t t = 0; t < out->n_positions; t++) {
        if (!out->first[t + 1]) out->first[t + 1] = out->first[t];
        out->sees &= out->first[t + 1] > out->first[t];
    }
    return DLG_OK;
}

dlg_status dlg_candidates_find(dlg_candidates *out, const dlg_model *model, const dlg_spectrum *inputs,
                               size_t n_positions, size_t n_types, dlg_error *err)
{
    const dlg_inputs in = dlg_inputs_of(model);
    const row_space space = {model, inputs->n_in, dlg_rank_visible(inputs->n, inputs->values, inputs->roundoff),
                             inputs->vectors};
    sides s = {0};
    heap near = {0};
    double limit = 0;
    dlg_status status = DLG_OK;
    *out = (dlg_candidates){.n_positions = n_positions, .rank = space.rank};
    if (space.rank < space.H) {
        status = make_sides(&s, &space, &in, n_positions, n_types, err);
        if (!status) status = check_all(&near, &space, &s, err);
    }
    if (!status) status = find_limit(&near, n_positions, &limit, err);
    if (!status) status = collect(out, &near, limit, err);
    dlg_arena_release(&s.arena);
    dlg_free(near.entries);
    if (status) dlg_candidates_release(out);
    return status;
}
