#include "analytic/tokens/token_set.h"

#include "analytic/noise/noise_model.h"
#include "base/interrupt.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/row_space.h"
#include "math/sorted.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

enum {
    SAMPLE = 4096, /* rows that the span is found from */
    ROUNDS = 24,   /* in which rows that do not belong are dropped from them */
    FEWEST = 8,    /* rows of a dimension of the span that are kept */
    BLOCK = 512    /* rows looked at together */
};

/* In each round so many of those that stick out go at least: while many are in, what sticks out of the middle one says
 * little. */
static const double worst = 0.1;

/* A row belongs to the span when no larger part of its norm sticks out: rounding, or so many times what sticks out of
 * the middle one. */
static const double times_median = 20;

/* A row with a larger share in one direction of the span has it for itself. */
static const double alone = 0.5;

/* Next to noise a row is looked up when its norm exceeds the middle one by this many deviations of a norm of normal
 * numbers. */
static const double outstanding = 8;

/* The widest gap between those in and those out is clear when they differ by this factor. */
static const double clear_gap = 4;

/* The value that a part of all are below. */
static dlg_status quantile(double *out, double part, size_t n, const double *values, dlg_error *err)
{
    double *sorted = dlg_allocate(n + 1, sizeof *sorted);
    if (!sorted) return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    memcpy(sorted, values, n * sizeof *sorted);
    dlg_sort(n, sorted);
    *out = n ? sorted[(size_t)(part * (double)n)] : 0;
    dlg_free(sorted);
    return DLG_OK;
}

static dlg_status median(double *out, size_t n, const double *values, dlg_error *err)
{
    return quantile(out, 0.5, n, values, err);
}

static bool is_label(const dlg_token_evidence *known, size_t v)
{
    for (size_t i = 0; i < known->n_labels; i++)
        if (known->labels[i] == v) return true;
    return false;
}

/* outside (n) := norm of each row g (n, H) without its part in the space; (n, rank) and (n, H) scratch of `BLOCK`
 * rows */
static dlg_status measure(double *outside, size_t n, size_t H, const dlg_real *g, const dlg_row_space *space,
                          dlg_error *err)
{
    const size_t rank = space->rank;
    dlg_real *along = dlg_allocate(BLOCK * (rank + 1), sizeof *along), *rest = dlg_allocate(BLOCK * H, sizeof *rest);
    dlg_status status = along && rest ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    for (size_t first = 0; first < n && !status; first += BLOCK) {
        const size_t n_rows = n - first < BLOCK ? n - first : BLOCK;
        memcpy(rest, g + first * H, n_rows * H * sizeof *rest);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n_rows, rank, H, 1, rest, H, space->basis, H, 0, along, rank);
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, n_rows, H, rank, -1, along, rank, space->basis, H, 1, rest, H);
        for (size_t i = 0; i < n_rows; i++) outside[first + i] = sqrt(dlg_dot(H, rest + i * H, rest + i * H));
        status = dlg_check_interrupt(err);
    }
    dlg_free(along);
    dlg_free(rest);
    return status;
}

/* ---- the decoder's span ---- */

/* Rows of norm 1. */
typedef struct {
    size_t n, H;
    dlg_real *rows;
    double rounding; /* of a row that belongs */
} sample;

static dlg_status draw(sample *s, size_t V, const dlg_real *g, const dlg_token_evidence *known, dlg_error *err)
{
    size_t *order = dlg_allocate(V, sizeof *order);
    dlg_random random = dlg_random_at(0, dlg_random_stream("token set"));
    s->rows = dlg_allocate((V < SAMPLE ? V : SAMPLE) * s->H, sizeof *s->rows);
    if (!order || !s->rows) {
        dlg_free(order);
        return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    }
    dlg_random_permutation(order, V, &random);
    for (size_t i = 0; i < V && s->n < SAMPLE; i++) {
        const dlg_real *row = g + order[i] * s->H;
        const double norm = sqrt(dlg_dot(s->H, row, row));
        if (!(norm > 0) || is_label(known, order[i])) continue;
        for (size_t j = 0; j < s->H; j++) s->rows[s->n * s->H + j] = (dlg_real)((double)row[j] / norm);
        s->n++;
    }
    dlg_free(order);
    return DLG_OK;
}

/* Directions of the span that no more than this part of the strongest one's weight is in are hardly there. */
static const double weak = 1e-9;

/*
 * Drop the rows that stick out of the space, and those that have a direction of it for themselves.
 * @param[out] is_full no direction is weak
 */
static dlg_status drop(size_t *n_dropped, bool *is_full, sample *s, const dlg_row_space *space, dlg_error *err)
{
    const size_t H = s->H, rank = space->rank, n = s->n;
    double *outside = dlg_allocate(n, sizeof *outside), *weight = dlg_allocate(rank + 1, sizeof *weight), middle = 0,
           high = 0;
    dlg_real *along = dlg_allocate(n * (rank + 1), sizeof *along);
    dlg_status status = outside && weight && along ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    if (!status) status = measure(outside, n, H, s->rows, space, err);
    if (!status) status = median(&middle, n, outside, err);
    if (!status) status = quantile(&high, 1 - worst, n, outside, err);
    if (status) goto out;
    const double limit =
        fmax(s->rounding, n > FEWEST * rank ? fmin(high, times_median * middle) : times_median * middle);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, rank, H, 1, s->rows, H, space->basis, H, 0, along, rank);
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < rank; r++) weight[r] += (double)along[i * rank + r] * (double)along[i * rank + r];
    double least = INFINITY, most = 0;
    for (size_t r = 0; r < rank; r++) least = fmin(least, weight[r]), most = fmax(most, weight[r]);
    *is_full = least > weak * most;
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        double share = 0;
        for (size_t r = 0; r < rank; r++)
            if (weight[r] > 0) share += (double)along[i * rank + r] * (double)along[i * rank + r] / weight[r];
        if (outside[i] > limit || share > alone) continue;
        memmove(s->rows + s->n++ * H, s->rows + i * H, H * sizeof *s->rows);
    }
    *n_dropped = n - s->n;
out:
    dlg_free(outside);
    dlg_free(weight);
    dlg_free(along);
    return status;
}

static dlg_status find_span(dlg_row_space *space, bool *is_full, const dlg_gradient *gradient,
                            const dlg_token_evidence *known, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.words);
    const size_t V = config->vocabulary_size, H = config->hidden_size;
    sample s = {.H = H, .rounding = dlg_tolerance_word_row(gradient->roundoff)};
    dlg_status status = draw(&s, V, g, known, err);
    size_t n_dropped = 1;
    for (size_t round = 0; round < ROUNDS && n_dropped && !status; round++) {
        dlg_free(space->basis);
        *space = (dlg_row_space){0};
        status = dlg_row_space_find(space, &(dlg_stack){1, H, {s.rows}, {s.n}}, known->n_predicted, err);
        if (!status) status = drop(&n_dropped, is_full, &s, space, err);
    }
    *is_full = *is_full && space->rank == known->n_predicted;
    dlg_free(s.rows);
    return status;
}

/* Next to noise only the labels' own rows are large enough to show the span. */
static dlg_status find_blurred_span(dlg_row_space *space, size_t H, const dlg_real *g, const dlg_token_evidence *known,
                                    dlg_error *err)
{
    dlg_real *rows = dlg_allocate((known->n_labels + 1) * H, sizeof *rows);
    if (!rows) return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    for (size_t i = 0; i < known->n_labels; i++) memcpy(rows + i * H, g + known->labels[i] * H, H * sizeof *rows);
    const dlg_status status =
        dlg_row_space_find(space, &(dlg_stack){1, H, {rows}, {known->n_labels}}, known->n_labels, err);
    dlg_free(rows);
    return status;
}

/* ---- what sticks out ---- */

/* Of what sticks out, as a part of its row: never more than this is rounding. */
static const double most_rounding = 0.05;

/* Outside as a part of the row's norm, without what rounding to the smallest number there is adds to it. */
static dlg_status relate(double *outside, double *middle, size_t V, size_t H, const dlg_real *g, dlg_error *err)
{
    const double place = dlg_smallest_entry(V * H, g) / 2 * sqrt((double)H);
    double *norm = dlg_allocate(V, sizeof *norm);
    if (!norm) return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    for (size_t v = 0; v < V; v++) {
        norm[v] = sqrt(dlg_dot(H, g + v * H, g + v * H));
        if (norm[v] > 0) outside[v] /= norm[v];
    }
    const dlg_status status = median(middle, V, outside, err);
    for (size_t v = 0; v < V; v++)
        if (norm[v] > 0) outside[v] = fmax(0, outside[v] - place / norm[v]);
    dlg_free(norm);
    return status;
}

static double limit_of(double middle, const dlg_gradient *gradient, const dlg_token_evidence *known, bool is_tied)
{
    const dlg_config *config = &gradient->model->config;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.words);
    const size_t V = config->vocabulary_size, H = config->hidden_size;
    const double beyond = 1 + outstanding / sqrt(2 * (double)H);
    switch (known->blur) {
    case DLG_NOISY: return middle * beyond;
    case DLG_GRID: return is_tied ? dlg_smallest_entry(V * H, g) / sqrt(12) * sqrt((double)H) * beyond : 0;
    case DLG_SHARP: break;
    }
    const double rounding = dlg_tolerance_word_row(gradient->roundoff) + 4 * known->rounding;
    return is_tied ? fmax(rounding, fmin(times_median * middle, most_rounding)) : 0;
}

static dlg_status collect(dlg_token_set *out, size_t V, const double *outside, double limit,
                          const dlg_token_evidence *known, bool skips_labels, dlg_error *err)
{
    double least_in = INFINITY, most_out = 0;
    out->tokens = dlg_allocate(V, sizeof *out->tokens);
    if (!out->tokens) return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    for (size_t v = 0; v < V; v++) {
        if (skips_labels && is_label(known, v)) continue; /* too few others show its part of the span */
        if (outside[v] > limit) {
            out->tokens[out->n++] = (uint32_t)v;
            least_in = fmin(least_in, outside[v]);
        } else {
            most_out = fmax(most_out, outside[v]);
        }
    }
    out->is_clear = out->n && !skips_labels &&
                    (known->blur ? least_in > sqrt(clear_gap) * most_out : least_in > clear_gap * most_out);
    return DLG_OK;
}

dlg_status dlg_token_set_find(dlg_token_set *out, const dlg_gradient *gradient, const dlg_token_evidence *known,
                              dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const size_t V = config->vocabulary_size, H = config->hidden_size;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.words);
    const bool is_tied = gradient->model->roles.decoder.weight == gradient->model->roles.words;
    dlg_row_space space = {0};
    bool is_full = false;
    double middle = 0;
    *out = (dlg_token_set){0};
    if (!g || (is_tied && !(known->blur ? known->n_labels : known->n_predicted))) return DLG_OK;
    double *outside = dlg_allocate(V, sizeof *outside);
    dlg_status status = outside ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    if (!status && is_tied)
        status = known->blur ? find_blurred_span(&space, H, g, known, err)
                             : find_span(&space, &is_full, gradient, known, err);
    if (!status) status = measure(outside, V, H, g, &space, err);
    if (!status && is_tied && !known->blur) status = relate(outside, &middle, V, H, g, err);
    else if (!status) status = median(&middle, V, outside, err);
    if (!status)
        status = collect(out, V, outside, limit_of(middle, gradient, known, is_tied), known, is_tied && !is_full, err);
    dlg_free(outside);
    dlg_free(space.basis);
    return status;
}

/* The set must have room for one more. */
static void insert(dlg_token_set *set, uint32_t token)
{
    size_t at = set->n;
    while (at > 0 && set->tokens[at - 1] > token) at--;
    if (at > 0 && set->tokens[at - 1] == token) return;
    memmove(set->tokens + at + 1, set->tokens + at, (set->n - at) * sizeof *set->tokens);
    set->tokens[at] = token;
    set->n++;
}

dlg_status dlg_token_set_add(dlg_token_set *set, size_t n, const size_t *tokens, dlg_error *err)
{
    uint32_t *grown = dlg_reallocate(set->tokens, set->n, set->n + n, sizeof *grown);
    if (!grown) return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    set->tokens = grown;
    for (size_t i = 0; i < n; i++) insert(set, (uint32_t)tokens[i]);
    return DLG_OK;
}

dlg_status dlg_token_set_of_text(dlg_token_set *out, size_t n, const uint32_t *text, dlg_error *err)
{
    *out = (dlg_token_set){.tokens = dlg_allocate(n, sizeof *out->tokens), .is_clear = true};
    if (!out->tokens) {
        *out = (dlg_token_set){0};
        return dlg_fail(err, DLG_ENOMEM, "token set: no memory");
    }
    for (size_t t = 0; t < n; t++) insert(out, text[t]);
    return DLG_OK;
}
