/*
 * Cross-entropy with soft labels, differentiated twice. Row i has the weight w_i = sum_j Y[i,j]; n = count,
 * a = smoothing, V classes.
 *
 *   forward      log p = z - log sum exp z,   L_i[v] = (1 - a) log p_i[v] + (a / V) sum_u log p_i[u],
 *                loss = -(1/n) sum_ij Y[i,j] L_i[label j]
 *   backward     dz_i  = (w_i p_i - (1 - a) sum_j Y[i,j] e_{label j} - w_i a / V) / n
 *   R-forward    R log p_i[v] = Rz_i[v] - sum_u p_i[u] Rz_i[u],   R L_i likewise
 *   R-backward   Rdz_i = w_i p_i R log p_i / n
 *
 * The loss is linear in Y, so dD/dY[i,j] = R dloss/dY[i,j] = -R L_i[label j] / n comes out of R-forward for
 * nothing.
 */
#include "ops/cross_entropy.h"

#include "math/simd.h"
#include "math/threads.h"

#include <tgmath.h>

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_cross_entropy *ce = (dlg_cross_entropy *)op;
    const size_t n = ce->logits->n_rows;
    ce->log_p = dlg_arena_carve(arena, n * ce->max_labels, sizeof *ce->log_p);
    ce->rlog_p = dlg_arena_carve(arena, n * ce->max_labels, sizeof *ce->rlog_p);
}

/* z becomes softmax z. @return log sum exp z */
DLG_SIMD static double softmax(size_t n, dlg_real *z)
{
    dlg_real top = z[0];
#pragma omp simd reduction(max : top)
    for (size_t v = 0; v < n; v++) top = z[v] > top ? z[v] : top;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t v = 0; v < n; v++) {
        z[v] = exp(z[v] - top);
        sum += (double)z[v];
    }
    const dlg_real scale = (dlg_real)(1 / sum);
    for (size_t v = 0; v < n; v++) z[v] *= scale;
    return (double)top + log(sum);
}

/* out (n_labels) = what is at row i's labels, smoothed */
static void smooth(const dlg_cross_entropy *ce, const dlg_real *row, dlg_real *out)
{
    const size_t V = ce->logits->n_cols;
    double mean = 0;
    for (size_t v = 0; v < V && ce->smoothing != 0; v++) mean += (double)row[v] / (double)V;
    for (size_t j = 0; j < ce->n_labels; j++)
        out[j] = (dlg_real)((1 - ce->smoothing) * (double)row[ce->label[j]] + ce->smoothing * mean);
}

static void forward_row(const dlg_cross_entropy *ce, size_t i)
{
    const size_t V = ce->logits->n_cols;
    dlg_real *z = ce->logits->x + i * V, *log_p = ce->log_p + i * ce->n_labels;
    smooth(ce, z, log_p);
    const double log_sum = softmax(V, z);
    for (size_t j = 0; j < ce->n_labels; j++) log_p[j] = (dlg_real)((double)log_p[j] - log_sum);
}

static void forward(dlg_op *op)
{
    dlg_cross_entropy *ce = (dlg_cross_entropy *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < ce->logits->n_rows; i++) forward_row(ce, i);
    ce->loss = 0;
    for (size_t i = 0; i < ce->logits->n_rows * ce->n_labels; i++)
        ce->loss -= (double)ce->share[i] * (double)ce->log_p[i] / ce->count;
}

static dlg_real row_weight(const dlg_cross_entropy *ce, size_t i)
{
    dlg_real w = 0;
    for (size_t j = 0; j < ce->n_labels; j++) w += ce->share[i * ce->n_labels + j];
    return w;
}

DLG_SIMD static void backward_row(const dlg_cross_entropy *ce, size_t i)
{
    const size_t V = ce->logits->n_cols;
    const dlg_real *p = ce->logits->x + i * V, w = row_weight(ce, i) / (dlg_real)ce->count,
                   all = w * (dlg_real)ce->smoothing / (dlg_real)V, each = (dlg_real)((1 - ce->smoothing) / ce->count);
    dlg_real *restrict dz = ce->logits->dx + i * V;
    for (size_t v = 0; v < V; v++) dz[v] = w * p[v] - all;
    for (size_t j = 0; j < ce->n_labels; j++) dz[ce->label[j]] -= each * ce->share[i * ce->n_labels + j];
}

static void backward(dlg_op *op)
{
    const dlg_cross_entropy *ce = (dlg_cross_entropy *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < ce->logits->n_rows; i++) backward_row(ce, i);
    ce->logits->dx_begun = true;
}

DLG_SIMD static void rforward_row(const dlg_cross_entropy *ce, size_t i)
{
    const size_t V = ce->logits->n_cols;
    const dlg_real *p = ce->logits->x + i * V;
    dlg_real *restrict rz = ce->logits->rx + i * V, mean = 0;
#pragma omp simd reduction(+ : mean)
    for (size_t v = 0; v < V; v++) mean += p[v] * rz[v];
    for (size_t v = 0; v < V; v++) rz[v] -= mean;
    smooth(ce, rz, ce->rlog_p + i * ce->n_labels);
}

static void rforward(dlg_op *op)
{
    const dlg_cross_entropy *ce = (dlg_cross_entropy *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < ce->logits->n_rows; i++) rforward_row(ce, i);
}

DLG_SIMD static void rbackward_row(const dlg_cross_entropy *ce, size_t i)
{
    const size_t V = ce->logits->n_cols;
    const dlg_real *p = ce->logits->x + i * V, *rlog_p = ce->logits->rx + i * V,
                   w = row_weight(ce, i) / (dlg_real)ce->count;
    dlg_real *restrict rdz = ce->logits->rdx + i * V;
    for (size_t v = 0; v < V; v++) rdz[v] = w * p[v] * rlog_p[v];
}

static void rbackward(dlg_op *op)
{
    const dlg_cross_entropy *ce = (dlg_cross_entropy *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < ce->logits->n_rows; i++) rbackward_row(ce, i);
    ce->logits->rdx_begun = true;
}

const dlg_op_class dlg_cross_entropy_class = {"cross-entropy", plan,     forward, backward, NULL, NULL,
                                              rforward,        rbackward};
