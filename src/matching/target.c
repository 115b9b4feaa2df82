#include "matching/target.h"

#include "matching/target_kinds.h"
#include "math/blas.h"
#include "math/row_space.h"
#include "math/tolerance.h"

#include <assert.h>
#include <string.h>

double dlg_target_dot(size_t n_rows, size_t n_cols, const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb)
{
    double sum = 0;
    for (size_t i = 0; i < n_rows; i++) sum += dlg_dot(n_cols, a + i * lda, b + i * ldb);
    return sum;
}

/* t = A B + Z, part by part: coefficients A^T (rank, out) = B t^T, remainder Z (out, in). Notes what Z holds of each
 * part. */
static void split(dlg_target *target, const dlg_real *basis, dlg_real *coefficients, dlg_real *remainder)
{
    const size_t out = target->n_out, in = target->n_in, r = target->rank;
    const double rounding = dlg_tolerance_remainder(target->n_max);
    for (size_t i = 0; i < target->n_parts; i++) {
        dlg_target_part *p = &target->parts[i];
        dlg_real *z = remainder + p->row * in;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, r, p->n_rows, in, 1, basis, in, p->t, in, 0, coefficients + p->row, out);
        memcpy(z, p->t, p->n_rows * in * sizeof *z);
        dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, p->n_rows, in, r, -1, coefficients + p->row, out, basis, in, 1, z, in);
        p->zz = dlg_dot(p->n_rows * in, z, z);
        p->z1 = target->by_number ? dlg_sum_of_absolutes(p->n_rows * in, z) : 0;
        target->is_dense |= p->zz > rounding * rounding * p->tt;
    }
    for (size_t i = 0; i < target->n_parts && !target->is_dense; i++) target->parts[i].zz = target->parts[i].z1 = 0;
}

/* Find the low-rank part, and hold the target in the way in which an evaluation costs less. */
static dlg_status hold(dlg_target *target, const dlg_stack *stack, dlg_error *err)
{
    const size_t n = target->n_max, out = target->n_out, in = target->n_in;
    dlg_row_space space = {0};
    dlg_status status = dlg_row_space_find(&space, stack, n, err);
    if (status) return status;
    target->rank = space.rank;
    dlg_real *coefficients = dlg_allocate(space.rank * out, sizeof *coefficients),
             *remainder = dlg_allocate(out * in, sizeof *remainder);
    if (!coefficients || !remainder) {
        status = dlg_fail(err, DLG_ENOMEM, "factors of a target: no memory");
        goto out;
    }
    split(target, space.basis, coefficients, remainder);
    if (!target->is_dense) {
        dlg_free(remainder);
        remainder = NULL;
    }
    if (target->by_number ||
        dlg_formed_target_cost(n, out, in) < dlg_factored_target_cost(n, out, in, space.rank, target->is_dense)) {
        status = dlg_formed_target_create(target, err);
        goto out;
    }
    return dlg_factored_target_create(target, space.basis, coefficients, remainder, err);
out:
    dlg_free(space.basis);
    dlg_free(coefficients);
    dlg_free(remainder);
    return status;
}

dlg_status dlg_target_create(dlg_target **out, const dlg_stack *stack, size_t n_rows, bool by_number, dlg_error *err)
{
    *out = NULL;
    dlg_target *target = dlg_allocate(1, sizeof *target);
    if (!target) return dlg_fail(err, DLG_ENOMEM, "target: no memory");
    target->n_in = stack->n_in;
    target->n_max = n_rows;
    target->n_parts = stack->n_blocks;
    target->by_number = by_number;
    for (size_t i = 0; i < stack->n_blocks; i++) {
        const size_t rows = stack->n_rows[i];
        const double tt = dlg_dot(rows * stack->n_in, stack->blocks[i], stack->blocks[i]);
        target->parts[i] = (dlg_target_part){
            .t = stack->blocks[i], .row = target->n_out, .n_rows = rows, .tt = tt, .residual = {.tt = tt}};
        target->n_out += rows;
    }
    const dlg_status status = hold(target, stack, err);
    if (status) dlg_target_free(target);
    else *out = target;
    return status;
}

void dlg_target_free(dlg_target *target)
{
    if (!target) return;
    dlg_factored_target_free(target->factored);
    dlg_formed_target_free(target->formed);
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

void dlg_target_steer(dlg_target *target, size_t i, dlg_distance_part direction)
{
    assert(target->by_number || direction.s == 0);
    target->parts[i].a = direction.a;
    target->parts[i].b = direction.b;
    target->parts[i].s = direction.s;
}

dlg_residual dlg_target_unexplained(const dlg_target *target, size_t i)
{
    const dlg_target_part *p = &target->parts[i];
    return (dlg_residual){p->tt, -p->zz, p->zz, p->z1};
}

double dlg_target_noise_share(const dlg_target *target)
{
    return target->rank < target->n_in ? (double)target->n_in / (double)(target->n_in - target->rank) : 0;
}

int dlg_target_is_dense(const dlg_target *target)
{
    return target->is_dense;
}
