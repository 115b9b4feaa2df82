/*
 * Layer normalisation (Ba et al. 2016, arXiv:1607.06450), differentiated twice.
 *
 * One row x = a + residual of C numbers; mean() is over the row. z is x once more, for other consumers.
 *
 *   forward      xhat = rstd (x - mean x),  rstd = (mean (x - mean x)^2 + eps)^(-1/2)
 *                y    = gamma xhat + beta
 *
 *   backward     h    = gamma dy,  m = mean(h xhat)
 *                dx   = rstd (h - mean h - xhat m) + dz
 *
 *   gradient     dgamma = sum over rows of dy xhat,  dbeta = sum over rows of dy
 *
 *   R-forward    s     = mean(xhat Rx)                       so that  R rstd = -rstd^2 s
 *                Rxhat = rstd (Rx - mean Rx - xhat s)
 *                Ry    = Rgamma xhat + gamma Rxhat + Rbeta
 *
 *   R-backward   Rh  = Rgamma dy + gamma Rdy,  Rm = mean(Rh xhat + h Rxhat)
 *                Rdx = -rstd s (dx - dz) + rstd (Rh - mean Rh - Rxhat m - xhat Rm) + Rdz
 *
 * backward and Rxhat are the same projection, of h and of Rx: it takes out the row's mean and its part along xhat.
 */
#include "ops/layernorm.h"

#include "math/simd.h"
#include "math/threads.h"

#include <assert.h>
#include <string.h>
#include <tgmath.h>

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    ln->xhat = dlg_arena_carve(arena, n * C, sizeof *ln->xhat);
    ln->rxhat = dlg_arena_carve(arena, n * C, sizeof *ln->rxhat);
    ln->rstd = dlg_arena_carve(arena, n, sizeof *ln->rstd);
    ln->s = dlg_arena_carve(arena, n, sizeof *ln->s);
}

static inline dlg_real mean(size_t n, const dlg_real *a)
{
    dlg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i];
    return sum / (dlg_real)n;
}

static inline dlg_real mean_of_product(size_t n, const dlg_real *a, const dlg_real *b)
{
    dlg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum / (dlg_real)n;
}

/* out = a + b; b NULL: out = a */
static inline void add(size_t n, const dlg_real *a, const dlg_real *b, dlg_real *restrict out)
{
    if (b)
        for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
    else memcpy(out, a, n * sizeof *out);
}

/* to = from (beta 0) or to += from (beta 1) */
static inline void hand_on(size_t n, const dlg_real *from, dlg_real beta, dlg_real *restrict to)
{
    if (beta == 0) memcpy(to, from, n * sizeof *to);
    else
        for (size_t i = 0; i < n; i++) to[i] += from[i];
}

static size_t size(const dlg_layernorm *ln)
{
    return ln->y->n_rows * ln->y->n_cols;
}

/* ---- one row ---- */

DLG_SIMD static void forward_row(const dlg_layernorm *ln, size_t row)
{
    const size_t C = ln->y->n_cols, at = row * C;
    const dlg_real *gamma = ln->gamma.value, *beta = ln->beta.value;
    dlg_real *restrict xhat = ln->xhat + at, *restrict y = ln->y->x + at;
    add(C, ln->a->x + at, ln->residual ? ln->residual->x + at : NULL, xhat);
    if (ln->sum) memcpy(ln->sum->x + at, xhat, C * sizeof *xhat);
    const dlg_real mu = mean(C, xhat);
    for (size_t i = 0; i < C; i++) xhat[i] -= mu;
    const dlg_real rstd = 1 / sqrt(mean_of_product(C, xhat, xhat) + ln->eps);
    for (size_t i = 0; i < C; i++) {
        xhat[i] *= rstd;
        y[i] = gamma[i] * xhat[i] + beta[i];
    }
    ln->rstd[row] = rstd;
}

DLG_SIMD static void backward_row(const dlg_layernorm *ln, size_t row, dlg_real residual_beta)
{
    const size_t C = ln->y->n_cols, at = row * C;
    const dlg_real *gamma = ln->gamma.value, *xhat = ln->xhat + at, *dy = ln->y->dx + at, rstd = ln->rstd[row];
    dlg_real *restrict dx = ln->a->dx + at;
    for (size_t i = 0; i < C; i++) dx[i] = gamma[i] * dy[i];
    const dlg_real mean_h = mean(C, dx), m = mean_of_product(C, dx, xhat);
    for (size_t i = 0; i < C; i++) dx[i] = rstd * (dx[i] - mean_h - xhat[i] * m);
    if (ln->sum) hand_on(C, ln->sum->dx + at, 1, dx);
    if (ln->residual) hand_on(C, dx, residual_beta, ln->residual->dx + at);
}

DLG_SIMD static void gradient_row(const dlg_layernorm *ln, size_t row)
{
    const size_t C = ln->y->n_cols, at = row * C;
    const dlg_real *xhat = ln->xhat + at, *dy = ln->y->dx + at;
    dlg_real *restrict dgamma = ln->gamma.gradient, *restrict dbeta = ln->beta.gradient;
    for (size_t i = 0; i < C; i++) {
        dgamma[i] += dy[i] * xhat[i];
        dbeta[i] += dy[i];
    }
}

DLG_SIMD static void rforward_row(const dlg_layernorm *ln, size_t row)
{
    const size_t C = ln->y->n_cols, at = row * C;
    const dlg_real *gamma = ln->gamma.value, *rgamma = ln->gamma.direction, *rbeta = ln->beta.direction,
                   *xhat = ln->xhat + at;
    const dlg_real rstd = ln->rstd[row];
    dlg_real *restrict rxhat = ln->rxhat + at, *restrict ry = ln->y->rx + at;
    add(C, ln->a->rx + at, ln->residual ? ln->residual->rx + at : NULL, rxhat);
    if (ln->sum) memcpy(ln->sum->rx + at, rxhat, C * sizeof *rxhat);
    const dlg_real mean_rx = mean(C, rxhat), s = mean_of_product(C, xhat, rxhat);
    for (size_t i = 0; i < C; i++) {
        rxhat[i] = rstd * (rxhat[i] - mean_rx - xhat[i] * s);
        ry[i] = rgamma[i] * xhat[i] + gamma[i] * rxhat[i] + rbeta[i];
    }
    ln->s[row] = s;
}

DLG_SIMD static void rbackward_row(const dlg_layernorm *ln, size_t row, dlg_real residual_beta)
{
    const size_t C = ln->y->n_cols, at = row * C;
    const dlg_real *gamma = ln->gamma.value, *rgamma = ln->gamma.direction, *xhat = ln->xhat + at,
                   *rxhat = ln->rxhat + at, *dy = ln->y->dx + at, *rdy = ln->y->rdx + at, *dx = ln->a->dx + at,
                   rstd = ln->rstd[row], s = ln->s[row];
    dlg_real *restrict rdx = ln->a->rdx + at, m = 0, rm = 0, mean_rh = 0;
#pragma omp simd reduction(+ : m, rm, mean_rh)
    for (size_t i = 0; i < C; i++) {
        const dlg_real h = gamma[i] * dy[i], rh = rgamma[i] * dy[i] + gamma[i] * rdy[i];
        rdx[i] = rh;
        mean_rh += rh;
        m += h * xhat[i];
        rm += rh * xhat[i] + h * rxhat[i];
    }
    m /= (dlg_real)C, rm /= (dlg_real)C, mean_rh /= (dlg_real)C;
    for (size_t i = 0; i < C; i++) rdx[i] = rstd * (rdx[i] - mean_rh - rxhat[i] * m - xhat[i] * rm - s * dx[i]);
    for (size_t i = 0; ln->sum && i < C; i++) rdx[i] += ln->sum->rdx[at + i] + rstd * s * ln->sum->dx[at + i];
    if (ln->residual) hand_on(C, rdx, residual_beta, ln->residual->rdx + at);
}

/* ---- all rows ---- */

static void forward(dlg_op *op)
{
    const dlg_layernorm *ln = (dlg_layernorm *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads()) if (size(ln) > DLG_WORTH_A_THREAD)
    for (size_t row = 0; row < ln->y->n_rows; row++) forward_row(ln, row);
}

static void backward(dlg_op *op)
{
    const dlg_layernorm *ln = (dlg_layernorm *)op;
    assert(!ln->a->dx_begun);
    ln->a->dx_begun = true;
    const dlg_real beta = ln->residual ? dlg_value_begin_dx(ln->residual) : 0;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads()) if (size(ln) > DLG_WORTH_A_THREAD)
    for (size_t row = 0; row < ln->y->n_rows; row++) backward_row(ln, row, beta);
}

static void gradient(dlg_op *op)
{
    const dlg_layernorm *ln = (dlg_layernorm *)op;
    memset(ln->gamma.gradient, 0, ln->y->n_cols * sizeof *ln->gamma.gradient);
    memset(ln->beta.gradient, 0, ln->y->n_cols * sizeof *ln->beta.gradient);
    for (size_t row = 0; row < ln->y->n_rows; row++) gradient_row(ln, row);
}

static void rforward(dlg_op *op)
{
    const dlg_layernorm *ln = (dlg_layernorm *)op;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads()) if (size(ln) > DLG_WORTH_A_THREAD)
    for (size_t row = 0; row < ln->y->n_rows; row++) rforward_row(ln, row);
}

static void rbackward(dlg_op *op)
{
    const dlg_layernorm *ln = (dlg_layernorm *)op;
    assert(!ln->a->rdx_begun);
    ln->a->rdx_begun = true;
    const dlg_real beta = ln->residual ? dlg_value_begin_rdx(ln->residual) : 0;
#pragma omp parallel for schedule(static) num_threads(dlg_blas_threads()) if (size(ln) > DLG_WORTH_A_THREAD)
    for (size_t row = 0; row < ln->y->n_rows; row++) rbackward_row(ln, row, beta);
}

const dlg_op_class dlg_layernorm_class = {"layernorm", plan, forward, backward, gradient, NULL, rforward, rbackward};
