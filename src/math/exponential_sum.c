#include "math/exponential_sum.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/solve.h"
#include "math/sorted.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum {
    SAMPLE = 4096,       /* points that the steps are made of */
    MANY_TERMS = 24,     /* of more terms than these */
    SMALL_SAMPLE = 2048, /* these points: each says more, and costs more */
    STEPS = 60,
    SLOW_STEPS = 10, /* of these one after the other are enough */
    TRIES = 12       /* of one step, each more careful than the one before */
};

/* A point drops out when so many times what the middle one leaves is left of it, and so much of its slope. */
static const double times_median = 20, least_left = 1e-5;

/* A step that gains no more than this part of what is left is the last one, where little is left, and no more than the
 * other a slow one. */
static const double small_gain = 0.02, little = 1e-5, slow_gain = 0.2;

/* Points further out than so many times the middle one are no corners: their values nearly vanish. */
static const double far_out = 4;

typedef struct {
    const dlg_exponential_points *points;
    size_t K, n;                        /* n: of the sample */
    double *x, *offset, *slope, *value; /* (n, K), (n), (n, K), (n) the sample */
    double *weight;                     /* (n) 1 / ||slope||; 0: dropped out */
    double *rates, *levels;             /* (K, K), (K) tried */
    double *q, *left;                   /* (n, K) and (n, K + 1), both weighted */
    double *norm;                       /* (n) of each row of `left` */
    double *lifted;                     /* (n, K (K + 1)) q_k (x, -1) */
    double *products;                   /* (K (K + 1), K (K + 1)) lifted^T lifted */
    double *normal, *step;              /* (K (K + 1), K (K + 1)), (K (K + 1)) */
    double damping;
    dlg_arena arena;
} fitting;

static void carve(fitting *f)
{
    const size_t K = f->K, n = f->n, unknowns = K * (K + 1);
    dlg_arena *a = &f->arena;
    f->x = dlg_arena_carve(a, n * K, sizeof *f->x);
    f->offset = dlg_arena_carve(a, n, sizeof *f->offset);
    f->slope = dlg_arena_carve(a, n * K, sizeof *f->slope);
    f->value = dlg_arena_carve(a, n, sizeof *f->value);
    f->weight = dlg_arena_carve(a, n, sizeof *f->weight);
    f->rates = dlg_arena_carve(a, K * K, sizeof *f->rates);
    f->levels = dlg_arena_carve(a, K, sizeof *f->levels);
    f->q = dlg_arena_carve(a, n * K, sizeof *f->q);
    f->left = dlg_arena_carve(a, n * (K + 1), sizeof *f->left);
    f->norm = dlg_arena_carve(a, n, sizeof *f->norm);
    f->lifted = dlg_arena_carve(a, n * unknowns, sizeof *f->lifted);
    f->products = dlg_arena_carve(a, unknowns * unknowns, sizeof *f->products);
    f->normal = dlg_arena_carve(a, unknowns * unknowns, sizeof *f->normal);
    f->step = dlg_arena_carve(a, unknowns, sizeof *f->step);
}

static double norm_of(size_t n, const double *x)
{
    return sqrt(dlg_dot_of_doubles(n, x, x));
}

/* ---- where to begin ---- */

/* The points' means, slope / value: rows of zeros where they are too far out. @return false without memory */
static bool find_means(const dlg_exponential_points *p, double *means)
{
    double *size = dlg_allocate(p->n + 1, sizeof *size), *sorted = dlg_allocate(p->n + 1, sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; size && sorted && i < p->n; i++) {
        if (p->value[i] == 0) continue;
        for (size_t k = 0; k < p->K; k++) means[i * p->K + k] = p->slope[i * p->K + k] / p->value[i];
        sorted[n++] = size[i] = norm_of(p->K, means + i * p->K);
    }
    const bool all = size && sorted;
    if (all && n) dlg_sort(n, sorted);
    for (size_t i = 0; all && i < p->n; i++)
        if (!(size[i] <= far_out * sorted[n / 2])) memset(means + i * p->K, 0, p->K * sizeof *means);
    dlg_free(sorted);
    dlg_free(size);
    return all;
}

/* rates := corners of the means, one after the other: the one furthest from the span of those before (successive
 * projections, Araujo et al. 2001). The means are used up. @return false where they span less */
static bool find_corners(const dlg_exponential_points *p, double *means, double *rates, double *along)
{
    const size_t K = p->K, n = p->n;
    for (size_t k = 0; k < K; k++) {
        size_t furthest = 0;
        double largest = 0;
        for (size_t i = 0; i < n; i++) {
            const double size = dlg_dot_of_doubles(K, means + i * K, means + i * K);
            if (size > largest) largest = size, furthest = i;
        }
        if (!(largest > 0)) return false;
        double direction[DLG_EXPONENTIAL_TERMS_MOST];
        for (size_t j = 0; j < K; j++) {
            direction[j] = means[furthest * K + j] / sqrt(largest);
            rates[k * K + j] = p->slope[furthest * K + j] / p->value[furthest];
        }
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)K, 1, means, (int)K, direction, 1, 0, along, 1);
        cblas_dger(CblasRowMajor, (int)n, (int)K, -1, along, 1, direction, 1, means, (int)K);
    }
    return true;
}

/* levels: of all terms alike of what is positive. */
static void find_levels(const fitting *f)
{
    const dlg_exponential_points *p = f->points;
    double all = 0;
    for (size_t i = 0; i < p->n; i++) all += fmax(0, p->value[i]);
    for (size_t k = 0; k < f->K; k++) {
        double largest = -INFINITY, sum = 0;
        for (size_t pass = 0; pass < 2; pass++)
            for (size_t i = 0; i < p->n; i++) {
                const double at = p->offset[i] + dlg_dot_of_doubles(f->K, f->rates + k * f->K, p->x + i * f->K);
                if (pass) sum += exp(at - largest);
                else largest = fmax(largest, at);
            }
        f->levels[k] = largest + log(sum) + log((double)f->K / all);
    }
}

static dlg_status begin(fitting *f, bool *is_there, dlg_error *err)
{
    const dlg_exponential_points *p = f->points;
    double *means = dlg_allocate(p->n * p->K, sizeof *means), *along = dlg_allocate(p->n, sizeof *along);
    const bool all = means && along && find_means(p, means);
    *is_there = all && find_corners(p, means, f->rates, along);
    if (*is_there) find_levels(f);
    dlg_free(along);
    dlg_free(means);
    return all ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "exponential sum: no memory");
}

/* ---- steps ---- */

/* q and left at these rates. @return the sum of squares of what is left */
static double evaluate(fitting *f, const double *rates, const double *levels)
{
    const size_t K = f->K, n = f->n;
    double sum = 0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)K, (int)K, 1, f->x, (int)K, rates, (int)K, 0,
                f->q, (int)K);
    for (size_t i = 0; i < n; i++) {
        double *left = f->left + i * (K + 1), value = 0;
        for (size_t k = 0; k < K; k++) {
            f->q[i * K + k] = f->weight[i] > 0 ? f->weight[i] * exp(f->q[i * K + k] + f->offset[i] - levels[k]) : 0;
            value += f->q[i * K + k];
            left[k] = f->weight[i] * f->slope[i * K + k];
        }
        left[K] = f->weight[i] * f->value[i] - value;
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)K, (int)K, -1, f->q, (int)K, rates, (int)K, 1,
                f->left, (int)K + 1);
    for (size_t i = 0; i < n; i++) {
        f->norm[i] = norm_of(K + 1, f->left + i * (K + 1));
        sum += f->norm[i] * f->norm[i];
    }
    return sum;
}

/*
 * A step of rate a and level a changes slope and value of a point by q_a (d + r_a e) and q_a e, d that of the rate and
 * e = (x, -1) (d, that of the level). products holds the sums of q_a q_b (x, -1) (x, -1)^T: the normal matrix and, in
 * step, the right side.
 */
static void make_normal(fitting *f, const double *rates)
{
    const size_t K = f->K, side = K + 1, N = K * side;
    for (size_t i = 0; i < f->n; i++)
        for (size_t a = 0; a < K; a++)
            for (size_t j = 0; j < side; j++)
                f->lifted[i * N + a * side + j] = f->q[i * K + a] * (j < K ? f->x[i * K + j] : -1);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)N, (int)f->n, 1, f->lifted, (int)N, 0, f->products, (int)N);
    for (size_t a = 0; a < K; a++)
        for (size_t b = a; b < K; b++) {
            const double *product = f->products + a * side * N + b * side, *r_a = rates + a * K, *r_b = rates + b * K;
            const double across = dlg_dot_of_doubles(K, r_a, r_b) + 1, both = product[K * N + K];
            /* below the diagonal of a block on it there is nothing: it is symmetric */
            for (size_t i = 0; i < side; i++)
                for (size_t j = a == b ? i : 0; j < side; j++) {
                    const double mean_i = a == b ? product[i * N + K] : f->products[(a * side + i) * N + b * side + K];
                    const double mean_j = a == b ? product[j * N + K] : product[K * N + j];
                    double sum = across * product[i * N + j] + (i < K && i == j ? both : 0);
                    if (i < K) sum -= r_b[i] * mean_j;
                    if (j < K) sum -= r_a[j] * mean_i;
                    f->normal[(a * side + i) * N + b * side + j] = f->normal[(b * side + j) * N + a * side + i] = sum;
                }
        }
}

static void make_right_side(const fitting *f, const double *rates, double *right)
{
    const size_t K = f->K, side = K + 1;
    memset(right, 0, K * side * sizeof *right);
    for (size_t i = 0; i < f->n; i++) {
        const double *left = f->left + i * side;
        for (size_t a = 0; a < K && f->weight[i] > 0; a++) {
            const double q = f->q[i * K + a], along = dlg_dot_of_doubles(K, rates + a * K, left) + left[K];
            for (size_t j = 0; j < K; j++) right[a * side + j] += q * (left[j] + along * f->x[i * K + j]);
            right[a * side + K] -= q * along;
        }
    }
}

/* One step that leaves less. @return what it leaves; `before` where none does */
static double take_step(fitting *f, dlg_exponential_sum *out, double before, double *right, double *damped)
{
    const size_t K = f->K, N = K * (K + 1);
    make_normal(f, out->rates);
    make_right_side(f, out->rates, right);
    for (size_t tried = 0; tried < TRIES; tried++, f->damping *= 4) {
        memcpy(damped, f->normal, N * N * sizeof *damped);
        memcpy(f->step, right, N * sizeof *right);
        for (size_t i = 0; i < N; i++) damped[i * N + i] += f->damping * f->normal[i * N + i];
        if (!dlg_solve_positive(N, damped, f->step)) continue;
        for (size_t a = 0; a < K; a++) {
            for (size_t j = 0; j < K; j++) f->rates[a * K + j] = out->rates[a * K + j] + f->step[a * (K + 1) + j];
            f->levels[a] = out->levels[a] + f->step[a * (K + 1) + K];
        }
        const double after = evaluate(f, f->rates, f->levels);
        if (!(after < before)) continue;
        memcpy(out->rates, f->rates, K * K * sizeof *out->rates);
        memcpy(out->levels, f->levels, K * sizeof *out->levels);
        f->damping /= 8;
        return after;
    }
    return before;
}

/* ---- points that do not belong ---- */

/* Weights as they are of points that belong; `norm` must be there, of points that all have one. */
static void drop(fitting *f, double limit)
{
    for (size_t i = 0; i < f->n; i++)
        if (!(f->norm[i] <= limit)) f->weight[i] = 0;
}

static double weigh_all(fitting *f, const dlg_exponential_sum *sum, double *sorted)
{
    for (size_t i = 0; i < f->n; i++) f->weight[i] = 1 / norm_of(f->K, f->slope + i * f->K);
    (void)evaluate(f, sum->rates, sum->levels);
    memcpy(sorted, f->norm, f->n * sizeof *sorted);
    dlg_sort(f->n, sorted);
    return sorted[f->n / 2];
}

static size_t count_in(const fitting *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) n += f->weight[i] > 0;
    return n;
}

/* The normal matrix' inverse times the square of what is left of a number. */
static void find_off(fitting *f, dlg_exponential_sum *out)
{
    const size_t K = f->K, side = K + 1, N = K * side;
    const double left2 = evaluate(f, out->rates, out->levels) / (double)(count_in(f) * side + 1);
    make_normal(f, out->rates);
    const bool is_sharp = dlg_invert_positive(N, f->normal);
    for (size_t a = 0; a < K; a++) {
        double sum = 0;
        for (size_t j = 0; j < K; j++) sum += f->normal[(a * side + j) * (N + 1)];
        out->off[a] = is_sharp ? sqrt(left2 * sum) : INFINITY;
    }
}

static dlg_status fit(fitting *f, dlg_exponential_sum *out, dlg_error *err)
{
    const size_t N = f->K * (f->K + 1);
    double *right = dlg_allocate(N, sizeof *right), *damped = dlg_allocate(N * N, sizeof *damped);
    double *sorted = dlg_allocate(f->n, sizeof *sorted);
    dlg_status status = right && damped && sorted ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "exponential sum: no memory");
    if (!status) out->misfit = weigh_all(f, out, sorted);
    for (size_t i = 0; !status && i < f->n; i++)
        if (!(f->value[i] > 0)) f->weight[i] = 0; /* of some class there was a label */
    for (size_t taken = 0, slow = 0; !status && taken < STEPS && slow < SLOW_STEPS; taken++) {
        const double before = evaluate(f, out->rates, out->levels);
        const double after = take_step(f, out, before, right, damped);
        const double middle = weigh_all(f, out, sorted);
        status = dlg_check_interrupt(err);
        const bool gains = after < (1 - small_gain) * before;
        slow = after < (1 - slow_gain) * before ? 0 : slow + 1;
        out->misfit = middle;
        drop(f, fmax(times_median * middle, least_left));
        if (after == before || (!gains && middle < little)) break;
    }
    if (!status && 2 * count_in(f) < f->n) out->misfit = INFINITY;
    if (!status) find_off(f, out);
    dlg_free(sorted);
    dlg_free(damped);
    dlg_free(right);
    return status;
}

static void take_sample(fitting *f)
{
    const dlg_exponential_points *p = f->points;
    for (size_t i = 0; i < f->n; i++) {
        const size_t at = i * p->n / f->n;
        memcpy(f->x + i * p->K, p->x + at * p->K, p->K * sizeof *f->x);
        memcpy(f->slope + i * p->K, p->slope + at * p->K, p->K * sizeof *f->slope);
        f->offset[i] = p->offset[at];
        f->value[i] = p->value[at];
    }
}

dlg_status dlg_exponential_sum_fit(dlg_exponential_sum *out, const dlg_exponential_points *points, dlg_error *err)
{
    const size_t K = points->K;
    fitting f = {.points = points, .K = K, .damping = 1e-3};
    const size_t sample = K > MANY_TERMS ? SMALL_SAMPLE : SAMPLE;
    bool is_there = false;
    f.n = points->n < sample ? points->n : sample;
    *out = (dlg_exponential_sum){K, dlg_allocate(K * K, sizeof *out->rates), dlg_allocate(K, sizeof *out->levels),
                                 dlg_allocate(K, sizeof *out->off), INFINITY};
    carve(&f);
    dlg_status status =
        out->rates && out->levels && out->off ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "exponential sum: no memory");
    if (!status) status = dlg_arena_reserve(&f.arena, "exponential sum", err);
    if (!status) {
        carve(&f);
        take_sample(&f);
        status = begin(&f, &is_there, err);
    }
    if (!status && is_there) {
        memcpy(out->rates, f.rates, K * K * sizeof *out->rates);
        memcpy(out->levels, f.levels, K * sizeof *out->levels);
        status = fit(&f, out, err);
    }
    dlg_arena_release(&f.arena);
    if (status) dlg_exponential_sum_release(out);
    return status;
}

void dlg_exponential_sum_at(const dlg_exponential_sum *sum, const double *x, double offset, double *q)
{
    for (size_t k = 0; k < sum->K; k++)
        q[k] = exp(offset + dlg_dot_of_doubles(sum->K, sum->rates + k * sum->K, x) - sum->levels[k]);
}

void dlg_exponential_sum_release(dlg_exponential_sum *sum)
{
    dlg_free(sum->rates);
    dlg_free(sum->levels);
    dlg_free(sum->off);
    *sum = (dlg_exponential_sum){0};
}
