#include "analytic/tokens/candidates.h"

#include "analytic/tokens/row_peeling.h"
#include "analytic/tokens/tied_decoder.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>

enum { SAMPLE = 1024 }; /* rows of tokens that were not fed: enough to span the decoder's part */

/* A position's row is a sum of tokens' rows when so little of it is left, and the factors are so near to 0 or 1. */
static const double nothing_left = 1e-3, whole = 0.02;

typedef struct {
    size_t H, T, n_tokens, rank;
    bool has_weak;     /* beside these directions of the decoder's part there are weak ones */
    uint32_t *token;   /* (n_tokens) all candidates, ascending */
    uint32_t pad;      /* the one that has no row wherever it stands */
    double *basis;     /* (rank, H) of the decoder's part */
    double *along;     /* (H) scratch */
    double *rows;      /* (n_tokens, H) what remains of the tokens' rows */
    double *off;       /* (n_tokens) norms of what these are off by */
    double *positions; /* (T, H) the same of the positions' */
    double typical;    /* norm of a position's row */
    double roundoff;   /* the gradient's */
    const dlg_candidates *candidates;
    /* of the sums */
    double *factors; /* (n_tokens, T) */
    dlg_row_peeling places;
} lookup;

/* The rows of tokens that are no candidates, evenly taken, span what the tied decoder leaves in all rows. */
static dlg_status find_decoder_part(lookup *l, const dlg_real *words, size_t V, dlg_error *err)
{
    const size_t H = l->H, stride = V / SAMPLE + 1, k = SAMPLE < H ? SAMPLE : H;
    dlg_real *sample = dlg_allocate(SAMPLE * H, sizeof *sample);
    double *values = dlg_allocate(H, sizeof *values);
    l->basis = dlg_allocate(H * H, sizeof *l->basis);
    l->along = dlg_allocate(H, sizeof *l->along);
    dlg_status status = DLG_OK;
    size_t n = 0;
    if (!sample || !values || !l->basis || !l->along) {
        status = dlg_fail(err, DLG_ENOMEM, "word embedding's gradient: no memory");
        goto out;
    }
    for (size_t v = 0, i = 0; v < V && n < SAMPLE; v += stride) {
        while (i < l->n_tokens && l->token[i] < v) i++;
        if (i < l->n_tokens && l->token[i] == v) continue;
        const double norm = sqrt(dlg_dot(H, words + v * H, words + v * H));
        if (!(norm > 0)) continue;
        for (size_t j = 0; j < H; j++) sample[n * H + j] = (dlg_real)((double)words[v * H + j] / norm);
        n++;
    }
    const size_t least = n < k ? n : k;
    const double smallest = dlg_tolerance_word_row(l->roundoff);
    status = dlg_svd_right(&(dlg_stack){1, H, {sample}, {n}}, least, values, l->basis, err);
    while (!status && l->rank < least && values[l->rank] > smallest * values[0]) l->rank++;
    l->has_weak = !status && l->rank < least && values[l->rank] > dlg_tolerance_floor(l->roundoff) * values[0];
out:
    dlg_free(values);
    dlg_free(sample);
    return status;
}

/* out (H) = row without the decoder's part; @return its norm */
static double remainder_of(const lookup *l, const dlg_real *row, double *out)
{
    for (size_t i = 0; i < l->H; i++) out[i] = (double)row[i];
    return dlg_take_out(l->rank, l->H, l->basis, out, l->along);
}

/* Remainders of all positions, and of the tokens that were fed: the others leave the list. */
static dlg_status find_remainders(lookup *l, const dlg_real *words, const dlg_real *positions, dlg_error *err)
{
    const size_t H = l->H;
    size_t n = 0;
    l->rows = dlg_allocate(l->n_tokens * H, sizeof *l->rows);
    l->off = dlg_allocate(l->n_tokens, sizeof *l->off);
    l->positions = dlg_allocate(l->T * H, sizeof *l->positions);
    if (!l->rows || !l->off || !l->positions) return dlg_fail(err, DLG_ENOMEM, "word embedding's gradient: no memory");
    for (size_t t = 0; t < l->T; t++)
        l->typical += remainder_of(l, positions + t * H, l->positions + t * H) / (double)l->T;
    for (size_t i = 0; i < l->n_tokens; i++) {
        const double norm = remainder_of(l, words + l->token[i] * H, l->rows + n * H);
        if (norm <= dlg_tolerance_looked_up(l->roundoff) * l->typical) continue;
        l->token[n++] = l->token[i];
    }
    l->n_tokens = n;
    return DLG_OK;
}

/* n_tokens where it was not fed. */
static size_t index_of(const lookup *l, uint32_t token)
{
    return dlg_candidates_token_index(l->n_tokens, l->token, token);
}

static bool was_fed(void *payload, uint32_t token, size_t position)
{
    const lookup *l = payload;
    (void)position;
    return token == l->pad || index_of(l, token) < l->n_tokens;
}

/* Whether every position keeps a candidate: else noise hides the rows of some. */
static bool covers(const lookup *l)
{
    const dlg_candidates *c = l->candidates;
    for (size_t t = 0; t < l->T; t++) {
        size_t n = 0;
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++) n += was_fed((void *)l, c->token[i], t);
        if (!n) return false;
    }
    return true;
}

/* factors (n_tokens, T): every position's row as a sum of the tokens' rows. */
static dlg_status find_sums(lookup *l, dlg_error *err)
{
    const size_t H = l->H, n = l->n_tokens, T = l->T;
    double *a = dlg_allocate(H * n, sizeof *a), *b = dlg_allocate(H * T, sizeof *b);
    l->factors = dlg_allocate(n * T, sizeof *l->factors);
    dlg_status status = DLG_OK;
    if (!a || !b || !l->factors) {
        status = dlg_fail(err, DLG_ENOMEM, "word embedding's gradient: no memory");
        goto out;
    }
    for (size_t i = 0; i < H; i++) {
        for (size_t k = 0; k < n; k++) a[i * n + k] = l->rows[k * H + i];
        for (size_t t = 0; t < T; t++) b[i * T + t] = l->positions[t * H + i];
    }
    status = dlg_least_squares(H, n, T, a, b, dlg_tolerance_direction(l->roundoff), l->factors, err);
out:
    dlg_free(b);
    dlg_free(a);
    return status;
}

/* Whether the position's row is a sum of some tokens' rows, each once, and all of them are candidates there. */
static bool is_sum(const lookup *l, size_t t)
{
    const size_t H = l->H, n = l->n_tokens;
    double left2 = 0, all2 = 0;
    for (size_t i = 0; i < H; i++) {
        double sum = l->positions[t * H + i];
        all2 += sum * sum;
        for (size_t k = 0; k < n; k++) sum -= l->factors[k * l->T + t] * l->rows[k * H + i];
        left2 += sum * sum;
    }
    bool any = false;
    for (size_t k = 0; k < n; k++) {
        const double factor = l->factors[k * l->T + t];
        const bool is_one = fabs(factor - 1) < whole;
        if (!is_one && fabs(factor) > whole) return false;
        if (is_one && !dlg_candidates_has(l->candidates, l->token[k], t)) return false;
        any |= is_one;
    }
    return any && left2 < nothing_left * nothing_left * all2;
}

static bool is_there(void *payload, uint32_t token, size_t position)
{
    const lookup *l = payload;
    if (!l->candidates->certain[position]) return true;
    const size_t i = index_of(l, token);
    return i < l->n_tokens && l->factors[i * l->T + position] > 0.5;
}

/* Next to a tied decoder: positions whose row is a sum of whole rows. */
static dlg_status narrow_by_sums(lookup *l, dlg_candidates *candidates, dlg_error *err)
{
    if (l->n_tokens + l->rank >= l->H) return DLG_OK; /* any row would be a sum of them */
    const dlg_status status = find_sums(l, err);
    for (size_t t = 0; t < l->T && !status; t++) candidates->certain[t] = is_sum(l, t);
    if (!status) dlg_candidates_narrow(candidates, is_there, l);
    return status;
}

static bool is_place(void *payload, uint32_t token, size_t position)
{
    const lookup *l = payload;
    return token == l->pad || dlg_row_peeling_admit(&l->places, token, position);
}

static dlg_status narrow_by_places(lookup *l, const dlg_gradient *gradient, dlg_candidates *candidates, dlg_error *err)
{
    const dlg_status status = dlg_row_peeling_find(&l->places, gradient, candidates, l->n_tokens, l->token, l->rows,
                                                   l->off, l->positions, err);
    if (status) return status;
    for (size_t t = 0; t < l->T; t++) candidates->certain[t] |= !l->places.position_is_open[t];
    dlg_candidates_narrow(candidates, is_place, l);
    return DLG_OK;
}

static bool is_open(const lookup *l)
{
    const dlg_candidates *c = l->candidates;
    for (size_t t = 0; t < l->T; t++)
        if (!c->certain[t] && c->first[t + 1] - c->first[t] > 1) return true;
    return false;
}

/* Next to a tied decoder, once what it added is known. */
static dlg_status narrow_by_cleared_places(lookup *l, const dlg_gradient *gradient, const dlg_real *words,
                                           const dlg_real *positions, dlg_candidates *candidates, dlg_error *err)
{
    dlg_tied_decoder *decoder = NULL;
    dlg_status status = dlg_tied_decoder_find(&decoder, gradient, l->rank, l->basis, l->n_tokens, l->token, err);
    if (status || !decoder) return status;
    for (size_t v = 0; v < l->n_tokens; v++) {
        for (size_t i = 0; i < l->H; i++) l->rows[v * l->H + i] = (double)words[l->token[v] * l->H + i];
        l->off[v] = dlg_tied_decoder_take_out(decoder, l->token[v], l->rows + v * l->H);
    }
    for (size_t i = 0; i < l->T * l->H; i++) l->positions[i] = (double)positions[i];
    status = narrow_by_places(l, gradient, candidates, err);
    dlg_tied_decoder_free(decoder);
    return status;
}

dlg_status dlg_candidates_from_embedding(dlg_candidates *candidates, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const dlg_real *words = dlg_gradient_at(gradient, gradient->model->roles.words);
    const size_t H = model->config.hidden_size, V = model->config.vocabulary_size;
    lookup l = {.pad = dlg_model_padding(model),
                .H = H,
                .T = candidates->n_positions,
                .roundoff = gradient->roundoff,
                .candidates = candidates};
    const dlg_real *positions = dlg_gradient_at(gradient, gradient->model->roles.positions);
    if (!words || !positions || !candidates->sees) return DLG_OK;
    dlg_status status = dlg_candidates_tokens(&l.token, &l.n_tokens, candidates, err);
    if (!status) status = find_decoder_part(&l, words, V, err);
    if (!status) status = find_remainders(&l, words, positions, err);
    if (status || !covers(&l)) goto out;
    dlg_candidates_narrow(candidates, was_fed, &l);
    candidates->has_tokens = true;
    if (l.rank || !model->roles.is_post_norm) status = narrow_by_sums(&l, candidates, err);
    else status = narrow_by_places(&l, gradient, candidates, err);
    if (!status && l.rank && !l.has_weak && model->roles.is_post_norm && is_open(&l))
        status = narrow_by_cleared_places(&l, gradient, words, positions, candidates, err);
out:
    dlg_row_peeling_release(&l.places);
    dlg_free(l.factors);
    dlg_free(l.positions);
    dlg_free(l.off);
    dlg_free(l.rows);
    dlg_free(l.basis);
    dlg_free(l.along);
    dlg_free(l.token);
    return status;
}
