/**
 * The matrix products and decompositions the project needs, in dlg_real, on OpenBLAS and LAPACK. All matrices are
 * row-major.
 */
#ifndef DLG_MATH_BLAS_H
#define DLG_MATH_BLAS_H

#include "base/status.h"
#include "math/real.h"

#include <stddef.h>

/**
 * Make OpenBLAS use the kernels this processor deserves. Debian's OpenBLAS does not know newer processors and falls
 * back to slow ones; this compares its choice with cpuid and has it choose again. An OPENBLAS_CORETYPE that the user
 * has set is left alone. To be called before the first product and before the first constant.
 * @param n_threads threads of the products; 0: as many as OpenBLAS would use. A program that uses more than one with
 *   oneDNN on a busy machine
 *        wants GOMP_SPINCOUNT=1000 in its environment (src/cli/waiting.h says why)
 * @return a line for the start message, such as "OpenBLAS SkylakeX (was Prescott) + oneDNN 2.6.3 (AVX-512)"; valid
 * until the next call
 */
const char *dlg_blas_start(int n_threads);

/** How many threads the products use. */
int dlg_blas_threads(void);

typedef enum { DLG_PLAIN, DLG_TRANSPOSED } dlg_orientation;

/**
 * C = alpha op(A) op(B) + beta C, with op(A) (m,k), op(B) (k,n), C (m,n); ld*: numbers from one stored row to the next.
 * beta 0 overwrites.
 */
void dlg_gemm(dlg_orientation a_is, dlg_orientation b_is, size_t m, size_t n, size_t k, dlg_real alpha,
              const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb, dlg_real beta, dlg_real *c, size_t ldc);

/** Sum of a[i] b[i], accumulated in double. */
double dlg_dot(size_t n, const dlg_real *a, const dlg_real *b);

/** Standard deviation of a (n). */
double dlg_deviation(size_t n, const dlg_real *a);

/** The same of doubles. */
double dlg_dot_of_doubles(size_t n, const double *a, const double *b);

/** out (n,n) = a a^T of doubles, a (n,k); of it the upper half is written, with the diagonal. */
void dlg_gram_of_doubles(size_t n, size_t k, const double *a, double *out);

/** Sum of |a[i]|, accumulated in double. */
double dlg_sum_of_absolutes(size_t n, const dlg_real *a);

/** The largest of n absolute values; 0 of none. */
dlg_real dlg_largest_absolute(size_t n, const dlg_real *a);

/**
 * Replace the columns of a (m,n), m >= n, by an orthonormal basis of what they span (Householder QR, in double).
 * Errors: DLG_ENOMEM; DLG_ENONFINITE when LAPACK rejects the numbers.
 */
DLG_MUST_USE dlg_status dlg_orthonormalise(size_t m, size_t n, double *a, dlg_error *);

/**
 * Eigenvalues, ascending, and eigenvectors of the symmetric a (n,n): on return column j of a belongs to values[j].
 * Errors: as dlg_orthonormalise.
 */
DLG_MUST_USE dlg_status dlg_symmetric_eigen(size_t n, double *a, double *values, dlg_error *);

#endif
