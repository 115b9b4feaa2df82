/*
 * A target t (out, in) with which the gradient g = dY^T X is formed and compared number by number.
 *
 *   e = dY^T X - t
 *
 * and for the direction c = a e + b t, or a e + b t + s sign(e) put in e's place
 *
 *   X c^T = a X e^T + b X t^T,   dY c = a dY e + b dY t.
 *
 * Three full products of n rows where b = 0, whatever the rank of t: where the rows are many, or t is not of low rank,
 * that is less than the products with factors come to (factored_target.c).
 */
#include "matching/target_kinds.h"
#include "math/blas.h"
#include "math/simd.h"

#include <string.h>

struct dlg_formed_target {
    dlg_real *difference; /* e (out, in); while the R sweeps run by number, the direction */
};

static void gradient(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy)
{
    dlg_target *t = (dlg_target *)self;
    const size_t in = t->n_in;
    for (size_t i = 0; i < t->n_parts; i++) {
        dlg_target_part *p = &t->parts[i];
        dlg_real *e = t->formed->difference + p->row * in;
        memcpy(e, p->t, p->n_rows * in * sizeof *e);
        dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, p->n_rows, in, n, 1, dy + p->row, t->n_out, x, in, -1, e, in);
        p->residual = (dlg_residual){p->tt, dlg_dot(p->n_rows * in, p->t, e), dlg_dot(p->n_rows * in, e, e),
                                     t->by_number ? dlg_sum_of_absolutes(p->n_rows * in, e) : 0};
    }
}

/* e becomes a e + b t + s sign(e) */
DLG_SIMD static void turn(size_t n, dlg_real a, dlg_real b, dlg_real s, const dlg_real *t, dlg_real *restrict e)
{
    for (size_t i = 0; i < n; i++) e[i] = a * e[i] + b * t[i] + (e[i] > 0 ? s : e[i] < 0 ? -s : 0);
}

static void rstart(dlg_weight_direction *self, size_t n, const dlg_real *x, const dlg_real *dy, dlg_real *ry,
                   dlg_real beta, dlg_real *rdx)
{
    const dlg_target *t = (const dlg_target *)self;
    const size_t in = t->n_in, out = t->n_out;
    for (size_t i = 0; i < t->n_parts; i++) {
        const dlg_target_part *p = &t->parts[i];
        dlg_real *e = t->formed->difference + p->row * in, a = (dlg_real)p->a, b = (dlg_real)p->b;
        if (p->s != 0) {
            turn(p->n_rows * in, a, b, (dlg_real)p->s, p->t, e);
            a = 1, b = 0;
        }
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, p->n_rows, in, a, x, in, e, in, 1, ry + p->row, out);
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, p->n_rows, a, dy + p->row, out, e, in, i ? 1 : beta, rdx, in);
        if (b == 0) continue;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, p->n_rows, in, b, x, in, p->t, in, 1, ry + p->row, out);
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, in, p->n_rows, b, dy + p->row, out, p->t, in, 1, rdx, in);
    }
}

double dlg_formed_target_cost(size_t n, size_t n_out, size_t n_in)
{
    return 3 * (double)n * (double)n_out * (double)n_in;
}

dlg_status dlg_formed_target_create(dlg_target *target, dlg_error *err)
{
    target->direction = (dlg_weight_direction){NULL, gradient, rstart, NULL};
    target->formed = dlg_allocate(1, sizeof *target->formed);
    if (!target->formed) return dlg_fail(err, DLG_ENOMEM, "target: no memory");
    target->formed->difference = dlg_allocate(target->n_out * target->n_in, sizeof *target->formed->difference);
    if (!target->formed->difference)
        return dlg_fail(err, DLG_ENOMEM, "target: no memory for %zu x %zu", target->n_out, target->n_in);
    return DLG_OK;
}

void dlg_formed_target_free(dlg_formed_target *formed)
{
    if (!formed) return;
    dlg_free(formed->difference);
    dlg_free(formed);
}
