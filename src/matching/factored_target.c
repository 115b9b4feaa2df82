/*
 * The target t (out, in) of a weight whose gradient is g = dY^T X, with X (n, in), dY (n, out), held in factors so that
 * g is never formed.
 *
 * Let B (r, in) have orthonormal rows and A = t B^T, so that t = A B + Z with Z B^T = 0. Split X = P B + X' with P = X
 * B^T, X' B^T = 0. Then with E = dY^T P - A
 *
 *   e = g - t = E B + dY^T X' - Z,
 *
 * three parts, of which the first is orthogonal to the others. Where g comes close to t, the two large numbers dY^T P
 * and A are subtracted entry by entry and everything after that is small, so single precision is enough; the more
 * obvious ||g||^2 - 2 <g,t> + ||t||^2 would cancel everything it has. With K = X' X'^T and G = dY dY^T (n, n) and W = X
 * Z^T = X' Z^T (n, out):
 *
 *   ||e||^2 = ||E||^2 + <K, G> - 2 <dY, W> + ||Z||^2
 *   <t, e>  = <A, E> + <dY, W> - ||Z||^2
 *
 * and for the direction c = a e + b t
 *
 *   X c^T   = a [P | K] [E^T ; dY] + b P A^T + (b - a) W
 *   dY c    = (a dY [E | dY^T] + b dY [A | 0]) [B ; X'] + (b - a) dY Z
 *
 * where [E^T ; dY] (r + n, out) and [B ; X'] (r + n, in) are kept stacked, so that each is one product, and dY [E |
 * dY^T] = [dY E | G] is another. A gradient of n rows has rank <= n, so Z is rounding and is dropped: products of n x
 * (r + n) instead of two full ones.
 *
 * A weight of several stacked parameters (query, key, value) shares X, B, P, X' and K; a, b, G and the residuals are
 * one a part.
 */
#include "matching/target_kinds.h"
#include "math/blas.h"
#include "math/packed_weight.h"
#include "math/simd.h"

#include <assert.h>
#include <string.h>

struct dlg_factored_target {
    dlg_real *coefficients;          /* A^T (rank, out) */
    dlg_packed_weight *remainder;    /* Z (out, in), or NULL */
    dlg_products *products;          /* with it */
    dlg_real *inputs;                /* [B ; X'] (rank + n, in) */
    dlg_real *outputs;               /* [E^T ; dY] (rank + n, out) */
    dlg_real *left;                  /* [P | K] (n, rank + n) */
    dlg_real *right[DLG_STACK_MOST]; /* [dY E | G] (n, rank + n) of each part */
    dlg_real *mixed;                 /* (n, rank + n) scratch */
    dlg_real *across;                /* with a remainder, (n, out): W, then (b - a) dY */
    dlg_arena arena;
};

/* to = a from + beta to by rows */
DLG_SIMD static void add_rows(size_t n_rows, size_t n_cols, dlg_real a, const dlg_real *from, size_t ld_from,
                              dlg_real beta, dlg_real *restrict to, size_t ld_to)
{
    for (size_t i = 0; i < n_rows; i++, from += ld_from, to += ld_to)
        for (size_t j = 0; j < n_cols; j++) to[j] = a * from[j] + (beta == 0 ? 0 : beta * to[j]);
}

static void backward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    const dlg_factored_target *f = ((const dlg_target *)self)->factored;
    (void)n, (void)dy;
    assert(n == ((const dlg_target *)self)->n_max);
    if (f->remainder) dlg_products_times_transpose(f->products, x, 0, f->across);
}

static void gradient(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    dlg_target *t = (dlg_target *)self;
    dlg_factored_target *f = t->factored;
    const size_t out = t->n_out, in = t->n_in, r = t->rank, ld = r + n;
    dlg_real *basis = f->inputs, *outside = f->inputs + r * in, *gram = f->left + r, *difference = f->outputs;
    assert(n <= t->n_max);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, r, in, 1, x, in, basis, in, 0, f->left, ld);
    memcpy(outside, x, n * in * sizeof *x);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, r, -1, f->left, ld, basis, in, 1, outside, in);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, n, in, 1, outside, in, outside, in, 0, gram, ld);
    memcpy(difference, f->coefficients, r * out * sizeof *difference);
    memcpy(f->outputs + r * out, dy, n * out * sizeof *dy);
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, r, out, n, 1, f->left, ld, dy, out, -1, difference, out);
    for (size_t i = 0; i < t->n_parts; i++) {
        dlg_target_part *p = &t->parts[i];
        const dlg_real *e = difference + p->row;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, ld, p->n_rows, 1, dy + p->row, out, f->outputs + p->row, out, 0,
                 f->right[i], ld);
        const double dyw = f->remainder ? dlg_target_dot(n, p->n_rows, dy + p->row, out, f->across + p->row, out) : 0;
        const double kg = dlg_target_dot(n, n, gram, ld, f->right[i] + r, ld);
        const double ee = dlg_target_dot(r, p->n_rows, e, out, e, out) + kg - 2 * dyw + p->zz;
        p->residual = (dlg_residual){
            .tt = p->tt,
            .te = dlg_target_dot(r, p->n_rows, f->coefficients + p->row, out, e, out) + dyw - p->zz,
            .ee = ee > 0 ? ee : 0,
        };
    }
}

static void rstart(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry,
                   dlg_real beta, dlg_real *rdx)
{
    dlg_target *t = (dlg_target *)self;
    dlg_factored_target *f = t->factored;
    const size_t out = t->n_out, in = t->n_in, r = t->rank, ld = r + n;
    (void)x;
    for (size_t i = 0; i < t->n_parts; i++) {
        const dlg_target_part *p = &t->parts[i];
        const dlg_real a = (dlg_real)p->a, b = (dlg_real)p->b;
        const dlg_real *coefficients = f->coefficients + p->row;
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, p->n_rows, ld, a, f->left, ld, f->outputs + p->row, out, 1, ry + p->row, out);
        add_rows(n, ld, a, f->right[i], ld, i > 0, f->mixed, ld);
        if (b != 0) {
            dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, p->n_rows, r, b, f->left, ld, coefficients, out, 1, ry + p->row, out);
            dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, r, p->n_rows, b, dy + p->row, out, coefficients, out, 1, f->mixed,
                     ld);
        }
        if (f->remainder) {
            add_rows(n, p->n_rows, b - a, f->across + p->row, out, 1, ry + p->row, out);
            add_rows(n, p->n_rows, b - a, dy + p->row, out, 0, f->across + p->row, out);
        }
    }
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, ld, 1, f->mixed, ld, f->inputs, in, beta, rdx, in);
}

static void rbackward(dlg_weight_direction *self, size_t n, const dlg_real *dy, dlg_real *rdx)
{
    const dlg_factored_target *f = ((const dlg_target *)self)->factored;
    (void)n, (void)dy;
    assert(n == ((const dlg_target *)self)->n_max);
    if (f->remainder) dlg_products_times(f->products, f->across, 1, rdx);
}

double dlg_factored_target_cost(size_t n, size_t n_out, size_t n_in, size_t rank, int is_dense)
{
    const double inputs = (double)n_in * (double)(2 * rank + n + rank + n),
                 outputs = (double)n_out * (double)(rank + rank + n + rank + n);
    return (double)n * (inputs + outputs + (is_dense ? 2 * (double)n_out * (double)n_in : 0));
}

static void carve(dlg_target *t)
{
    dlg_factored_target *f = t->factored;
    const size_t n = t->n_max, ld = t->rank + n;
    f->inputs = dlg_arena_carve(&f->arena, ld * t->n_in, sizeof *f->inputs);
    f->outputs = dlg_arena_carve(&f->arena, ld * t->n_out, sizeof *f->outputs);
    f->left = dlg_arena_carve(&f->arena, n * ld, sizeof *f->left);
    f->mixed = dlg_arena_carve(&f->arena, n * ld, sizeof *f->mixed);
    if (f->remainder) f->across = dlg_arena_carve(&f->arena, n * t->n_out, sizeof *f->across);
    for (size_t i = 0; i < t->n_parts; i++) f->right[i] = dlg_arena_carve(&f->arena, n * ld, sizeof *f->right[i]);
}

dlg_status dlg_factored_target_create(dlg_target *target, dlg_real *basis, dlg_real *coefficients, dlg_real *remainder,
                                      dlg_error *err)
{
    target->direction = (dlg_weight_direction){backward, gradient, rstart, rbackward};
    dlg_factored_target *f = target->factored = dlg_allocate(1, sizeof *f);
    if (!f) {
        dlg_free(basis);
        dlg_free(coefficients);
        dlg_free(remainder);
        return dlg_fail(err, DLG_ENOMEM, "target: no memory");
    }
    f->coefficients = coefficients;
    dlg_status status = DLG_OK;
    if (remainder) status = dlg_packed_weight_adopt(&f->remainder, remainder, target->n_out, target->n_in, err);
    if (!status && remainder)
        status = dlg_products_create(&f->products, f->remainder, target->n_max, DLG_BOTH_WAYS, err);
    if (!status) {
        carve(target);
        status = dlg_arena_reserve(&f->arena, "target", err);
    }
    if (!status) {
        carve(target);
        memcpy(f->inputs, basis, target->rank * target->n_in * sizeof *basis);
    }
    dlg_free(basis);
    return status;
}

void dlg_factored_target_free(dlg_factored_target *f)
{
    if (!f) return;
    dlg_free(f->coefficients);
    dlg_products_free(f->products);
    dlg_packed_weight_free(f->remainder);
    dlg_arena_release(&f->arena);
    dlg_free(f);
}
