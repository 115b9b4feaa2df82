/*
 * The target t (out, in) of a weight whose gradient is g = dY^T X, with X (n, in), dY (n, out).
 *
 * Let B (r, in) have orthonormal rows and A = t B^T, so that t = A B + Z with Z B^T = 0. Split X = P B + X' with P = X B^T, X' B^T = 0.
 * Then with M = dY^T P and E = M - A
 *
 *   e = g - t = E B + dY^T X' - Z,
 *
 * three parts, of which the first is orthogonal to the others. Where g comes close to t, the two large numbers M and A are subtracted entry
 * by entry and everything after that is small, so single precision is enough; the more obvious ||g||^2 - 2 <g,t> + ||t||^2 would cancel
 * everything it has. With K = X' X'^T and G = dY dY^T (n, n) and W = X' Z^T (n, out):
 *
 *   ||e||^2 = ||E||^2 + <K, G> - 2 <dY, W> + ||Z||^2
 *   <t, e>  = <A, E> + <dY, W> - ||Z||^2
 *
 * and for the direction c = a e + b t, with C = a E + b A:
 *
 *   X c^T   = P C^T + a K dY + (b - a) W
 *   dY c    = (dY C) B + a G X' + (b - a) dY Z
 *
 * A gradient of n rows has rank <= n, so Z is rounding and is dropped: products of n x r or n x n instead of two full ones.
 *
 * A weight of several stacked parameters (query, key, value) shares X, B, P, X' and K; a, b, G and the residuals are one a part.
 */
#include "leak/target.h"

#include "base/memory.h"
#include "leak/row_space.h"
#include "math/blas.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A remainder below this part of the target's norm is rounding of single precision, and is dropped. */
static const double rounding = 2e-6;

typedef struct {
    size_t row, n_rows; /* of t */
    double tt, zz;      /* ||t||^2, ||Z||^2 */
    double a, b;        /* the direction is a e + b t */
    dlg_residual residual;
    dlg_real *gram;     /* G (n, n) */
} part;

struct dlg_target {
    dlg_weight_direction direction;
    size_t n_out, n_in, n_max, rank, n_parts;
    part parts[DLG_TARGET_MAX_PARTS];
    dlg_real *basis;        /* B (rank, in) */
    dlg_real *coefficients; /* A (out, rank) */
    dlg_real *remainder;    /* Z (out, in), or NULL */
    dlg_real *difference;   /* E (out, rank), then C */
    dlg_real *inside;       /* P (n, rank) */
    dlg_real *outside;      /* X' (n, in) */
    dlg_real *gram_outside; /* K (n, n) */
    dlg_real *across;       /* W (n, out), with a remainder */
    dlg_real *mixed;        /* (n, max(n, rank)) scratch */
    dlg_arena arena;
};

static void take(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    dlg_target *t = (dlg_target *)self;
    const size_t out = t->n_out, in = t->n_in, r = t->rank;
    assert(n <= t->n_max);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, r, in, 1, x, in, t->basis, in, 0, t->inside, r);
    memcpy(t->outside, x, n * in * sizeof *x);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, r, -1, t->inside, r, t->basis, in, 1, t->outside, in);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, n, in, 1, t->outside, in, t->outside, in, 0, t->gram_outside, n);
    memcpy(t->difference, t->coefficients, out * r * sizeof *t->difference);
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, out, r, n, 1, dy, out, t->inside, r, -1, t->difference, r);
    if (t->remainder) dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, out, in, 1, t->outside, in, t->remainder, in, 0, t->across, out);
    for (size_t i = 0; i < t->n_parts; i++) {
        part *p = &t->parts[i];
        const dlg_real *dyp = dy + p->row, *ap = t->coefficients + p->row * r, *ep = t->difference + p->row * r;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, n, p->n_rows, 1, dyp, out, dyp, out, 0, p->gram, n);
        double dyw = 0;
        for (size_t k = 0; t->remainder && k < n; k++) dyw += dlg_dot(p->n_rows, dyp + k * out, t->across + p->row + k * out);
        p->residual = (dlg_residual){
            .tt = p->tt,
            .te = dlg_dot(p->n_rows * r, ap, ep) + dyw - p->zz,
            .ee = fmax(0, dlg_dot(p->n_rows * r, ep, ep) + dlg_dot(n * n, t->gram_outside, p->gram) - 2 * dyw + p->zz),
        };
    }
}

static void add_rforward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry)
{
    dlg_target *t = (dlg_target *)self;
    const size_t out = t->n_out, r = t->rank;
    (void)x;
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, out, r, 1, t->inside, r, t->difference, r, 1, ry, out);
    for (size_t i = 0; i < t->n_parts; i++) {
        const part *p = &t->parts[i];
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, p->n_rows, n, (dlg_real)p->a, t->gram_outside, n, dy + p->row, out, 1, ry + p->row, out);
        const dlg_real ba = (dlg_real)(p->b - p->a);
        for (size_t k = 0; t->remainder && k < n; k++)
            for (size_t j = p->row; j < p->row + p->n_rows; j++) ry[k * out + j] += ba * t->across[k * out + j];
    }
}

static void add_rbackward(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *rdx)
{
    dlg_target *t = (dlg_target *)self;
    const size_t out = t->n_out, in = t->n_in, r = t->rank;
    (void)x;
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, r, out, 1, dy, out, t->difference, r, 0, t->mixed, r);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, r, 1, t->mixed, r, t->basis, in, 1, rdx, in);
    memset(t->mixed, 0, n * n * sizeof *t->mixed);
    for (size_t i = 0; i < t->n_parts; i++) {
        const part *p = &t->parts[i];
        for (size_t k = 0; k < n * n; k++) t->mixed[k] += (dlg_real)p->a * p->gram[k];
        if (t->remainder)
            dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, p->n_rows, (dlg_real)(p->b - p->a), dy + p->row, out, t->remainder + p->row * in, in, 1,
                     rdx, in);
    }
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, n, 1, t->mixed, n, t->outside, in, 1, rdx, in);
}

void dlg_target_steer(dlg_target *t, size_t i, double a, double b)
{
    part *p = &t->parts[i];
    const dlg_real fa = (dlg_real)a, fb = (dlg_real)b;
    p->a = a;
    p->b = b;
    dlg_real *ep = t->difference + p->row * t->rank;
    const dlg_real *ap = t->coefficients + p->row * t->rank;
    for (size_t k = 0; k < p->n_rows * t->rank; k++) ep[k] = fa * ep[k] + fb * ap[k];
}

/* ---- factoring ---- */

/* A = t B^T, Z = t - A B; Z is kept only where some part's is more than rounding. */
static dlg_status split(dlg_target *target, const dlg_real *t, dlg_error *err)
{
    const size_t out = target->n_out, in = target->n_in, r = target->rank;
    target->coefficients = dlg_allocate(out * r, sizeof *target->coefficients);
    target->remainder = dlg_allocate(out * in, sizeof *target->remainder);
    if (!target->coefficients || !target->remainder) return dlg_fail(err, DLG_ENOMEM, "factors of a target: no memory");
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, out, r, in, 1, t, in, target->basis, in, 0, target->coefficients, r);
    memcpy(target->remainder, t, out * in * sizeof *t);
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, out, in, r, -1, target->coefficients, r, target->basis, in, 1, target->remainder, in);
    int dense = 0;
    for (size_t i = 0; i < target->n_parts; i++) {
        part *p = &target->parts[i];
        p->zz = dlg_dot(p->n_rows * in, target->remainder + p->row * in, target->remainder + p->row * in);
        dense |= sqrt(p->zz) > rounding * sqrt(p->tt);
    }
    if (dense) return DLG_OK;
    dlg_free(target->remainder);
    target->remainder = NULL;
    for (size_t i = 0; i < target->n_parts; i++) target->parts[i].zz = 0;
    return DLG_OK;
}

static void carve(dlg_target *t)
{
    const size_t n = t->n_max, r = t->rank;
    t->difference = dlg_arena_carve(&t->arena, t->n_out * r, sizeof *t->difference);
    t->inside = dlg_arena_carve(&t->arena, n * r, sizeof *t->inside);
    t->outside = dlg_arena_carve(&t->arena, n * t->n_in, sizeof *t->outside);
    t->gram_outside = dlg_arena_carve(&t->arena, n * n, sizeof *t->gram_outside);
    t->mixed = dlg_arena_carve(&t->arena, n * (n > r ? n : r), sizeof *t->mixed);
    if (t->remainder) t->across = dlg_arena_carve(&t->arena, n * t->n_out, sizeof *t->across);
    for (size_t i = 0; i < t->n_parts; i++) t->parts[i].gram = dlg_arena_carve(&t->arena, n * n, sizeof *t->parts[i].gram);
}

dlg_status dlg_target_create(dlg_target **out, size_t n_parts, const dlg_real *const blocks[], const size_t rows[], size_t n_in,
                             size_t n_rows, dlg_error *err)
{
    assert(n_parts <= DLG_TARGET_MAX_PARTS);
    *out = NULL;
    dlg_real *stacked = NULL;
    dlg_target *target = dlg_allocate(1, sizeof *target);
    if (!target) return dlg_fail(err, DLG_ENOMEM, "target: no memory");
    target->direction = (dlg_weight_direction){take, add_rforward, add_rbackward};
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
    if (!status) carve(target);
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
    dlg_free(target->remainder);
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
