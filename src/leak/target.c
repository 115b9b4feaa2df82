/*
 * The target t (out, in) of a weight whose gradient is g = dY^T X, with X (n, in), dY (n, out).
 *
 * Let B (r, in) have orthonormal rows and A = t B^T, so that t = A B + Z with Z B^T = 0. Split X = P B + X' with P = X B^T, X' B^T = 0.
 * Then with E = dY^T P - A
 *
 *   e = g - t = E B + dY^T X' - Z,
 *
 * three parts, of which the first is orthogonal to the others. Where g comes close to t, the two large numbers dY^T P and A are subtracted
 * entry by entry and everything after that is small, so single precision is enough; the more obvious ||g||^2 - 2 <g,t> + ||t||^2 would
 * cancel everything it has. With K = X' X'^T and G = dY dY^T (n, n) and W = X Z^T = X' Z^T (n, out):
 *
 *   ||e||^2 = ||E||^2 + <K, G> - 2 <dY, W> + ||Z||^2
 *   <t, e>  = <A, E> + <dY, W> - ||Z||^2
 *
 * and for the direction c = a e + b t
 *
 *   X c^T   = a [P | K] [E^T ; dY] + b P A^T + (b - a) W
 *   dY c    = (a dY [E | dY^T] + b dY [A | 0]) [B ; X'] + (b - a) dY Z
 *
 * where [E^T ; dY] (r + n, out) and [B ; X'] (r + n, in) are kept stacked, so that each is one product, and dY [E | dY^T] = [dY E | G] is
 * another. A gradient of n rows has rank <= n, so Z is rounding and is dropped: products of n x (r + n) instead of two full ones.
 *
 * A weight of several stacked parameters (query, key, value) shares X, B, P, X' and K; a, b, G and the residuals are one a part.
 */
#include "leak/target.h"

#include "base/memory.h"
#include "leak/row_space.h"
#include "math/blas.h"
#include "math/constant.h"
#include "math/simd.h"

#include <assert.h>
#include <string.h>

/* A remainder below this part of the target's norm is rounding of single precision, and is dropped. */
static const double rounding = 2e-6;

typedef struct {
    size_t row, n_rows; /* of t */
    double tt, zz;      /* ||t||^2, ||Z||^2 */
    double a, b;        /* the direction is a e + b t */
    dlg_residual residual;
    dlg_real *right;    /* [dY E | G] (n, rank + n) */
} part;

struct dlg_target {
    dlg_weight_direction direction;
    size_t n_out, n_in, n_max, rank, n_parts;
    part parts[DLG_TARGET_MAX_PARTS];
    dlg_real *basis;         /* B (rank, in), to be moved into inputs */
    dlg_real *coefficients;  /* A^T (rank, out) */
    dlg_constant *remainder; /* Z (out, in), or NULL */
    dlg_real *inputs;        /* [B ; X'] (rank + n, in) */
    dlg_real *outputs;       /* [E^T ; dY] (rank + n, out) */
    dlg_real *left;          /* [P | K] (n, rank + n) */
    dlg_real *mixed;         /* (n, rank + n) scratch */
    dlg_real *across;        /* with a remainder, (n, out): W, then (b - a) dY */
    dlg_arena arena;
};

/* <a, b> of blocks of n_rows rows, in double */
static double dot(size_t n_rows, size_t n_cols, const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb)
{
    double sum = 0;
    for (size_t i = 0; i < n_rows; i++) sum += dlg_dot(n_cols, a + i * lda, b + i * ldb);
    return sum;
}

/* to = a from + beta to by rows */
DLG_SIMD static void add_rows(size_t n_rows, size_t n_cols, dlg_real a, const dlg_real *from, size_t ld_from, dlg_real beta,
                              dlg_real *restrict to, size_t ld_to)
{
    for (size_t i = 0; i < n_rows; i++, from += ld_from, to += ld_to)
        for (size_t j = 0; j < n_cols; j++) to[j] = a * from[j] + (beta == 0 ? 0 : beta * to[j]);
}

static void backward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    const dlg_target *t = (const dlg_target *)self;
    (void)dy;
    if (t->remainder) dlg_constant_times_transpose(t->remainder, n, x, 0, t->across);
}

static void gradient(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    dlg_target *t = (dlg_target *)self;
    const size_t out = t->n_out, in = t->n_in, r = t->rank, ld = r + n;
    dlg_real *basis = t->inputs, *outside = t->inputs + r * in, *gram = t->left + r, *difference = t->outputs;
    assert(n <= t->n_max);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, r, in, 1, x, in, basis, in, 0, t->left, ld);
    memcpy(outside, x, n * in * sizeof *x);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, r, -1, t->left, ld, basis, in, 1, outside, in);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, n, in, 1, outside, in, outside, in, 0, gram, ld);
    memcpy(difference, t->coefficients, r * out * sizeof *difference);
    memcpy(t->outputs + r * out, dy, n * out * sizeof *dy);
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, r, out, n, 1, t->left, ld, dy, out, -1, difference, out);
    for (size_t i = 0; i < t->n_parts; i++) {
        part *p = &t->parts[i];
        const dlg_real *e = difference + p->row;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, ld, p->n_rows, 1, dy + p->row, out, t->outputs + p->row, out, 0, p->right, ld);
        const double dyw = t->remainder ? dot(n, p->n_rows, dy + p->row, out, t->across + p->row, out) : 0;
        const double ee = dot(r, p->n_rows, e, out, e, out) + dot(n, n, gram, ld, p->right + r, ld) - 2 * dyw + p->zz;
        p->residual = (dlg_residual){
            .tt = p->tt,
            .te = dot(r, p->n_rows, t->coefficients + p->row, out, e, out) + dyw - p->zz,
            .ee = ee > 0 ? ee : 0,
        };
    }
}

static void rstart(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry, dlg_real beta, dlg_real *rdx)
{
    dlg_target *t = (dlg_target *)self;
    const size_t out = t->n_out, in = t->n_in, r = t->rank, ld = r + n;
    (void)x;
    for (size_t i = 0; i < t->n_parts; i++) {
        const part *p = &t->parts[i];
        const dlg_real a = (dlg_real)p->a, b = (dlg_real)p->b;
        const dlg_real *coefficients = t->coefficients + p->row;
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, p->n_rows, ld, a, t->left, ld, t->outputs + p->row, out, 1, ry + p->row, out);
        add_rows(n, ld, a, p->right, ld, i > 0, t->mixed, ld);
        if (b != 0) {
            dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, p->n_rows, r, b, t->left, ld, coefficients, out, 1, ry + p->row, out);
            dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, r, p->n_rows, b, dy + p->row, out, coefficients, out, 1, t->mixed, ld);
        }
        if (t->remainder) {
            add_rows(n, p->n_rows, b - a, t->across + p->row, out, 1, ry + p->row, out);
            add_rows(n, p->n_rows, b - a, dy + p->row, out, 0, t->across + p->row, out);
        }
    }
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, ld, 1, t->mixed, ld, t->inputs, in, beta, rdx, in);
}

static void rbackward(dlg_weight_direction *self, size_t n, const dlg_real *dy, dlg_real *rdx)
{
    const dlg_target *t = (const dlg_target *)self;
    (void)dy;
    if (t->remainder) dlg_constant_times(t->remainder, n, t->across, 1, rdx);
}

void dlg_target_steer(dlg_target *t, size_t i, double a, double b)
{
    t->parts[i].a = a;
    t->parts[i].b = b;
}

/* ---- factoring ---- */

/* A^T = B t^T, Z = t - A B; Z is kept only where some part's is more than rounding. */
static dlg_status split(dlg_target *target, const dlg_real *t, dlg_error *err)
{
    const size_t out = target->n_out, in = target->n_in, r = target->rank;
    target->coefficients = dlg_allocate(out * r, sizeof *target->coefficients);
    dlg_real *remainder = dlg_allocate(out * in, sizeof *remainder);
    if (!target->coefficients || !remainder) {
        dlg_free(remainder);
        return dlg_fail(err, DLG_ENOMEM, "factors of a target: no memory");
    }
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, r, out, in, 1, target->basis, in, t, in, 0, target->coefficients, out);
    memcpy(remainder, t, out * in * sizeof *t);
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, out, in, r, -1, target->coefficients, out, target->basis, in, 1, remainder, in);
    int dense = 0;
    for (size_t i = 0; i < target->n_parts; i++) {
        part *p = &target->parts[i];
        p->zz = dlg_dot(p->n_rows * in, remainder + p->row * in, remainder + p->row * in);
        dense |= p->zz > rounding * rounding * p->tt;
    }
    if (dense) {
        const dlg_status status = dlg_constant_adopt(&target->remainder, remainder, out, in, err);
        return status ? status : dlg_constant_reserve(target->remainder, target->n_max, err);
    }
    dlg_free(remainder);
    for (size_t i = 0; i < target->n_parts; i++) target->parts[i].zz = 0;
    return DLG_OK;
}

static void carve(dlg_target *t)
{
    const size_t n = t->n_max, ld = t->rank + n;
    t->inputs = dlg_arena_carve(&t->arena, ld * t->n_in, sizeof *t->inputs);
    t->outputs = dlg_arena_carve(&t->arena, ld * t->n_out, sizeof *t->outputs);
    t->left = dlg_arena_carve(&t->arena, n * ld, sizeof *t->left);
    t->mixed = dlg_arena_carve(&t->arena, n * ld, sizeof *t->mixed);
    if (t->remainder) t->across = dlg_arena_carve(&t->arena, n * t->n_out, sizeof *t->across);
    for (size_t i = 0; i < t->n_parts; i++) t->parts[i].right = dlg_arena_carve(&t->arena, n * ld, sizeof *t->parts[i].right);
}

dlg_status dlg_target_create(dlg_target **out, size_t n_parts, const dlg_real *const blocks[], const size_t rows[], size_t n_in,
                             size_t n_rows, dlg_error *err)
{
    assert(n_parts <= DLG_TARGET_MAX_PARTS);
    *out = NULL;
    dlg_real *stacked = NULL;
    dlg_target *target = dlg_allocate(1, sizeof *target);
    if (!target) return dlg_fail(err, DLG_ENOMEM, "target: no memory");
    target->direction = (dlg_weight_direction){backward, gradient, rstart, rbackward};
    target->n_in = n_in;
    target->n_max = n_rows;
    target->n_parts = n_parts;
    for (size_t i = 0; i < n_parts; i++) {
        target->parts[i] = (part){.row = target->n_out, .n_rows = rows[i]};
        target->n_out += rows[i];
    }
    const dlg_stack stack = {n_parts, n_in, blocks, rows};
    dlg_row_space space = {0};
    dlg_status status = DLG_OK;
    if (n_parts > 1) stacked = dlg_allocate(target->n_out * n_in, sizeof *stacked);
    if (n_parts > 1 && !stacked) {
        status = dlg_fail(err, DLG_ENOMEM, "target: no memory");
        goto out;
    }
    for (size_t i = 0; i < n_parts; i++) {
        target->parts[i].residual.tt = target->parts[i].tt = dlg_dot(rows[i] * n_in, blocks[i], blocks[i]);
        if (stacked) memcpy(stacked + target->parts[i].row * n_in, blocks[i], rows[i] * n_in * sizeof *stacked);
    }
    status = dlg_row_space_find(&space, &stack, n_rows, err);
    target->rank = space.rank;
    target->basis = space.basis;
    if (!status) status = split(target, stacked ? stacked : blocks[0], err);
    if (status) goto out;
    carve(target);
    status = dlg_arena_reserve(&target->arena, "target", err);
    if (status) goto out;
    carve(target);
    memcpy(target->inputs, target->basis, target->rank * n_in * sizeof *target->basis);
    dlg_free(target->basis);
    target->basis = NULL;
out:
    dlg_free(stacked);
    if (status) dlg_target_free(target);
    else *out = target;
    return status;
}

void dlg_target_free(dlg_target *target)
{
    if (!target) return;
    dlg_free(target->basis);
    dlg_free(target->coefficients);
    dlg_constant_free(target->remainder);
    dlg_arena_release(&target->arena);
    dlg_free(target);
}

dlg_weight_direction *dlg_target_direction(dlg_target *target)
{
    return &target->direction;
}

dlg_residual dlg_target_residual(const dlg_target *target, size_t i)
{
    return target->parts[i].residual;
}

double dlg_target_unexplained(const dlg_target *target, size_t i)
{
    return target->parts[i].zz;
}

size_t dlg_target_rank(const dlg_target *target)
{
    return target->rank;
}

int dlg_target_is_dense(const dlg_target *target)
{
    return target->remainder != NULL;
}
