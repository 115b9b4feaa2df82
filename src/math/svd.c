#include "math/svd.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

static dlg_status refuse(const char *what, size_t m, size_t n, lapack_int info, dlg_error *err)
{
    return dlg_fail(err, info < -1000 ? DLG_ENOMEM : DLG_ENONFINITE, "%s of %zu x %zu: LAPACK says %d", what, m, n, (int)info);
}

/* All of a (m, n), which is overwritten; values (min), vectors (min, n), min = min(m, n) */
static dlg_status whole(size_t m, size_t n, double *a, double *values, double *vectors, dlg_error *err)
{
    const size_t least = m < n ? m : n;
    double *left = dlg_allocate(m * least, sizeof *left);
    if (!left) return dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    const lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)m, (lapack_int)n, a, (lapack_int)n, values, left,
                                           (lapack_int)least, vectors, (lapack_int)n);
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
static dlg_status turn_back(size_t m, size_t n, size_t k, double *image, const double *basis, double *values, double *vectors,
                            dlg_error *err)
{
    double *small = dlg_allocate(k * k, sizeof *small);
    dlg_status status = small ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    if (!status) status = whole(m, k, image, values, small, err);
    if (!status)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)k, (int)n, (int)k, 1, small, (int)k, basis, (int)k, 0, vectors, (int)n);
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
        status = dlg_orthonormalise(n, k, inner, err);
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

dlg_status dlg_svd_right(size_t m, size_t n, const double *a, size_t k, double *values, double *vectors, dlg_error *err)
{
    if (!k) return DLG_OK;
    if (3 * k < n && k <= m) return sketch(m, n, a, k, values, vectors, err);
    const size_t least = m < n ? m : n;
    double *copy = dlg_allocate(m * n, sizeof *copy), *s = dlg_allocate(least, sizeof *s), *v = dlg_allocate(least * n, sizeof *v);
    dlg_status status = copy && s && v ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "SVD of %zu x %zu: no memory", m, n);
    if (!status) {
        memcpy(copy, a, m * n * sizeof *copy);
        status = whole(m, n, copy, s, v, err);
    }
    if (!status) {
        memcpy(values, s, k * sizeof *values);
        memcpy(vectors, v, k * n * sizeof *vectors);
    }
    dlg_free(v);
    dlg_free(s);
    dlg_free(copy);
    return status;
}

dlg_status dlg_least_squares(size_t m, size_t n, size_t k, const double *a, const double *b, double smallest, double *x, dlg_error *err)
{
    const size_t tall = m > n ? m : n, least = m < n ? m : n;
    double *copy = dlg_allocate(m * n, sizeof *copy), *both = dlg_allocate(tall * k, sizeof *both), *s = dlg_allocate(least, sizeof *s);
    dlg_status status = copy && both && s ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "least squares of %zu x %zu: no memory", m, n);
    if (!status) {
        lapack_int rank;
        memcpy(copy, a, m * n * sizeof *copy);
        memcpy(both, b, m * k * sizeof *both);
        const lapack_int info = LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)m, (lapack_int)n, (lapack_int)k, copy, (lapack_int)n, both,
                                               (lapack_int)k, s, smallest, &rank);
        if (info) status = refuse("least squares", m, n, info, err);
        else memcpy(x, both, n * k * sizeof *x);
    }
    dlg_free(s);
    dlg_free(both);
    dlg_free(copy);
    return status;
}

/* Singular values of rounding fall more slowly than `fall` over so many, and are that small beside the first. */
static const double fall = 2.5, rounding = 4e-8;
enum { FALL_WITHIN = 8 };

size_t dlg_svd_rank(size_t n, const double *values)
{
    size_t rank = 0;
    for (size_t i = 0; i < n && values[i] > rounding * values[0]; i++)
        if (i + FALL_WITHIN >= n || values[i] > fall * values[i + FALL_WITHIN]) rank = i + 1;
    return rank;
}
