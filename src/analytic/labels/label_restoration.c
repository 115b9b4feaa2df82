#include "analytic/labels/pooler_descent.h"

#include "base/interrupt.h"
#include "math/rank.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/solve.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum { MOST = DLG_LABEL_RESTORATION_MOST };

/* Multiplications that all starts together may cost, and how many draws cost a step. */
static const double budget = 4e9, draws_of_a_step = 16;

/*
 * Where no start has come to a sentence by then none will: of another loss there is none to come to. Batches of 2, 4
 * and 8 on trained classifiers have their first by 2e5, 9e5 and 1.2e7, and all by at most 40 times that.
 */
static const double of_first = 4e8, of_all_beside_first = 1000;

/* A shorter row costs as much as one of this length: what surrounds its product, a call and an exponential, takes the
 * time. */
enum { SHORTEST_ROW = 128 };

/* So many draws in a row that do not reach what the layer norm says: no draw does. */
enum { MOST_VAIN_DRAWS = 10000 };

/* The found sentences explain the bias when no larger part of it is left over. */
static const double explained_below = 0.02;

/* Factors are one when they are no further apart, and other classes are none when theirs are so many times as far. */
static const double even = 0.02, apart = 8;

/* A factor of 1 to rounding; and what the bias' gradient leaves where vectors are much alike. */
static const double exact = 1e-5, all_but_exact = 1e-3;

/* ---- what is known of all k ---- */

/* Random k that fulfil what the layer norm says. @return false where a draw does not reach it */
static bool draw(const dlg_pooler_problem *m, dlg_random *random, double *k)
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
    /* All scales are equal, as in fresh weights: every k has the mean. A descent over tanh leaves the plane by
     * itself. */
    if (!(aa > 0)) return false;
    const double no_mean = dlg_tolerance_mean(DLG_GRAM_ROUNDOFF);
    const bool says_nothing = m->is_relu && aa < no_mean * no_mean;
    for (size_t i = 0; i < B; i++) {
        if (!says_nothing) z[i] -= m->mean[i] * za / aa;
        k[i] = says_nothing ? 0 : m->mean[i] * m->mean_is / aa;
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

static bool set_norm(dlg_pooler_problem *m, const dlg_model *model, const dlg_real *basis)
{
    const size_t B = m->B, H = m->H;
    const dlg_norm_role norm = model->roles.blocks[model->config.n_layers - 1].output_norm;
    const dlg_real *gamma = norm.scale->value, *beta = norm.shift->value;
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

/* @param[out] product (H, B) G Q^T, what the column space is spanned by @param scratch (H, B) */
static dlg_status set_spaces(dlg_pooler_problem *m, const dlg_gradient *gradient, const dlg_real *basis,
                             double *product, double *scratch, dlg_error *err)
{
    const size_t B = m->B, H = m->H;
    const dlg_real *weight = gradient->model->roles.head.weight->value;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.head.weight);
    for (size_t i = 0; i < H; i++)
        for (size_t r = 0; r < B; r++) {
            m->image[r * H + i] = dlg_dot(H, weight + i * H, basis + r * H);
            scratch[i * B + r] = product[i * B + r] = dlg_dot(H, g + i * H, basis + r * H);
        }
    const dlg_status status = dlg_orthonormalise(H, B, scratch, err);
    for (size_t i = 0; i < H; i++)
        for (size_t r = 0; r < B; r++) m->column[r * H + i] = scratch[i * B + r];
    return status;
}

/* ---- the search ---- */

typedef struct {
    size_t n, label[MOST];
    double k[MOST][MOST];
} found;

static bool is_new(const found *f, const dlg_pooler_problem *m, const double *k)
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

static void search(found *f, dlg_pooler_problem *m, const dlg_real *bias)
{
    size_t order[3 * MOST], n_classes = 3 * m->B < m->C ? 3 * m->B : m->C;
    const size_t row = m->H > SHORTEST_ROW ? m->H : SHORTEST_ROW;
    const double step_cost = (double)(row * m->B * (2 * m->C + 2 * m->B + 8));
    dlg_random random = dlg_random_at(0, dlg_random_stream("pooled"));
    order_classes(m->C, bias, n_classes, order);
    double cost = 0, most = of_first;
    for (size_t start = 0, n_vain = 0; f->n < m->B && cost < most && n_vain < MOST_VAIN_DRAWS && !dlg_is_interrupted();
         start++) {
        double k[MOST];
        cost += step_cost / draws_of_a_step; /* draws that fail must end as well */
        if (!draw(m, &random, k)) {
            n_vain++;
            continue;
        }
        n_vain = 0;
        m->label = order[start % n_classes];
        dlg_pooler_point at = dlg_pooler_evaluate(m, k);
        cost += (double)(1 + dlg_pooler_descend(m, &at)) * step_cost;
        if (!(at.misfit < dlg_pooler_found_below) || !is_new(f, m, at.k)) continue;
        if (!f->n) most = fmin(budget, of_first + of_all_beside_first * cost);
        memcpy(f->k[f->n], at.k, m->B * sizeof *at.k);
        f->label[f->n++] = m->label;
    }
}

/* m->du (B, H) := the deltas themselves: G Q^T = sum over b of delta_b k_b^T. @return false where the k depend on each
 * other */
static bool find_deltas(const found *f, dlg_pooler_problem *m, const double *product)
{
    const size_t B = m->B, H = m->H;
    memset(m->du, 0, B * H * sizeof *m->du);
    for (size_t i = 0; i < H; i++) {
        double gram[MOST * MOST], delta[MOST];
        for (size_t a = 0; a < B; a++) {
            for (size_t b = 0; b < B; b++) gram[a * B + b] = dlg_dot_of_doubles(B, f->k[a], f->k[b]);
            delta[a] = dlg_dot_of_doubles(B, f->k[a], product + i * B);
        }
        if (!dlg_solve_positive(B, gram, delta)) return false;
        for (size_t b = 0; b < B; b++) m->du[b * H + i] = delta[b];
    }
    return true;
}

/* By what sentence b's delta is multiplied next to that of the mean loss, if that is its class. */
static double factor_of(const found *f, dlg_pooler_problem *m, size_t b, size_t label)
{
    const size_t H = m->H;
    dlg_pooler_predict(m, f->k[b]);
    memset(m->t, 0, H * sizeof *m->t);
    for (size_t o = 0; o < m->C; o++) dlg_pooler_add(H, m->p[o] - (o == label), m->classifier + o * H, m->t);
    for (size_t i = 0; i < H; i++) m->t[i] *= m->slope[i];
    return (double)m->B * dlg_dot_of_doubles(H, m->t, m->du + b * H) / dlg_dot_of_doubles(H, m->t, m->t);
}

static double mean_of(size_t n, const double *factor)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += factor[i];
    return sum / (double)n;
}

/* How far factors (n) are apart, as a part of their mean. */
static double spread_of(size_t n, const double *factor)
{
    double least = factor[0], most = factor[0];
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, factor[i]);
        most = fmax(most, factor[i]);
    }
    return (most - least) / fabs(mean_of(n, factor));
}

/*
 * Of two classes delta is the same but for its sign and size, and a space shows neither. But the deltas themselves are
 * known once all k are: every sentence gets the class whose delta has its sign. If that makes another factor of each,
 * and the other class the same one below zero, it is the other.
 */
static void settle_labels(dlg_label_restoration *out, found *f, dlg_pooler_problem *m)
{
    double factor[MOST], other[MOST];
    for (size_t b = 0; b < m->B; b++) {
        if (m->C == 2) f->label[b] = factor_of(f, m, b, 1) > 0;
        factor[b] = factor_of(f, m, b, f->label[b]);
        other[b] = m->C == 2 ? factor_of(f, m, b, 1 - f->label[b]) : factor[b];
    }
    out->scale = mean_of(m->B, factor);
    out->spread = spread_of(m->B, factor);
    out->other_spread = m->C == 2 && m->B > 1 ? spread_of(m->B, other) : m->C == 2 ? 0 : INFINITY;
    if (!(out->spread > apart * out->other_spread) || m->B == 1) return;
    for (size_t b = 0; b < m->B; b++) f->label[b] = 1 - f->label[b];
    out->other_spread = out->spread;
    out->scale = mean_of(m->B, other);
    out->spread = spread_of(m->B, other);
}

/* Whether the sentences together make the bias' gradient: scale * mean (p - e_y). */
static bool explain(dlg_label_restoration *out, const found *f, dlg_pooler_problem *m, const dlg_real *bias,
                    double *mean)
{
    double along = 0, norm2 = 0, g2 = 0;
    memset(mean, 0, m->C * sizeof *mean);
    for (size_t n = 0; n < f->n; n++) {
        dlg_pooler_predict(m, f->k[n]);
        for (size_t c = 0; c < m->C; c++) mean[c] += (m->p[c] - (c == f->label[n])) / (double)f->n;
    }
    for (size_t c = 0; c < m->C; c++) {
        along += mean[c] * (double)bias[c];
        norm2 += mean[c] * mean[c];
        g2 += (double)bias[c] * (double)bias[c];
    }
    if (!(norm2 > 0) || !(g2 > 0)) return false;
    /* Of two classes every bias is a multiple. In fresh weights -k does as well as k but for the sign of this. */
    const double of_deltas = out->scale;
    out->scale = along / norm2;
    const bool agrees = m->C > 2 ? out->scale > 0 : fabs(out->scale - of_deltas) < even * fabs(of_deltas);
    out->misfit = sqrt(fmax(0, 1 - along * along / (norm2 * g2)));
    return agrees && out->misfit < explained_below;
}

dlg_status dlg_label_restoration_solve(dlg_label_restoration *out, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const size_t H = model->config.hidden_size, C = model->config.n_labels;
    const dlg_roles *roles = &model->roles;
    const dlg_real *g = dlg_gradient_at(gradient, roles->head.weight),
                   *bias = dlg_gradient_at(gradient, roles->decoder.bias);
    const dlg_real *classifier = roles->decoder.weight->value;
    dlg_pooler_problem m = {.H = H,
                            .C = C,
                            .classifier_bias = roles->decoder.bias->value,
                            .pooler_bias = roles->head.bias->value,
                            .is_relu = roles->head_activation == DLG_HEAD_RELU};
    dlg_row_space space = {0};
    double *memory = NULL;
    dlg_rank rank;
    found f = {0};
    *out = (dlg_label_restoration){0};
    if (!g || !bias) return DLG_OK;
    const dlg_stack stack = {1, H, {g}, {H}};
    dlg_status status = dlg_rank_find(&rank, &stack, MOST, err);
    if (status || !rank.is_clear || !rank.rank) return status;
    m.B = out->n_sentences = rank.rank;
    status = dlg_row_space_find(&space, &stack, m.B, err);
    if (status || space.rank < m.B) goto out;
    memory = dlg_allocate((5 + 4 * m.B + C) * H + 3 * C, sizeof *memory);
    if (!memory) {
        status = dlg_fail(err, DLG_ENOMEM, "classes: no memory");
        goto out;
    }
    m.s = memory, m.slope = m.s + H, m.bend = m.slope + H, m.t = m.bend + H, m.u = m.t + H, m.du = m.u + H;
    m.image = m.du + m.B * H, m.column = m.image + m.B * H, m.classifier = m.column + m.B * H,
    m.p = m.classifier + C * H, m.dp = m.p + C;
    double *mean = m.dp + C, *product = mean + C;
    for (size_t i = 0; i < C * H; i++) m.classifier[i] = (double)classifier[i];
    status = set_spaces(&m, gradient, space.basis, product, m.du, err);
    if (status || !set_norm(&m, model, space.basis)) goto out;
    search(&f, &m, bias);
    status = dlg_check_interrupt(err);
    if (status) goto out;
    if (f.n == m.B && find_deltas(&f, &m, product)) {
        settle_labels(out, &f, &m);
        out->is_solved = explain(out, &f, &m, bias, mean);
        /* Of more classes each delta's direction names its own; its size is lost where vectors are much alike. */
        const bool is_named =
            C > 2 || (out->spread < even && (out->other_spread > apart * out->spread || fabs(out->scale - 1) < exact));
        out->is_only = out->is_solved && out->misfit < all_but_exact && is_named;
    }
    memcpy(out->label, f.label, f.n * sizeof *f.label);
out:
    dlg_free(space.basis);
    dlg_free(memory);
    return status;
}
