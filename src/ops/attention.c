/*
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762, eq. 1), differentiated twice. One sentence, one
 * head of d columns, a = 1/sqrt(d); row-wise sums are written <,>.
 *
 *   forward      S = a Q K^T,  P = softmax(S) by rows, causal: of S_ij with j <= i, else P_ij = 0;  Y = P V
 *
 *   backward     dV = P^T dY,  dP = dY V^T
 *                dS = P (dP - <P, dP>)
 *                dQ = a dS K,  dK = a dS^T Q
 *
 *   R-forward    RS = a (RQ K^T + Q RK^T)
 *                RP = P (RS - <P, RS>)
 *                RY = RP V + P RV
 *
 *   R-backward   RdV = RP^T dY + P^T RdY,  RdP = RdY V^T + dY RV^T
 *                RdS = RP (dP - <P, dP>) + P (RdP - <RP, dP> - <P, RdP>)
 *                RdQ = a (RdS K + dS RK),  RdK = a (RdS^T Q + dS^T RQ)
 *
 * What P_ij = 0 hides stays hidden: dS, RP and RdS are zero there too, for P or RP is a factor of each.
 */
#include "ops/attention.h"

#include "math/simd.h"
#include "math/threads.h"

#include <assert.h>
#include <tgmath.h>

/* One head of one sentence: where its parts begin in the arrays x, dx, rx or rdx of qkv and y, and how large they
 * are. */
typedef struct {
    size_t T, d;         /* tokens, columns of a head */
    size_t q, k, v, y;   /* offsets of the first number */
    size_t ld_qkv, ld_y; /* from one row to the next */
    size_t square;       /* offset in p, dp and rp */
    dlg_real scale;
} head;

static head head_at(const dlg_attention *att, size_t sentence, size_t h, size_t square)
{
    const size_t H = att->y->n_cols, d = H / att->n_heads, row = att->first[sentence];
    return (head){
        .T = att->first[sentence + 1] - row,
        .d = d,
        .q = row * 3 * H + h * d,
        .k = row * 3 * H + H + h * d,
        .v = row * 3 * H + 2 * H + h * d,
        .y = row * H + h * d,
        .ld_qkv = 3 * H,
        .ld_y = H,
        .square = square,
        .scale = 1 / sqrt((dlg_real)d),
    };
}

/* Every head of every sentence; each is a thread's own. */
static void for_each_head(dlg_op *op, void (*sweep)(dlg_attention *, head))
{
    dlg_attention *att = (dlg_attention *)op;
    size_t square = 0;
    for (size_t b = 0; b < att->n_sentences; b++) {
        const size_t T = att->first[b + 1] - att->first[b];
#pragma omp parallel for schedule(static) num_threads((int)att->n_threads)
        for (size_t h = 0; h < att->n_heads; h++) sweep(att, head_at(att, b, h, square + h * T * T));
        square += att->n_heads * T * T;
    }
}

/* s (T,T) = alpha a b^T + beta s, for a and b (T,d) */
static void scores(head h, dlg_real alpha, const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb, dlg_real beta,
                   dlg_real *s)
{
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, h.T, h.T, h.d, alpha, a, lda, b, ldb, beta, s, h.T);
}

/* out (T,d) = alpha s b + beta out */
static void weighted(head h, dlg_orientation s_is, dlg_real alpha, const dlg_real *s, const dlg_real *b, size_t ldb,
                     dlg_real beta, dlg_real *out, size_t ld_out)
{
    dlg_gemm(s_is, DLG_PLAIN, h.T, h.d, h.T, alpha, s, h.T, b, ldb, beta, out, ld_out);
}

static inline dlg_real row_dot(size_t n, const dlg_real *a, const dlg_real *b)
{
    dlg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* out = p (t - <p, t>) by rows: the derivative of softmax at p along t, and its own adjoint. out may be t. */
DLG_SIMD static void softmax_derivative(size_t T, const dlg_real *p, const dlg_real *t, dlg_real *out)
{
    for (size_t i = 0; i < T; i++, p += T, t += T, out += T) {
        const dlg_real mean = row_dot(T, p, t);
#pragma omp simd
        for (size_t j = 0; j < T; j++) out[j] = p[j] * (t[j] - mean);
    }
}

/* Of each row, or where it is causal of its first 1, 2, ... numbers; the others become zero. */
DLG_SIMD static void softmax(size_t T, bool causal, dlg_real *s)
{
    for (size_t i = 0; i < T; i++, s += T) {
        const size_t n = causal ? i + 1 : T;
        dlg_real top = s[0], sum = 0;
#pragma omp simd reduction(max : top)
        for (size_t j = 0; j < n; j++) top = s[j] > top ? s[j] : top;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < n; j++) {
            s[j] = exp(s[j] - top);
            sum += s[j];
        }
        for (size_t j = 0; j < n; j++) s[j] /= sum;
        for (size_t j = n; j < T; j++) s[j] = 0;
    }
}

/* rds holds RdP and becomes RdS; ds becomes dS */
DLG_SIMD static void second_softmax_derivative(size_t T, const dlg_real *p, const dlg_real *dp, const dlg_real *rp,
                                               dlg_real *restrict ds, dlg_real *restrict rds)
{
    for (size_t i = 0; i < T; i++, p += T, dp += T, rp += T, ds += T, rds += T) {
        const dlg_real mean = row_dot(T, p, dp), rmean = row_dot(T, rp, dp) + row_dot(T, p, rds);
        for (size_t j = 0; j < T; j++) {
            ds[j] = p[j] * (dp[j] - mean);
            rds[j] = rp[j] * (dp[j] - mean) + p[j] * (rds[j] - rmean);
        }
    }
}

static void plan(dlg_op *op, dlg_arena *arena)
{
    dlg_attention *att = (dlg_attention *)op;
    size_t squares = 0, largest = 0;
    for (size_t b = 0; b < att->n_sentences; b++) {
        const size_t T = att->first[b + 1] - att->first[b];
        squares += att->n_heads * T * T;
        largest = T * T > largest ? T * T : largest;
    }
    att->n_threads = (size_t)dlg_blas_threads();
    att->n_scratch = 2 * largest;
    att->p = dlg_arena_carve(arena, squares, sizeof *att->p);
    att->dp = dlg_arena_carve(arena, squares, sizeof *att->dp);
    att->rp = dlg_arena_carve(arena, squares, sizeof *att->rp);
    att->scratch = dlg_arena_carve(arena, att->n_threads * att->n_scratch, sizeof *att->scratch);
}

/* (T,T) of this thread's, twice */
static dlg_real *scratch_of(const dlg_attention *att)
{
    return att->scratch + dlg_thread_number() * att->n_scratch;
}

static void forward_head(dlg_attention *att, head h)
{
    const dlg_real *x = att->qkv->x;
    dlg_real *p = att->p + h.square;
    scores(h, h.scale, x + h.q, h.ld_qkv, x + h.k, h.ld_qkv, 0, p);
    softmax(h.T, att->causal, p);
    weighted(h, DLG_PLAIN, 1, p, x + h.v, h.ld_qkv, 0, att->y->x + h.y, h.ld_y);
}

static void backward_head(dlg_attention *att, head h)
{
    const dlg_real *x = att->qkv->x, *p = att->p + h.square, *dy = att->y->dx + h.y;
    dlg_real *dx = att->qkv->dx, *dp = att->dp + h.square, *ds = scratch_of(att);
    weighted(h, DLG_TRANSPOSED, 1, p, dy, h.ld_y, 0, dx + h.v, h.ld_qkv);
    scores(h, 1, dy, h.ld_y, x + h.v, h.ld_qkv, 0, dp);
    softmax_derivative(h.T, p, dp, ds);
    weighted(h, DLG_PLAIN, h.scale, ds, x + h.k, h.ld_qkv, 0, dx + h.q, h.ld_qkv);
    weighted(h, DLG_TRANSPOSED, h.scale, ds, x + h.q, h.ld_qkv, 0, dx + h.k, h.ld_qkv);
}

static void rforward_head(dlg_attention *att, head h)
{
    const dlg_real *x = att->qkv->x, *rx = att->qkv->rx, *p = att->p + h.square;
    dlg_real *rp = att->rp + h.square, *ry = att->y->rx + h.y;
    scores(h, h.scale, rx + h.q, h.ld_qkv, x + h.k, h.ld_qkv, 0, rp);
    scores(h, h.scale, x + h.q, h.ld_qkv, rx + h.k, h.ld_qkv, 1, rp);
    softmax_derivative(h.T, p, rp, rp);
    weighted(h, DLG_PLAIN, 1, rp, x + h.v, h.ld_qkv, 0, ry, h.ld_y);
    weighted(h, DLG_PLAIN, 1, p, rx + h.v, h.ld_qkv, 1, ry, h.ld_y);
}

static void rbackward_head(dlg_attention *att, head h)
{
    const dlg_real *x = att->qkv->x, *rx = att->qkv->rx, *dy = att->y->dx + h.y, *rdy = att->y->rdx + h.y;
    const dlg_real *p = att->p + h.square, *dp = att->dp + h.square, *rp = att->rp + h.square;
    dlg_real *rdx = att->qkv->rdx, *ds = scratch_of(att), *rds = ds + h.T * h.T;
    weighted(h, DLG_TRANSPOSED, 1, rp, dy, h.ld_y, 0, rdx + h.v, h.ld_qkv);
    weighted(h, DLG_TRANSPOSED, 1, p, rdy, h.ld_y, 1, rdx + h.v, h.ld_qkv);
    scores(h, 1, rdy, h.ld_y, x + h.v, h.ld_qkv, 0, rds);
    scores(h, 1, dy, h.ld_y, rx + h.v, h.ld_qkv, 1, rds);
    second_softmax_derivative(h.T, p, dp, rp, ds, rds);
    weighted(h, DLG_PLAIN, h.scale, rds, x + h.k, h.ld_qkv, 0, rdx + h.q, h.ld_qkv);
    weighted(h, DLG_PLAIN, h.scale, ds, rx + h.k, h.ld_qkv, 1, rdx + h.q, h.ld_qkv);
    weighted(h, DLG_TRANSPOSED, h.scale, rds, x + h.q, h.ld_qkv, 0, rdx + h.k, h.ld_qkv);
    weighted(h, DLG_TRANSPOSED, h.scale, ds, rx + h.q, h.ld_qkv, 1, rdx + h.k, h.ld_qkv);
}

static void forward(dlg_op *op)
{
    for_each_head(op, forward_head);
}

static void backward(dlg_op *op)
{
    dlg_value *qkv = ((dlg_attention *)op)->qkv;
    assert(!qkv->dx_begun);
    for_each_head(op, backward_head);
    qkv->dx_begun = true;
}

static void rforward(dlg_op *op)
{
    for_each_head(op, rforward_head);
}

static void rbackward(dlg_op *op)
{
    dlg_value *qkv = ((dlg_attention *)op)->qkv;
    assert(!qkv->rdx_begun);
    for_each_head(op, rbackward_head);
    qkv->rdx_begun = true;
}

const dlg_op_class dlg_attention_class = {"attention", plan, forward, backward, NULL, NULL, rforward, rbackward};
