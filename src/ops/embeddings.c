/*
 * Embedding sum (Devlin et al. 2019, arXiv:1810.04805), with w the words' rows, P the positions' and S the token
 * types', if there are any.
 *
 *   forward      y[i]  = w[i] + P[position i] + S[type i]
 *   backward     dw    = dy
 *   gradient     dP[t] = sum of dy[i] over the rows i at position t,  dS[k] likewise over those of type k
 *   R-forward    Ry[i] = Rw[i] + RP[position i] + RS[type i]
 *   R-backward   Rdw   = Rdy
 */
#include "ops/embeddings.h"

#include "math/simd.h"

#include <string.h>

/* out[i] = w[i] + positions[position i] + types[type i]: the same sum for the values and for their derivatives */
DLG_SIMD static void add_rows(const dlg_embeddings *emb, const dlg_real *w, const dlg_real *positions,
                              const dlg_real *types, dlg_real *restrict out)
{
    const size_t H = emb->y->n_cols;
    for (size_t i = 0; i < emb->y->n_rows; i++)
        for (size_t j = 0; j < H; j++) out[i * H + j] = w[i * H + j] + positions[emb->position[i] * H + j];
    for (size_t i = 0; emb->n_types && i < emb->y->n_rows; i++)
        for (size_t j = 0; j < H; j++) out[i * H + j] += types[emb->type[i] * H + j];
}

static void forward(dlg_op *op)
{
    dlg_embeddings *emb = (dlg_embeddings *)op;
    add_rows(emb, emb->words->x, emb->positions.value, emb->types.value, emb->y->x);
}

static void backward(dlg_op *op)
{
    dlg_embeddings *emb = (dlg_embeddings *)op;
    memcpy(emb->words->dx, emb->y->dx, emb->y->n_rows * emb->y->n_cols * sizeof *emb->y->dx);
}

static void gradient(dlg_op *op)
{
    dlg_embeddings *emb = (dlg_embeddings *)op;
    const size_t H = emb->y->n_cols;
    memset(emb->positions.gradient, 0, emb->n_positions * H * sizeof *emb->positions.gradient);
    if (emb->n_types) memset(emb->types.gradient, 0, emb->n_types * H * sizeof *emb->types.gradient);
    for (size_t i = 0; i < emb->y->n_rows; i++) {
        const dlg_real *dy = emb->y->dx + i * H;
        dlg_real *dp = emb->positions.gradient + emb->position[i] * H;
        for (size_t j = 0; j < H; j++) dp[j] += dy[j];
        for (size_t j = 0; emb->n_types && j < H; j++) emb->types.gradient[emb->type[i] * H + j] += dy[j];
    }
}

static void rforward(dlg_op *op)
{
    dlg_embeddings *emb = (dlg_embeddings *)op;
    add_rows(emb, emb->words->rx, emb->positions.direction, emb->types.direction, emb->y->rx);
}

static void rbackward(dlg_op *op)
{
    dlg_embeddings *emb = (dlg_embeddings *)op;
    memcpy(emb->words->rdx, emb->y->rdx, emb->y->n_rows * emb->y->n_cols * sizeof *emb->y->rdx);
}

const dlg_op_class dlg_embeddings_class = {"embeddings", NULL, forward, backward, gradient, NULL, rforward, rbackward};
