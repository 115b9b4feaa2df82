#include "leak/rank.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>

/* Columns of a sketch beyond the largest rank looked for: a square random matrix has singular values near zero of its own. */
enum { OVERSAMPLING = 16 };

/* The last step down to single precision's rounding is the gap: at least this ratio, to at most this part of the largest value. */
static const double least_step = 5, rounding = 2e-7;

/*
 * Where there is none, because numbers were rounded more: the widest ratio, of at least so much, down to at most that, with a floor behind
 * it: so many values that decline by no more than this. The last values of a whole matrix fall off steeply whatever it holds.
 */
static const double least_gap = 8, largest_below = 1e-3, largest_decline = 4;
enum { FLOOR = 8 };

/* No value is told from zero below this part of the largest. */
static const double zero = 1e-8;

/* out (k, n) = omega (m, k)^T a (m, n), omega of independent random numbers */
static dlg_status sketch(size_t k, size_t m, size_t n, const dlg_real *a, dlg_real *out, dlg_error *err)
{
    dlg_real *omega = dlg_allocate(m * k, sizeof *omega);
    if (!omega) return dlg_fail(err, DLG_ENOMEM, "rank: no memory");
    dlg_random_uniform_fill(omega, m * k, 0, dlg_random_stream("rank"));
    dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, k, n, m, 1, omega, k, a, n, 0, out, n);
    dlg_free(omega);
    return DLG_OK;
}

static void transpose(size_t m, size_t n, const dlg_real *a, dlg_real *out)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
}

/* values (k) := squares of the singular values of a (k, n), ascending */
static dlg_status find_values(size_t k, size_t n, const dlg_real *a, double *values, dlg_error *err)
{
    double *gram = dlg_allocate(k * k, sizeof *gram);
    if (!gram) return dlg_fail(err, DLG_ENOMEM, "rank: no memory");
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++) gram[i * k + j] = gram[j * k + i] = dlg_dot(n, a + i * n, a + j * n);
    const dlg_status status = dlg_symmetric_eigen(k, gram, values, err);
    dlg_free(gram);
    return status;
}

/* Whether the values below the r-th are much the same. */
static bool has_floor(size_t k, const double *values, size_t r)
{
    return r + FLOOR <= k && values[k - r - 1] <= largest_decline * largest_decline * values[k - r - FLOOR];
}

static dlg_rank judge(size_t k, const double *values, size_t most)
{
    const double largest = values[k - 1];
    dlg_rank found = {.rank = most < k ? most : k};
    if (!(largest > 0)) return (dlg_rank){.is_clear = true};
    bool is_last_step = false;
    for (size_t r = 1; r < k && r <= most; r++) {
        const double above = sqrt(fmax(values[k - r] / largest, zero * zero)), below = sqrt(fmax(values[k - r - 1] / largest, zero * zero));
        const double ratio = above / below;
        if (ratio >= least_step && below <= rounding) {
            found = (dlg_rank){r, true, ratio};
            is_last_step = true;
        } else if (!is_last_step && ratio >= least_gap && below <= largest_below && ratio > found.gap && has_floor(k, values, r)) {
            found = (dlg_rank){r, true, ratio};
        }
    }
    return found;
}

dlg_status dlg_rank_find(dlg_rank *out, size_t m, size_t n, const dlg_real *a, size_t most, dlg_error *err)
{
    const size_t smaller = m < n ? m : n, wanted = most + OVERSAMPLING, k = wanted < smaller ? wanted : smaller;
    const size_t wide = wanted + OVERSAMPLING < n ? wanted + OVERSAMPLING : n;
    dlg_real *left = dlg_allocate(k * n, sizeof *left), *turned = dlg_allocate(n * k, sizeof *turned);
    dlg_real *both = dlg_allocate(wide * k, sizeof *both);
    double *values = dlg_allocate(k, sizeof *values);
    dlg_status status = DLG_OK;
    *out = (dlg_rank){0};
    if (!left || !turned || !both || !values) {
        status = dlg_fail(err, DLG_ENOMEM, "rank: no memory");
        goto out;
    }
    status = sketch(k, m, n, a, left, err);
    if (status) goto out;
    if (wide < n) { /* the other side too: it makes the decomposition small */
        transpose(k, n, left, turned);
        status = sketch(wide, n, k, turned, both, err);
        if (!status) transpose(wide, k, both, left);
    }
    if (!status) status = find_values(k, wide, left, values, err);
    if (!status) *out = judge(k, values, most);
out:
    dlg_free(left);
    dlg_free(turned);
    dlg_free(both);
    dlg_free(values);
    return status;
}
