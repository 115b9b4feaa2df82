#define _GNU_SOURCE
#include "math/blas.h"

#include "base/memory.h"
#include "math/packed_weight.h"
#include "math/simd.h"

#include <assert.h>
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS picks its kernels when it is loaded; these entry points of its dynamic-architecture builds let it pick
 * again. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/* What dlg_blas_start was told; 0 before. */
static int threads;

/* The kernels this processor could run, best first; NULL when there is nothing to gain on the choice OpenBLAS makes
 * anywhere. */
static const char *deserved_core(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return NULL;
}

/* How wide the vectors of a core's kernels are: 0 below AVX2, 1 AVX2, 2 AVX-512. */
static int core_width(const char *core)
{
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"}, *const medium[] = {"Haswell",
                                                                                                       "Zen"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strcmp(core, wide[i])) return 2;
    for (size_t i = 0; i < sizeof medium / sizeof *medium; i++)
        if (!strcmp(core, medium[i])) return 1;
    return 0;
}

const char *dlg_blas_start(int n_threads)
{
    static char line[192];
    char found[32];
    snprintf(found, sizeof found, "%s", openblas_get_corename());
    const char *wanted = deserved_core(), *by_user = getenv("OPENBLAS_CORETYPE");
    if (by_user) {
        snprintf(line, sizeof line, "OpenBLAS %s (by OPENBLAS_CORETYPE)", found);
    } else if (wanted && core_width(wanted) > core_width(found) && gotoblas_dynamic_init && gotoblas_dynamic_quit) {
        setenv("OPENBLAS_CORETYPE", wanted, 1);
        gotoblas_dynamic_quit();
        gotoblas_dynamic_init();
        unsetenv("OPENBLAS_CORETYPE");
        snprintf(line, sizeof line, "OpenBLAS %s (was %s)", openblas_get_corename(), found);
    } else {
        snprintf(line, sizeof line, "OpenBLAS %s", found);
    }
    threads = n_threads > 0 ? n_threads : openblas_get_num_threads();
    const char *constants = dlg_packed_weight_start(threads);
    const size_t end = strlen(line);
    if (constants) snprintf(line + end, sizeof line - end, " + %s", constants);
#ifdef _OPENMP
    /* Threads of two libraries that wait for work take the processor from each other: all are OpenMP's, OpenBLAS keeps
     * to one. */
    openblas_set_num_threads(1);
#else
    openblas_set_num_threads(constants ? 1 : threads);
#endif
    return line;
}

int dlg_blas_threads(void)
{
    return threads ? threads : openblas_get_num_threads();
}

void dlg_gemm(dlg_orientation a_is, dlg_orientation b_is, size_t m, size_t n, size_t k, dlg_real alpha,
              const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb, dlg_real beta, dlg_real *c, size_t ldc)
{
    const CBLAS_TRANSPOSE ta = a_is == DLG_TRANSPOSED ? CblasTrans : CblasNoTrans,
                          tb = b_is == DLG_TRANSPOSED ? CblasTrans : CblasNoTrans;
    if (!m || !n) return;
    /* BLAS wants a row length of at least 1 even of a matrix that has no columns (k = 0: a target of rank 0). */
    lda += !lda, ldb += !ldb;
#ifdef DLG_DOUBLE
    cblas_dgemm(CblasRowMajor, ta, tb, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
#endif
}

DLG_SIMD double dlg_dot(size_t n, const dlg_real *a, const dlg_real *b)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

DLG_SIMD double dlg_dot_of_doubles(size_t n, const double *a, const double *b)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double dlg_deviation(size_t n, const dlg_real *a)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i];
    const double mean = sum / (double)n;
    return sqrt(fmax(0, dlg_dot(n, a, a) / (double)n - mean * mean));
}

DLG_SIMD void dlg_gram_of_doubles(size_t n, size_t k, const double *a, double *out)
{
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)n, (int)k, 1, a, (int)k, 0, out, (int)n);
}

double dlg_sum_of_absolutes(size_t n, const dlg_real *a)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] < 0 ? -(double)a[i] : (double)a[i];
    return sum;
}

DLG_SIMD dlg_real dlg_largest_absolute(size_t n, const dlg_real *a)
{
    dlg_real most = 0;
#pragma omp simd reduction(max : most)
    for (size_t i = 0; i < n; i++) {
        const dlg_real size = a[i] < 0 ? -a[i] : a[i];
        most = size > most ? size : most;
    }
    return most;
}

dlg_status dlg_orthonormalise(size_t m, size_t n, double *a, dlg_error *err)
{
    assert(m >= n);
    if (!n) return DLG_OK;
    double *tau = dlg_allocate(n, sizeof *tau);
    if (!tau) return dlg_fail(err, DLG_ENOMEM, "QR of %zu x %zu: no memory", m, n);
    lapack_int info = LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, (lapack_int)m, (lapack_int)n, a, (lapack_int)n, tau);
    if (!info)
        info = LAPACKE_dorgqr(LAPACK_ROW_MAJOR, (lapack_int)m, (lapack_int)n, (lapack_int)n, a, (lapack_int)n, tau);
    dlg_free(tau);
    if (info)
        return dlg_fail(err, info < -1000 ? DLG_ENOMEM : DLG_ENONFINITE,
                        "QR of %zu x %zu: want finite numbers, found others (LAPACK says %d)", m, n, (int)info);
    return DLG_OK;
}

dlg_status dlg_symmetric_eigen(size_t n, double *a, double *values, dlg_error *err)
{
    if (!n) return DLG_OK;
    const lapack_int info = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, a, (lapack_int)n, values);
    if (info)
        return dlg_fail(err, info < -1000 ? DLG_ENOMEM : DLG_ENONFINITE,
                        "eigenvalues of %zu x %zu: want finite numbers, found others (LAPACK says %d)", n, n,
                        (int)info);
    return DLG_OK;
}
