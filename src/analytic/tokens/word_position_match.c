#include "analytic/tokens/word_position_match.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum {
    ROUNDS = 5,
    BLOCK = 1024 /* words looked at together */
};

/* A factor from here on and up to there is a one; from this much below it on another is none. */
static const double least_one = 0.6, most_one = 1.6, clear = 0.3;

typedef struct {
    size_t T, H, V;
    const dlg_real *words, *positions; /* (V, H), (T, H) */
    double smallest;                   /* directions of positions' rows below it are left out of the fit */
    const dlg_position_check *check;
    size_t rank;            /* of the decoder's part */
    double *basis;          /* (H, H) its directions, the first `rank` rows */
    double *gram;           /* (H, H) words^T words */
    double *left;           /* (H, H) the same of what is left of them */
    double *values;         /* (H) */
    double *along;          /* (H) */
    double *rows;           /* (T, H) the positions' rows without the decoder's directions */
    double *unit;           /* (T, T) */
    double *inverse;        /* (H, T) pseudo-inverse of rows */
    dlg_real *turned;       /* (H, T) the same, in the products' precision; before that (H, H) of the gram matrix */
    dlg_real *factors;      /* (BLOCK, T) */
    double *largest, *next; /* (T) factors */
    uint32_t *before;       /* (T) the tokens of the round before */
} matching;

static dlg_status allocate(matching *m, dlg_error *err)
{
    const size_t T = m->T, H = m->H;
    m->basis = dlg_allocate(H * H, sizeof *m->basis);
    m->gram = dlg_allocate(H * H, sizeof *m->gram);
    m->left = dlg_allocate(H * H, sizeof *m->left);
    m->values = dlg_allocate(H, sizeof *m->values);
    m->along = dlg_allocate(H, sizeof *m->along);
    m->rows = dlg_allocate(T * H, sizeof *m->rows);
    m->unit = dlg_allocate(T * T, sizeof *m->unit);
    m->inverse = dlg_allocate(H * T, sizeof *m->inverse);
    m->turned = dlg_allocate(H * H, sizeof *m->turned);
    m->factors = dlg_allocate(BLOCK * T, sizeof *m->factors);
    m->largest = dlg_allocate(T, sizeof *m->largest);
    m->next = dlg_allocate(T, sizeof *m->next);
    m->before = dlg_allocate(T, sizeof *m->before);
    const bool all = m->basis && m->gram && m->left && m->values && m->along && m->rows && m->unit && m->inverse &&
                     m->turned && m->factors && m->largest && m->next && m->before;
    return all ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "shared rows: no memory");
}

static void release(matching *m)
{
    dlg_free(m->basis);
    dlg_free(m->gram);
    dlg_free(m->left);
    dlg_free(m->values);
    dlg_free(m->along);
    dlg_free(m->rows);
    dlg_free(m->unit);
    dlg_free(m->inverse);
    dlg_free(m->turned);
    dlg_free(m->factors);
    dlg_free(m->largest);
    dlg_free(m->next);
    dlg_free(m->before);
}

/* ---- the decoder's directions ---- */

/* basis := the `most` strongest directions of the symmetric a (H, H), which is overwritten; fewer where it has not as
 * many */
static dlg_status take_strongest(matching *m, double *a, size_t most, dlg_error *err)
{
    const size_t H = m->H;
    const dlg_status status = dlg_symmetric_eigen(H, a, m->values, err);
    if (status) return status;
    const double largest = m->values[H - 1], smallest = dlg_tolerance_embedding_direction(DLG_GRAM_ROUNDOFF);
    m->rank = 0;
    while (m->rank < most && m->values[H - 1 - m->rank] > smallest * smallest * largest) {
        for (size_t i = 0; i < H; i++) m->basis[m->rank * H + i] = a[i * H + H - 1 - m->rank];
        m->rank++;
    }
    return DLG_OK;
}

/* a (H, H) += factor x x^T */
static void add_outer(size_t H, double factor, const double *x, double *restrict a)
{
    for (size_t i = 0; i < H; i++)
        for (size_t j = 0; j < H; j++) a[i * H + j] += factor * x[i] * x[j];
}

static void in_double(size_t n, const dlg_real *from, double *to)
{
    for (size_t i = 0; i < n; i++) to[i] = (double)from[i];
}

static dlg_status directions_of_labels(matching *m, const dlg_decoder_part *part, dlg_error *err)
{
    memset(m->left, 0, m->H * m->H * sizeof *m->left);
    for (size_t i = 0; i < part->n_labels; i++) {
        in_double(m->H, m->words + part->labels[i] * m->H, m->along);
        add_outer(m->H, 1, m->along, m->left);
    }
    return take_strongest(m, m->left, part->n_predicted, err);
}

static dlg_status directions_of_rest(matching *m, const dlg_word_position_match *read, size_t n_predicted,
                                     dlg_error *err)
{
    const size_t H = m->H;
    memcpy(m->left, m->gram, H * H * sizeof *m->left);
    for (size_t t = 0; t < m->T; t++) {
        if (!read->is_named[t]) continue;
        bool is_again = false;
        for (size_t u = 0; u < t && !is_again; u++) is_again = read->is_named[u] && read->token[u] == read->token[t];
        if (is_again) continue;
        in_double(H, m->words + read->token[t] * H, m->along);
        add_outer(H, -1, m->along, m->left);
        for (size_t u = t; u < m->T; u++)
            for (size_t i = 0; i < H && read->is_named[u] && read->token[u] == read->token[t]; i++)
                m->along[i] -= (double)m->positions[u * H + i];
        add_outer(H, 1, m->along, m->left);
    }
    return take_strongest(m, m->left, n_predicted, err);
}

/* ---- the fit ---- */

/* turned := the pseudo-inverse of the positions' rows without the decoder's directions, so that words' rows times it
 * are the factors */
static dlg_status invert(matching *m, dlg_error *err)
{
    const size_t T = m->T, H = m->H;
    in_double(T * H, m->positions, m->rows);
    for (size_t t = 0; t < T; t++) {
        (void)dlg_take_out(m->rank, H, m->basis, m->rows + t * H, m->along);
        for (size_t u = 0; u < T; u++) m->unit[t * T + u] = t == u;
    }
    const dlg_status status = dlg_least_squares(T, H, T, m->rows, m->unit, m->smallest, m->inverse, err);
    for (size_t i = 0; i < H * T && !status; i++) m->turned[i] = (dlg_real)m->inverse[i];
    return status;
}

static void compare(matching *m, dlg_word_position_match *read, uint32_t token, const dlg_real *factors)
{
    for (size_t t = 0; t < m->T; t++) {
        const double factor = (double)factors[t];
        if (!(factor > m->next[t]) || !dlg_position_check_allows(m->check, token, t)) continue;
        if (factor > m->largest[t]) {
            m->next[t] = m->largest[t];
            m->largest[t] = factor;
            read->token[t] = token;
        } else {
            m->next[t] = factor;
        }
    }
}

/* @return whether what is named has changed */
static bool read_factors(matching *m, dlg_word_position_match *read)
{
    const size_t T = m->T, H = m->H;
    bool has_changed = false;
    for (size_t t = 0; t < T; t++) m->largest[t] = m->next[t] = 0;
    memcpy(m->before, read->token, T * sizeof *m->before);
    for (size_t first = 0; first < m->V; first += BLOCK) {
        const size_t width = m->V - first < BLOCK ? m->V - first : BLOCK;
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, width, T, H, 1, m->words + first * H, H, m->turned, T, 0, m->factors, T);
        for (size_t v = 0; v < width; v++) compare(m, read, (uint32_t)(first + v), m->factors + v * T);
    }
    for (size_t t = 0; t < T; t++) {
        const bool is_named =
            m->largest[t] >= least_one && m->largest[t] <= most_one && m->largest[t] - m->next[t] >= clear;
        has_changed |= is_named != read->is_named[t] || (is_named && m->before[t] != read->token[t]);
        read->is_named[t] = is_named;
    }
    return has_changed;
}

static dlg_status find(matching *m, dlg_word_position_match *out, const dlg_decoder_part *part, bool is_tied,
                       dlg_error *err)
{
    const size_t H = m->H;
    dlg_status status = DLG_OK;
    if (is_tied) {
        dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, H, H, m->V, 1, m->words, H, m->words, H, 0, m->turned, H);
        in_double(H * H, m->turned, m->gram);
        status = directions_of_labels(m, part, err);
    }
    for (size_t round = 0; round < ROUNDS && !status; round++) {
        if (round && is_tied) status = directions_of_rest(m, out, part->n_predicted, err);
        if (!status) status = dlg_check_interrupt(err);
        if (!status) status = invert(m, err);
        if (!status && !read_factors(m, out)) break;
    }
    return status;
}

dlg_status dlg_word_position_match_find(dlg_word_position_match *out, const dlg_gradient *gradient,
                                        const dlg_position_check *check, size_t length, const dlg_decoder_part *part,
                                        dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    matching m = {.T = length,
                  .H = config->hidden_size,
                  .V = config->vocabulary_size,
                  .check = check,
                  .smallest = dlg_tolerance_embedding_direction(gradient->roundoff),
                  .words = dlg_gradient_at(gradient, gradient->model->roles.words),
                  .positions = dlg_gradient_at(gradient, gradient->model->roles.positions)};
    *out = (dlg_word_position_match){length, false, dlg_allocate(length, sizeof *out->token),
                                     dlg_allocate(length, sizeof *out->is_named)};
    dlg_status status = out->token && out->is_named ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "shared rows: no memory");
    if (!status && m.words && m.positions && length + part->n_predicted < m.H) {
        status = allocate(&m, err);
        if (!status)
            status = find(&m, out, part, gradient->model->roles.decoder.weight == gradient->model->roles.words, err);
        release(&m);
        out->sees = true;
    }
    if (status) dlg_word_position_match_release(out);
    return status;
}

size_t dlg_word_position_match_positions(const dlg_word_position_match *read, uint32_t token, size_t *positions)
{
    size_t n = 0;
    for (size_t t = 1; t + 1 < read->length; t++)
        if (read->is_named[t] && read->token[t] == token) positions[n++] = t;
    return n;
}

void dlg_word_position_match_release(dlg_word_position_match *read)
{
    dlg_free(read->token);
    dlg_free(read->is_named);
    *read = (dlg_word_position_match){0};
}
