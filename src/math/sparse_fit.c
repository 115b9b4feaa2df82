#include "math/sparse_fit.h"

#include "math/solve.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Below 1, so that one of several solutions wins over what lies between them; near 1, so that few rounds get stuck. */
static const double power = 0.7;

/* Of the mean of |y|: deviations below it count alike, so that no weight grows beyond all bounds; and of the weights'
 * own matrix, what keeps it positive. */
static const double least = 1e-4, ridge = 1e-14;

/* What an entry weighs that must be met, beside one that is. */
static const double met = 100;

/* A deviation to the other side counts as so much less than it is, so that it weighs more, and so does one beyond y. */
static const double wrong_side = 0.1, beyond = 3;

/* It has converged when the sum of what is left changes by no more than this part of it. */
static const double still = 1e-6;

size_t dlg_sparse_fit_scratch(size_t k, size_t n)
{
    return k * (n + k + 1) + n;
}

/* left := y - r, r by least squares with these weights (n). */
static bool solve(size_t k, size_t n, const double *basis, const double *y, const double *weights, double *left,
                  double *scratch)
{
    double *weighted = scratch, *normal = weighted + k * n, *along = normal + k * k, trace = 0;
    for (size_t i = 0; i < n; i++) left[i] = sqrt(weights[i]);
    for (size_t r = 0; r < k; r++)
        for (size_t i = 0; i < n; i++) weighted[r * n + i] = left[i] * basis[r * n + i];
    for (size_t i = 0; i < n; i++) left[i] *= y[i];
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)k, (int)n, 1, weighted, (int)n, 0, normal, (int)k);
    for (size_t r = 0; r < k; r++) trace += normal[r * k + r];
    for (size_t r = 0; r < k; r++) normal[r * k + r] += ridge * trace;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)k, (int)n, 1, weighted, (int)n, left, 1, 0, along, 1);
    if (!dlg_solve_positive(k, normal, along)) return false;
    memcpy(left, y, n * sizeof *left);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)k, (int)n, -1, basis, (int)n, along, 1, 1, left, 1);
    return true;
}

static double sum_of_absolutes(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += fabs(x[i]);
    return sum;
}

/* For its weight, in parts of the mean of |y|: between 0 and y what is left of y is as large as it is. */
static double deviation_of(double left, double y, double mean)
{
    const double along = (y < 0 ? -left : left) / mean, size = fabs(y) / mean;
    if (fabs(along) > size) return size / (1 + beyond * (fabs(along) - size));
    return along < 0 ? -wrong_side * along : along;
}

bool dlg_sparse_fit(size_t k, size_t n, const double *basis, const double *y, const bool *is_exact, size_t n_rounds,
                    bool goes_on, double *left, double *scratch)
{
    double *weights = scratch, mean = sum_of_absolutes(n, y) / (double)n, before = 0;
    if (!(mean > 0)) return false;
    for (size_t round = 0; round < n_rounds; round++) {
        for (size_t i = 0; i < n; i++) {
            const double deviation = round || goes_on ? deviation_of(left[i], y[i], mean) : 1;
            weights[i] = is_exact && is_exact[i] ? met * pow(least, power - 2) : pow(deviation + least, power - 2);
        }
        if (!solve(k, n, basis, y, weights, left, weights + n)) return false;
        const double now = sum_of_absolutes(n, left);
        if (fabs(now - before) < still * now) break;
        before = now;
    }
    return true;
}

bool dlg_fit_some(size_t k, size_t n, const double *basis, const double *y, const bool *counts, double *left,
                  double *scratch)
{
    for (size_t i = 0; i < n; i++) scratch[i] = counts[i];
    return solve(k, n, basis, y, scratch, left, scratch + n);
}

double dlg_sparse_fit_rest(size_t n, const double *y, const double *left)
{
    double rest = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        rest += pow(fabs(left[i]), power);
        all += pow(fabs(y[i]), power);
    }
    return rest / all;
}
