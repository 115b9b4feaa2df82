#include "analytic/labels/pooler_descent.h"

#include "math/blas.h"
#include "math/solve.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 60 };

/* Nothing is left but rounding. */
static const double exact_below = 1e-14;

/* A descent that gains less in a step, short of a sentence, has come to another minimum. */
static const double least_gain = 1e-3;

static void activate(dlg_pooler_problem *m)
{
    for (size_t i = 0; i < m->H; i++) {
        const double x = m->s[i], y = m->is_relu ? fmax(0, x) : tanh(x);
        m->s[i] = y;
        m->slope[i] = m->is_relu ? x > 0 : 1 - y * y;
        m->bend[i] = m->is_relu ? 0 : -2 * y * (1 - y * y);
    }
}

void dlg_pooler_predict(dlg_pooler_problem *m, const double *k)
{
    const size_t H = m->H, C = m->C;
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < H; i++) m->s[i] = (double)m->pooler_bias[i];
    for (size_t j = 0; j < m->B; j++) dlg_pooler_add(H, k[j], m->image + j * H, m->s);
    activate(m);
    for (size_t c = 0; c < C; c++) {
        m->p[c] = (double)m->classifier_bias[c] + dlg_dot_of_doubles(H, m->classifier + c * H, m->s);
        largest = fmax(largest, m->p[c]);
    }
    for (size_t c = 0; c < C; c++) sum += m->p[c] = exp(m->p[c] - largest);
    for (size_t c = 0; c < C; c++) m->p[c] /= sum;
}

/* x := x without its part in the column space */
static void leave(const dlg_pooler_problem *m, double *x)
{
    for (size_t r = 0; r < m->B; r++) {
        const double *q = m->column + r * m->H;
        dlg_pooler_add(m->H, -dlg_dot_of_doubles(m->H, q, x), q, x);
    }
}

/* u := delta / |delta| and du := its derivative, both without their parts in the column space */
static void differentiate(dlg_pooler_problem *m)
{
    const size_t B = m->B, H = m->H, C = m->C;
    memset(m->t, 0, H * sizeof *m->t);
    for (size_t c = 0; c < C; c++) dlg_pooler_add(H, m->p[c] - (c == m->label), m->classifier + c * H, m->t);
    for (size_t i = 0; i < H; i++) m->u[i] = m->slope[i] * m->t[i];
    const double norm2 = dlg_dot_of_doubles(H, m->u, m->u), inverse = 1 / sqrt(norm2 > 0 ? norm2 : 1);
    for (size_t i = 0; i < H; i++) m->u[i] *= inverse;
    for (size_t j = 0; j < B; j++) {
        const double *image = m->image + j * H;
        double *du = m->du + j * H, mean = 0;
        for (size_t i = 0; i < H; i++) du[i] = m->slope[i] * image[i]; /* ds */
        for (size_t c = 0; c < C; c++) {
            m->dp[c] = dlg_dot_of_doubles(H, m->classifier + c * H, du);
            mean += m->p[c] * m->dp[c];
        }
        memset(du, 0, H * sizeof *du);
        for (size_t c = 0; c < C; c++) dlg_pooler_add(H, m->p[c] * (m->dp[c] - mean), m->classifier + c * H, du);
        for (size_t i = 0; i < H; i++) du[i] = inverse * (m->slope[i] * du[i] + m->bend[i] * m->t[i] * image[i]);
        dlg_pooler_add(H, -dlg_dot_of_doubles(H, m->u, du), m->u, du);
        leave(m, du);
    }
    leave(m, m->u);
}

/* One number that should be zero, and its derivative. */
static void add_residual(dlg_pooler_point *at, size_t B, double residual, const double *derivative)
{
    at->misfit += residual * residual;
    for (size_t i = 0; i < B; i++) {
        at->gradient[i] += residual * derivative[i];
        for (size_t j = 0; j < B; j++) at->hessian[i * B + j] += derivative[i] * derivative[j];
    }
}

dlg_pooler_point dlg_pooler_evaluate(dlg_pooler_problem *m, const double *k)
{
    const size_t B = m->B, H = m->H;
    dlg_pooler_point at = {0};
    double off_mean = -m->mean_is, norm2 = m->norm_constant, dnorm2[DLG_LABEL_RESTORATION_MOST];
    memcpy(at.k, k, B * sizeof *k);
    dlg_pooler_predict(m, k);
    differentiate(m);
    at.misfit = dlg_dot_of_doubles(H, m->u, m->u);
    for (size_t i = 0; i < B; i++) {
        at.gradient[i] = dlg_dot_of_doubles(H, m->u, m->du + i * H);
        for (size_t j = 0; j <= i; j++)
            at.hessian[i * B + j] = at.hessian[j * B + i] = dlg_dot_of_doubles(H, m->du + i * H, m->du + j * H);
        const double along = dlg_dot_of_doubles(B, m->norm + i * B, k);
        off_mean += m->mean[i] * k[i];
        norm2 += k[i] * (along - 2 * m->norm_linear[i]);
        dnorm2[i] = 2 * (along - m->norm_linear[i]) / (double)H;
    }
    add_residual(&at, B, off_mean, m->mean);
    add_residual(&at, B, norm2 / (double)H - 1, dnorm2);
    return at;
}

size_t dlg_pooler_descend(dlg_pooler_problem *m, dlg_pooler_point *at)
{
    const size_t B = m->B;
    double damping = 1e-2;
    size_t n_steps = 0;
    while (n_steps < MOST_STEPS && damping < 1e6 && at->misfit > exact_below) {
        double step[DLG_LABEL_RESTORATION_MOST], a[DLG_LABEL_RESTORATION_MOST * DLG_LABEL_RESTORATION_MOST],
            k[DLG_LABEL_RESTORATION_MOST];
        memcpy(a, at->hessian, B * B * sizeof *a);
        for (size_t i = 0; i < B; i++) {
            a[i * B + i] *= 1 + damping;
            step[i] = -at->gradient[i];
        }
        n_steps++;
        if (!dlg_solve_positive(B, a, step)) {
            damping *= 4;
            continue;
        }
        for (size_t i = 0; i < B; i++) k[i] = at->k[i] + step[i];
        const dlg_pooler_point next = dlg_pooler_evaluate(m, k);
        if (next.misfit < at->misfit) {
            const bool is_stuck = at->misfit > dlg_pooler_found_below && next.misfit > (1 - least_gain) * at->misfit;
            *at = next;
            damping = fmax(damping / 5, 1e-12);
            if (is_stuck) break;
        } else {
            damping *= 4;
        }
    }
    return n_steps;
}
