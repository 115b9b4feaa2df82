/*
 * Layer normalisation (Ba et al. 2016, arXiv:1607.06450), differentiated twice.
 *
 * One row x = a + residual of C numbers; mean() is over the row.
 *
 *   forward      xhat = rstd (x - mean x),  rstd = (mean (x - mean x)^2 + eps)^(-1/2)
 *                y    = gamma xhat + beta
 *
 *   backward     h    = gamma dy,  m = mean(h xhat)
 *                dx   = rstd (h - mean h - xhat m)
 *
 *   gradient     dgamma = sum over rows of dy xhat,  dbeta = sum over rows of dy
 *
 *   R-forward    s     = mean(xhat Rx)                       so that  R rstd = -rstd^2 s
 *                Rxhat = rstd (Rx - mean Rx - xhat s)
 *                Ry    = Rgamma xhat + gamma Rxhat + Rbeta
 *
 *   R-backward   Rh  = Rgamma dy + gamma Rdy,  Rm = mean(Rh xhat + h Rxhat)
 *                Rdx = -rstd s dx + rstd (Rh - mean Rh - Rxhat m - xhat Rm)
 *
 * backward and Rxhat are the same projection, of h and of Rx: it takes out the row's mean and its part along xhat.
 */
#include "ops/layernorm.h"

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

static dlg_real mean(size_t n, const dlg_real *a)
{
    dlg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i];
    return sum / (dlg_real)n;
}

static dlg_real mean_of_product(size_t n, const dlg_real *a, const dlg_real *b)
{
    dlg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum / (dlg_real)n;
}

/* out = a + b, row by row; b NULL: out = a */
static void sum_rows(size_t n, const dlg_real *a, const dlg_real *b, dlg_real *out)
{
    if (b)
        for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
    else
        memcpy(out, a, n * sizeof *out);
}

/* to = from (beta 0) or to += from (beta 1) */
static void hand_on(size_t n, const dlg_real *from, dlg_real beta, dlg_real *to)
{
    if (beta == 0)
        memcpy(to, from, n * sizeof *to);
    else
        for (size_t i = 0; i < n; i++) to[i] += from[i];
}

static void forward(dlg_op *op)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    sum_rows(n * C, ln->a->x, ln->residual ? ln->residual->x : NULL, ln->xhat);
    for (size_t row = 0; row < n; row++) {
        dlg_real *xhat = ln->xhat + row * C, *y = ln->y->x + row * C;
        const dlg_real mu = mean(C, xhat);
        for (size_t i = 0; i < C; i++) xhat[i] -= mu;
        const dlg_real rstd = 1 / sqrt(mean_of_product(C, xhat, xhat) + ln->eps);
        for (size_t i = 0; i < C; i++) {
            xhat[i] *= rstd;
            y[i] = ln->gamma.value[i] * xhat[i] + ln->beta.value[i];
        }
        ln->rstd[row] = rstd;
    }
}

static void backward(dlg_op *op)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    assert(!ln->a->dx_begun);
    for (size_t row = 0; row < n; row++) {
        const dlg_real *xhat = ln->xhat + row * C, *dy = ln->y->dx + row * C, rstd = ln->rstd[row];
        dlg_real *dx = ln->a->dx + row * C;
        for (size_t i = 0; i < C; i++) dx[i] = ln->gamma.value[i] * dy[i];
        const dlg_real mean_h = mean(C, dx), m = mean_of_product(C, dx, xhat);
        for (size_t i = 0; i < C; i++) dx[i] = rstd * (dx[i] - mean_h - xhat[i] * m);
    }
    ln->a->dx_begun = true;
    if (ln->residual) hand_on(n * C, ln->a->dx, dlg_value_begin_dx(ln->residual), ln->residual->dx);
}

static void gradient(dlg_op *op)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    memset(ln->gamma.gradient, 0, C * sizeof *ln->gamma.gradient);
    memset(ln->beta.gradient, 0, C * sizeof *ln->beta.gradient);
    for (size_t row = 0; row < n; row++) {
        const dlg_real *xhat = ln->xhat + row * C, *dy = ln->y->dx + row * C;
        for (size_t i = 0; i < C; i++) {
            ln->gamma.gradient[i] += dy[i] * xhat[i];
            ln->beta.gradient[i] += dy[i];
        }
    }
}

static void rforward(dlg_op *op)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    sum_rows(n * C, ln->a->rx, ln->residual ? ln->residual->rx : NULL, ln->rxhat);
    for (size_t row = 0; row < n; row++) {
        const dlg_real *xhat = ln->xhat + row * C, rstd = ln->rstd[row];
        dlg_real *rxhat = ln->rxhat + row * C, *ry = ln->y->rx + row * C;
        const dlg_real mean_rx = mean(C, rxhat), s = mean_of_product(C, xhat, rxhat);
        for (size_t i = 0; i < C; i++) {
            rxhat[i] = rstd * (rxhat[i] - mean_rx - xhat[i] * s);
            ry[i] = ln->gamma.direction[i] * xhat[i] + ln->gamma.value[i] * rxhat[i] + ln->beta.direction[i];
        }
        ln->s[row] = s;
    }
}

static void rbackward(dlg_op *op)
{
    dlg_layernorm *ln = (dlg_layernorm *)op;
    const size_t n = ln->y->n_rows, C = ln->y->n_cols;
    assert(!ln->a->rdx_begun);
    for (size_t row = 0; row < n; row++) {
        const dlg_real *xhat = ln->xhat + row * C, *rxhat = ln->rxhat + row * C, *dy = ln->y->dx + row * C, *rdy = ln->y->rdx + row * C,
                       *dx = ln->a->dx + row * C, rstd = ln->rstd[row], s = ln->s[row];
        dlg_real *rdx = ln->a->rdx + row * C, m = 0, rm = 0;
#pragma omp simd reduction(+ : m, rm)
        for (size_t i = 0; i < C; i++) {
            const dlg_real h = ln->gamma.value[i] * dy[i];
            rdx[i] = ln->gamma.direction[i] * dy[i] + ln->gamma.value[i] * rdy[i];
            m += h * xhat[i];
            rm += rdx[i] * xhat[i] + h * rxhat[i];
        }
        m /= (dlg_real)C, rm /= (dlg_real)C;
        const dlg_real mean_rh = mean(C, rdx);
        for (size_t i = 0; i < C; i++) rdx[i] = rstd * (rdx[i] - mean_rh - rxhat[i] * m - xhat[i] * rm - s * dx[i]);
    }
    ln->a->rdx_begun = true;
    if (ln->residual) hand_on(n * C, ln->a->rdx, dlg_value_begin_rdx(ln->residual), ln->residual->rdx);
}

const dlg_op_class dlg_layernorm_class = {"layernorm", plan, forward, backward, gradient, rforward, rbackward};
