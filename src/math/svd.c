#include "math/svd.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static dlg_status refuse(const char *what, size_t m, size_t n, lapack_int info, dlg_error *err)
{
    return dlg_fail(err, info < -1000 ? DLG_ENOMEM : DLG_ENONFINITE,
                    "%s of %zu x %zu: want finite numbers, found others (LAPACK says %d)", what, m, n, (int)info);
}

/* All of a (m, n), which is overwritten; values (min), vectors (min, n), min = min(m, n) */
static dlg_status whole(size_t m, size_t n, double *a, double *values, double *vectors, dlg_error *err)
{
    const size_t least = m < n ? m : n;
    const dlg_status interrupted = dlg_check_interrupt(err);
    if (interrupted) return interrupted;
    double *left = dlg_allocate(m * least, sizeof *left);
    if (!left) return dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    const lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)m, (lapack_int)n, a, (lapack_int)n,
                                           values, left, (lapack_int)least, vectors, (lapack_int)n);
    dlg_free(left);
    return info ? refuse("SVD", m, n, info, err) : DLG_OK;
}

/* c (m, k) = a (m, n) b (n, k), or with a^T: c (n, k) = a^T b (m, k) */
static void multiply(CBLAS_TRANSPOSE a_is, size_t m, size_t n, size_t k, const double *a, const double *b, double *c)
{
    const int rows = (int)(a_is == CblasTrans ? n : m), inner = (int)(a_is == CblasTrans ? m : n);
    cblas_dgemm(CblasRowMajor, a_is, CblasNoTrans, rows, (int)k, inner, 1, a, (int)n, b, (int)k, 0, c, (int)k);
}

/* vectors (k, n) := the leading right vectors of image (m, k) = a basis, turned back: V^T basis^T */
static dlg_status turn_back(size_t m, size_t n, size_t k, double *image, const double *basis, double *values,
                            double *vectors, dlg_error *err)
{
    double *small = dlg_allocate(k * k, sizeof *small);
    dlg_status status = small ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    if (!status) status = whole(m, k, image, values, small, err);
    if (!status)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)k, (int)n, (int)k, 1, small, (int)k, basis, (int)k, 0,
                    vectors, (int)n);
    dlg_free(small);
    return status;
}

static dlg_status sketch(size_t m, size_t n, const double *a, size_t k, double *values, double *vectors, dlg_error *err)
{
    double *outer = dlg_allocate(m * k, sizeof *outer), *inner = dlg_allocate(n * k, sizeof *inner);
    dlg_real *omega = dlg_allocate(m * k, sizeof *omega);
    dlg_status status = DLG_OK;
    if (!outer || !inner || !omega) {
        status = dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
        goto out;
    }
    dlg_random_normal_fill(omega, m * k, 1, 0, dlg_random_stream("sketch"));
    for (size_t i = 0; i < m * k; i++) outer[i] = (double)omega[i];
    for (int pass = 0; pass < 2 && !status; pass++) {
        multiply(CblasTrans, m, n, k, a, outer, inner);
        status = dlg_check_interrupt(err);
        if (!status) status = dlg_orthonormalise(n, k, inner, err);
        if (status) break;
        multiply(CblasNoTrans, m, n, k, a, inner, outer);
        if (pass == 0) status = dlg_orthonormalise(m, k, outer, err);
    }
    if (!status) status = turn_back(m, n, k, outer, inner, values, vectors, err);
out:
    dlg_free(omega);
    dlg_free(inner);
    dlg_free(outer);
    return status;
}

/* The stack in double, each block divided by its norm; NULL without memory. */
static double *in_double(const dlg_stack *stack, size_t m)
{
    double *a = dlg_allocate(m * stack->n_in, sizeof *a), *next = a;
    for (size_t i = 0; a && i < stack->n_blocks; i++) {
        const size_t n = stack->n_rows[i] * stack->n_in;
        const double norm = sqrt(dlg_dot(n, stack->blocks[i], stack->blocks[i]));
        for (size_t k = 0; k < n; k++) *next++ = norm > 0 ? (double)stack->blocks[i][k] / norm : 0;
    }
    return a;
}

dlg_status dlg_svd_right(const dlg_stack *stack, size_t k, double *values, double *vectors, dlg_error *err)
{
    const size_t m = dlg_stack_height(stack), n = stack->n_in, least = m < n ? m : n;
    double *a = in_double(stack, m), *s = NULL, *v = NULL;
    dlg_status status = a ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    if (status || !k) goto out;
    if (3 * k < n && k <= m) {
        status = sketch(m, n, a, k, values, vectors, err);
        goto out;
    }
    s = dlg_allocate(least, sizeof *s);
    v = dlg_allocate(least * n, sizeof *v);
    status = s && v ? whole(m, n, a, s, v, err) : dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    if (status) goto out;
    memcpy(values, s, k * sizeof *values);
    memcpy(vectors, v, k * n * sizeof *vectors);
out:
    dlg_free(v);
    dlg_free(s);
    dlg_free(a);
    return status;
}

double dlg_take_out(size_t rank, size_t n, const double *basis, double *x, double *along)
{
    double left2 = 0;
    for (size_t r = 0; r < rank; r++) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < n; i++) sum += basis[r * n + i] * x[i];
        along[r] = sum;
    }
    for (size_t r = 0; r < rank; r++)
        for (size_t i = 0; i < n; i++) x[i] -= along[r] * basis[r * n + i];
    for (size_t i = 0; i < n; i++) left2 += x[i] * x[i];
    return sqrt(left2);
}

dlg_status dlg_least_squares(size_t m, size_t n, size_t k, const double *a, const double *b, double smallest, double *x,
                             dlg_error *err)
{
    const size_t tall = m > n ? m : n, least = m < n ? m : n;
    double *copy = dlg_allocate(m * n, sizeof *copy), *both = dlg_allocate(tall * k, sizeof *both),
           *s = dlg_allocate(least, sizeof *s);
    dlg_status status =
        copy && both && s ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "least squares of %zu x %zu: no memory", m, n);
    if (!status) status = dlg_check_interrupt(err);
    if (!status) {
        lapack_int rank;
        memcpy(copy, a, m * n * sizeof *copy);
        memcpy(both, b, m * k * sizeof *both);
        const lapack_int info = LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)m, (lapack_int)n, (lapack_int)k, copy,
                                               (lapack_int)n, both, (lapack_int)k, s, smallest, &rank);
        if (info) status = refuse("least squares", m, n, info, err);
        else memcpy(x, both, n * k * sizeof *x);
    }
    dlg_free(s);
    dlg_free(both);
    dlg_free(copy);
    return status;
}

void dlg_take_out_of_columns(size_t rank, size_t n, const double *basis, size_t k, double *a, double *along)
{
    for (int pass = 0; pass < 2 && rank && k; pass++) { /* the second takes out what rounding left of the first */
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rank, (int)k, (int)n, 1, basis, (int)n, a, (int)k,
                    0, along, (int)k);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)k, (int)rank, -1, basis, (int)n, along,
                    (int)k, 1, a, (int)k);
    }
}
