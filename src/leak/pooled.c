#include "leak/pooled.h"

#include "leak/rank.h"
#include "leak/row_space.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = DLG_POOLED_MOST, MOST_STEPS = 60 };

/* Multiplications that all starts together may cost. */
static const double budget = 3e8;

/* A sentence is found when so little (squared) of its unit delta lies outside of the column space; other minima leave a tenth and more. */
static const double found_below = 1e-6, exact_below = 1e-14;

/* The found sentences explain the bias when no larger part of it is left over. */
static const double explained_below = 0.02;

typedef struct {
    size_t B, H, C;
    const dlg_real *classifier, *classifier_bias, *pooler_bias;
    double *image;              /* (H, B) W q_i */
    double *column;             /* (H, B) orthonormal: the column space of G */
    double mean[MOST], mean_is; /* mean . k = mean_is: the layer norm's mean */
    double norm[MOST * MOST], norm_linear[MOST], norm_constant; /* k^T norm k - 2 norm_linear . k + norm_constant = H: its norm */
    /* at one k */
    double *s, *p, *t, *u;      /* (H) (C) (H) (H) */
    double *dp, *du;            /* (C, B) (H, B) their derivatives */
    size_t label;
} problem;

/* A point, what it leaves, and the normal equations there. */
typedef struct {
    double k[MOST], misfit, gradient[MOST], hessian[MOST * MOST];
} point;

/* ---- the residual and its derivative ---- */

static void predict(problem *m, const double *k)
{
    const size_t B = m->B, H = m->H, C = m->C;
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < H; i++) {
        double z = (double)m->pooler_bias[i];
        for (size_t j = 0; j < B; j++) z += m->image[i * B + j] * k[j];
        m->s[i] = tanh(z);
    }
    for (size_t c = 0; c < C; c++) {
        double z = (double)m->classifier_bias[c];
        for (size_t i = 0; i < H; i++) z += (double)m->classifier[c * H + i] * m->s[i];
        m->p[c] = z;
        largest = fmax(largest, z);
    }
    for (size_t c = 0; c < C; c++) sum += m->p[c] = exp(m->p[c] - largest);
    for (size_t c = 0; c < C; c++) m->p[c] /= sum;
}

/* du := (u - its part in the column space)', u = delta / |delta|, and u itself is left without that part */
static void differentiate(problem *m)
{
    const size_t B = m->B, H = m->H, C = m->C;
    double norm2 = 0;
    memset(m->t, 0, H * sizeof *m->t);
    memset(m->dp, 0, C * B * sizeof *m->dp);
    memset(m->du, 0, H * B * sizeof *m->du);
    for (size_t c = 0; c < C; c++) {
        const double e = m->p[c] - (c == m->label);
        const dlg_real *row = m->classifier + c * H;
        double *dz = m->dp + c * B;
        for (size_t i = 0; i < H; i++) {
            const double slope = (1 - m->s[i] * m->s[i]) * (double)row[i];
            m->t[i] += e * (double)row[i];
            for (size_t j = 0; j < B; j++) dz[j] += slope * m->image[i * B + j];
        }
    }
    for (size_t j = 0; j < B; j++) { /* softmax */
        double mean = 0;
        for (size_t c = 0; c < C; c++) mean += m->p[c] * m->dp[c * B + j];
        for (size_t c = 0; c < C; c++) m->dp[c * B + j] = m->p[c] * (m->dp[c * B + j] - mean);
    }
    for (size_t c = 0; c < C; c++)
        for (size_t i = 0; i < H; i++)
            for (size_t j = 0; j < B; j++) m->du[i * B + j] += (double)m->classifier[c * H + i] * m->dp[c * B + j];
    for (size_t i = 0; i < H; i++) {
        const double slope = 1 - m->s[i] * m->s[i];
        m->u[i] = slope * m->t[i];
        norm2 += m->u[i] * m->u[i];
        for (size_t j = 0; j < B; j++) m->du[i * B + j] = slope * (m->du[i * B + j] - 2 * m->s[i] * m->t[i] * m->image[i * B + j]);
    }
    const double inverse = 1 / sqrt(norm2 > 0 ? norm2 : 1);
    double along[MOST] = {0}, inside[MOST] = {0}, dinside[MOST * MOST] = {0};
    for (size_t i = 0; i < H; i++) {
        m->u[i] *= inverse;
        for (size_t j = 0; j < B; j++) along[j] += m->u[i] * m->du[i * B + j];
    }
    for (size_t i = 0; i < H; i++)
        for (size_t j = 0; j < B; j++) m->du[i * B + j] = inverse * (m->du[i * B + j] - m->u[i] * along[j]);
    for (size_t i = 0; i < H; i++)
        for (size_t r = 0; r < B; r++) {
            inside[r] += m->column[i * B + r] * m->u[i];
            for (size_t j = 0; j < B; j++) dinside[r * B + j] += m->column[i * B + r] * m->du[i * B + j];
        }
    for (size_t i = 0; i < H; i++)
        for (size_t r = 0; r < B; r++) {
            m->u[i] -= m->column[i * B + r] * inside[r];
            for (size_t j = 0; j < B; j++) m->du[i * B + j] -= m->column[i * B + r] * dinside[r * B + j];
        }
}

static void add_residual(point *at, size_t B, double residual, const double *derivative)
{
    at->misfit += residual * residual;
    for (size_t i = 0; i < B; i++) {
        at->gradient[i] += residual * derivative[i];
        for (size_t j = 0; j < B; j++) at->hessian[i * B + j] += derivative[i] * derivative[j];
    }
}

static point evaluate(problem *m, const double *k)
{
    const size_t B = m->B;
    point at = {0};
    double off_mean = -m->mean_is, norm2 = m->norm_constant, dnorm2[MOST];
    memcpy(at.k, k, B * sizeof *k);
    predict(m, k);
    differentiate(m);
    for (size_t i = 0; i < m->H; i++) add_residual(&at, B, m->u[i], m->du + i * B);
    for (size_t i = 0; i < B; i++) {
        double along = 0;
        for (size_t j = 0; j < B; j++) along += m->norm[i * B + j] * k[j];
        off_mean += m->mean[i] * k[i];
        norm2 += k[i] * (along - 2 * m->norm_linear[i]);
        dnorm2[i] = 2 * (along - m->norm_linear[i]) / (double)m->H;
    }
    add_residual(&at, B, off_mean, m->mean);
    add_residual(&at, B, norm2 / (double)m->H - 1, dnorm2);
    return at;
}

/* Levenberg-Marquardt. @param[in,out] at where it begins and ends @return steps taken */
static size_t descend(problem *m, point *at)
{
    const size_t B = m->B;
    double damping = 1e-2;
    size_t n_steps = 0;
    while (n_steps < MOST_STEPS && damping < 1e6 && at->misfit > exact_below) {
        double step[MOST], a[MOST * MOST], k[MOST];
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
        const point next = evaluate(m, k);
        if (next.misfit < at->misfit) {
            *at = next;
            damping = fmax(damping / 5, 1e-12);
        } else {
            damping *= 4;
        }
    }
    return n_steps;
}

/* ---- what is known of all k ---- */

/* Random k that fulfil what the layer norm says. @return false where a draw does not reach it */
static bool draw(const problem *m, dlg_random *random, double *k)
{
    const size_t B = m->B;
    double z[MOST], aa = 0, za = 0, a2 = 0, a1 = 0, a0 = m->norm_constant - (double)m->H;
    for (size_t i = 0; i < B; i++) {
        /* Sums of uniform numbers are normal enough for a direction. */
        z[i] = -6;
        for (int n = 0; n < 12; n++) z[i] += dlg_random_uniform(random);
        za += z[i] * m->mean[i];
        aa += m->mean[i] * m->mean[i];
    }
    if (!(aa > 0)) return false;
    for (size_t i = 0; i < B; i++) {
        z[i] -= m->mean[i] * za / aa;
        k[i] = m->mean[i] * m->mean_is / aa;
    }
    for (size_t i = 0; i < B; i++) {
        double along_z = 0, along_k = 0;
        for (size_t j = 0; j < B; j++) {
            along_z += m->norm[i * B + j] * z[j];
            along_k += m->norm[i * B + j] * k[j];
        }
        a2 += z[i] * along_z;
        a1 += 2 * z[i] * (along_k - m->norm_linear[i]);
        a0 += k[i] * (along_k - 2 * m->norm_linear[i]);
    }
    const double under_root = a1 * a1 - 4 * a2 * a0;
    if (!(a2 > 0) || under_root < 0) return B == 1; /* of one sentence there is but one k */
    for (size_t i = 0; i < B; i++) k[i] += z[i] * (sqrt(under_root) - a1) / (2 * a2);
    return true;
}

static const dlg_parameter *last_norm(const dlg_model *model, const char *part)
{
    char name[DLG_PARAMETER_NAME];
    snprintf(name, sizeof name, "bert.encoder.layer.%zu.output.LayerNorm.%s", model->config.n_layers - 1, part);
    return dlg_model_parameter(model, name);
}

static bool set_norm(problem *m, const dlg_model *model, const dlg_real *basis)
{
    const size_t B = m->B, H = m->H;
    const dlg_real *gamma = last_norm(model, "weight")->value, *beta = last_norm(model, "bias")->value;
    for (size_t i = 0; i < H; i++) {
        const double g = (double)gamma[i], b = (double)beta[i] / g;
        if (g == 0) return false;
        m->mean_is += b / (double)H;
        m->norm_constant += b * b;
        for (size_t r = 0; r < B; r++) {
            const double q = (double)basis[r * H + i] / g;
            m->mean[r] += q / (double)H;
            m->norm_linear[r] += b * q;
            for (size_t j = 0; j < B; j++) m->norm[r * B + j] += q * (double)basis[j * H + i] / g;
        }
    }
    return true;
}

static dlg_status set_spaces(problem *m, const dlg_gradient *gradient, const dlg_real *basis, dlg_error *err)
{
    const size_t B = m->B, H = m->H;
    const dlg_real *weight = dlg_model_parameter(gradient->model, "bert.pooler.dense.weight")->value;
    const dlg_real *g = dlg_gradient_of(gradient, "bert.pooler.dense.weight");
    for (size_t i = 0; i < H; i++)
        for (size_t r = 0; r < B; r++) {
            m->image[i * B + r] = dlg_dot(H, weight + i * H, basis + r * H);
            m->column[i * B + r] = dlg_dot(H, g + i * H, basis + r * H);
        }
    return dlg_orthonormalise(H, B, m->column, err);
}

/* ---- the search ---- */

typedef struct {
    size_t n, label[MOST];
    double k[MOST][MOST];
} found;

static bool is_new(const found *f, const problem *m, const double *k)
{
    for (size_t n = 0; n < f->n; n++) {
        double apart2 = 0, size2 = 0;
        for (size_t i = 0; i < m->B; i++) {
            apart2 += (k[i] - f->k[n][i]) * (k[i] - f->k[n][i]);
            size2 += k[i] * k[i];
        }
        if (apart2 < 1e-6 * size2) return false;
    }
    return true;
}

/* Classes by their bias' gradient, least first: labels pull theirs down. */
static void order_classes(size_t C, const dlg_real *g, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t best = C;
        for (size_t c = 0; c < C; c++) {
            bool taken = false;
            for (size_t j = 0; j < i && !taken; j++) taken = order[j] == c;
            if (!taken && (best == C || g[c] < g[best])) best = c;
        }
        order[i] = best;
    }
}

static void search(found *f, problem *m, const dlg_real *bias)
{
    size_t order[3 * MOST], n_classes = 3 * m->B < m->C ? 3 * m->B : m->C;
    const double step_cost = (double)(m->H * m->B * (2 * m->C + 2 * m->B + 8));
    dlg_random random = dlg_random_at(0, dlg_random_stream("pooled"));
    order_classes(m->C, bias, n_classes, order);
    double cost = 0;
    for (size_t start = 0; f->n < m->B && cost < budget; start++) {
        double k[MOST];
        cost += step_cost / 16; /* draws that fail must end as well */
        if (!draw(m, &random, k)) continue;
        m->label = order[start % n_classes];
        point at = evaluate(m, k);
        cost += (double)(1 + descend(m, &at)) * step_cost;
        if (!(at.misfit < found_below) || !is_new(f, m, at.k)) continue;
        memcpy(f->k[f->n], at.k, m->B * sizeof *at.k);
        f->label[f->n++] = m->label;
    }
}

/* Whether the sentences together make the bias' gradient: scale * mean (p - e_y). */
static bool explain(dlg_pooled *out, const found *f, problem *m, const dlg_real *bias, double *mean)
{
    double along = 0, norm2 = 0, g2 = 0;
    memset(mean, 0, m->C * sizeof *mean);
    for (size_t n = 0; n < f->n; n++) {
        predict(m, f->k[n]);
        for (size_t c = 0; c < m->C; c++) mean[c] += (m->p[c] - (c == f->label[n])) / (double)f->n;
    }
    for (size_t c = 0; c < m->C; c++) {
        along += mean[c] * (double)bias[c];
        norm2 += mean[c] * mean[c];
        g2 += (double)bias[c] * (double)bias[c];
    }
    if (!(norm2 > 0) || !(g2 > 0)) return false;
    out->scale = along / norm2;
    out->misfit = sqrt(fmax(0, 1 - along * along / (norm2 * g2)));
    return out->scale > 0 && out->misfit < explained_below;
}

dlg_status dlg_pooled_solve(dlg_pooled *out, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const size_t H = model->config.hidden_size, C = model->config.n_labels;
    const dlg_real *g = dlg_gradient_of(gradient, "bert.pooler.dense.weight"), *bias = dlg_gradient_of(gradient, "classifier.bias");
    problem m = {.H = H, .C = C, .classifier = dlg_model_parameter(model, "classifier.weight")->value,
                 .classifier_bias = dlg_model_parameter(model, "classifier.bias")->value,
                 .pooler_bias = dlg_model_parameter(model, "bert.pooler.dense.bias")->value};
    dlg_row_space space = {0};
    double *memory = NULL;
    dlg_rank rank;
    found f = {0};
    *out = (dlg_pooled){0};
    dlg_status status = dlg_rank_find(&rank, H, H, g, MOST, err);
    if (status || !rank.is_clear || !rank.rank) return status;
    m.B = out->n_sentences = rank.rank;
    status = dlg_row_space_find(&space, &(dlg_stack){1, H, &g, &H}, m.B, err);
    if (status || space.rank < m.B) goto out;
    memory = dlg_allocate(3 * H + 2 * C + m.B * (3 * H + C), sizeof *memory);
    if (!memory) {
        status = dlg_fail(err, DLG_ENOMEM, "classes: no memory");
        goto out;
    }
    m.s = memory, m.t = m.s + H, m.u = m.t + H, m.p = m.u + H;
    double *mean = m.p + C;
    m.dp = mean + C, m.du = m.dp + C * m.B, m.image = m.du + H * m.B, m.column = m.image + H * m.B;
    status = set_spaces(&m, gradient, space.basis, err);
    if (status || !set_norm(&m, model, space.basis)) goto out;
    search(&f, &m, bias);
    out->is_solved = f.n == m.B && explain(out, &f, &m, bias, mean);
    memcpy(out->label, f.label, f.n * sizeof *f.label);
out:
    dlg_free(space.basis);
    dlg_free(memory);
    return status;
}
