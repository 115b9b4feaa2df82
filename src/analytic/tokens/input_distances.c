/*
 * All (v, t) at once. With c = centred E[v] + centred P[t], gamma and beta those of the embeddings' LayerNorm, d =
 * gamma c:
 *
 *   x = d / s + beta,    s^2 = ||c||^2 / H + eps
 *   ||x||^2     = ||d||^2 / s^2 + 2 <d, beta> / s + ||beta||^2
 *   ||B x||^2   = ||B d||^2 / s^2 + 2 <B d, B beta> / s + ||B beta||^2
 *
 * and ||c||^2, ||d||^2, ||B d||^2 split into a part of v, a part of t and a product of both: three inner products of
 * c_v with numbers of t. In single precision that sees how far x lies outside to a thousandth.
 */
#include "analytic/tokens/input_distances.h"

#include "analytic/tokens/inputs.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 512 /* vocabulary entries at a time */ };

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
static double project(const dlg_input_row_space *space, const double *d, const dlg_real *gamma, dlg_real *out,
                      double *scratch)
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

static dlg_status make_sides(sides *s, const dlg_input_row_space *space, const dlg_inputs *in, size_t n_positions,
                             size_t n_types, dlg_error *err)
{
    const size_t H = space->H, T = n_positions * n_types;
    *s = (sides){.T = T, .n_types = n_types, .n_columns = 3 * T + 2};
    double *d = dlg_allocate(3 * H, sizeof *d);
    carve_sides(s, H);
    const dlg_status status = dlg_arena_reserve(&s->arena, "inputs", err);
    if (status || !d) {
        dlg_free(d);
        return status ? status : dlg_fail(err, DLG_ENOMEM, "inputs: no memory");
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
    double *scratch;    /* H */
    dlg_arena arena;
} workspace;

static void carve_workspace(workspace *w, const dlg_input_row_space *space, size_t n_columns)
{
    w->c = dlg_arena_carve(&w->arena, BLOCK * space->H, sizeof *w->c);
    w->products = dlg_arena_carve(&w->arena, BLOCK * n_columns, sizeof *w->products);
    w->along = dlg_arena_carve(&w->arena, BLOCK * (space->rank + 1), sizeof *w->along);
    w->basis = dlg_arena_carve(&w->arena, (space->rank + 1) * space->H, sizeof *w->basis);
    w->scratch = dlg_arena_carve(&w->arena, space->H, sizeof *w->scratch);
}

/* The inputs of one word, whose products are there. */
static dlg_status visit_word(const workspace *w, const sides *s, const dlg_input_row_space *space, const dlg_inputs *in,
                             size_t i, uint32_t token, dlg_input_visit visit, void *payload, dlg_error *err)
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
        if (!(norm2 > 0)) continue;
        const dlg_status status = visit(payload, token, t / s->n_types, t % s->n_types, 1 - inside2 / norm2, err);
        if (status) return status;
    }
    return DLG_OK;
}

dlg_status dlg_input_distances_visit(const dlg_input_row_space *space, size_t n_positions, size_t n_types,
                                     dlg_input_visit visit, dlg_input_enough is_enough, void *payload, dlg_error *err)
{
    const size_t H = space->H, V = space->model->config.vocabulary_size;
    const dlg_inputs in = dlg_inputs_of(space->model);
    sides s = {0};
    workspace w = {0};
    dlg_status status = make_sides(&s, space, &in, n_positions, n_types, err);
    if (!status) {
        carve_workspace(&w, space, s.n_columns);
        status = dlg_arena_reserve(&w.arena, "inputs", err);
    }
    if (!status) carve_workspace(&w, space, s.n_columns);
    for (size_t r = 0; r < space->rank && !status; r++)
        for (size_t i = 0; i < H; i++) w.basis[r * H + i] = (dlg_real)(space->basis[r * H + i] * (double)in.gamma[i]);
    bool enough = false;
    for (size_t first = 0; first < V && !status && !enough; first += BLOCK) {
        const size_t n = V - first < BLOCK ? V - first : BLOCK;
        for (size_t i = 0; i < n; i++) {
            dlg_input_of_token(&in, (uint32_t)(first + i), w.scratch);
            for (size_t k = 0; k < H; k++) w.c[i * H + k] = (dlg_real)w.scratch[k];
        }
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, s.n_columns, H, 1, w.c, H, s.columns, H, 0, w.products, s.n_columns);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, space->rank, H, 1, w.c, H, w.basis, H, 0, w.along, space->rank);
        status = dlg_check_interrupt(err);
        for (size_t i = 0; i < n && !status; i++)
            status = visit_word(&w, &s, space, &in, i, (uint32_t)(first + i), visit, payload, err);
        enough = !status && is_enough && is_enough(payload, first + n);
    }
    dlg_arena_release(&w.arena);
    dlg_arena_release(&s.arena);
    return status;
}
