/* All inputs at once, and those that are near anew, in double (input_distances.h). */
#include "analytic/tokens/candidates.h"

#include "base/memory.h"
#include "analytic/tokens/input_distances.h"
#include "analytic/tokens/inputs.h"
#include "math/rank.h"
#include "math/svd.h"
#include "math/sorted.h"
#include "math/tolerance.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_NEAR = 200000 /* that many inputs are near only when nothing can be told apart */ };

/* Squared part of the norm outside below which an input is looked at closely. */
static const double near_enough = 4e-3;

/* A part of the vocabulary is enough to say so when it has so many times its share of them. */
static const double early = 4;

/* Inside and outside must be so far apart. */
static const double gap = 10;

/* ---- how far outside, all at once ---- */

typedef struct {
    uint32_t token, position;
    size_t type;
    double outside;
} entry;

typedef struct {
    size_t n, capacity;
    entry *entries;
} heap;

static dlg_status push(heap *h, entry e, dlg_error *err)
{
    if (h->n == h->capacity) {
        const size_t more = h->capacity ? 2 * h->capacity : 1024;
        entry *grown = dlg_reallocate(h->entries, h->n, more, sizeof *grown);
        if (!grown) return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
        h->entries = grown;
        h->capacity = more;
    }
    h->entries[h->n++] = e;
    return DLG_OK;
}

/* The same in double, for one. x (H) is scratch. */
static double outside_exactly(const dlg_input_row_space *space, const dlg_inputs *in, uint32_t token, size_t position,
                              size_t type, double *x, double *along)
{
    const double norm2 = dlg_input_at(in, token, position, type, x);
    return norm2 > 0 ? dlg_take_out(space->rank, space->H, space->basis, x, along) / sqrt(norm2) : 1;
}

typedef struct {
    heap *near;
    const dlg_input_row_space *space;
    const dlg_inputs *in;
    double *x, *along; /* (H), (rank) */
    size_t n_known;    /* of the near ones, how far outside they are */
    bool is_blind;
} survey;

/* It seems near; how far outside it is is left open. */
static dlg_status look(void *payload, uint32_t token, size_t position, size_t type, double outside, dlg_error *err)
{
    const survey *s = payload;
    return outside > near_enough ? DLG_OK : push(s->near, (entry){token, (uint32_t)position, type, 0}, err);
}

/* Whether the first n words have so many near inputs that the whole vocabulary will have too many. */
static bool has_enough(void *payload, size_t n)
{
    survey *s = payload;
    const double share = fmin(1, early * (double)n / (double)s->space->model->config.vocabulary_size);
    s->is_blind = (double)s->near->n >= share * MOST_NEAR;
    for (; s->n_known < s->near->n && !s->is_blind; s->n_known++) {
        entry *e = &s->near->entries[s->n_known];
        e->outside = outside_exactly(s->space, s->in, e->token, e->position, e->type, s->x, s->along);
    }
    return s->is_blind;
}

static dlg_status check_all(heap *near, const dlg_input_row_space *space, size_t n_positions, size_t n_types,
                            dlg_error *err)
{
    const dlg_inputs in = dlg_inputs_of(space->model);
    double *scratch = dlg_allocate(space->H + space->rank, sizeof *scratch);
    if (!scratch) return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    survey s = {near, space, &in, scratch, scratch + space->H, 0, false};
    const dlg_status status = dlg_input_distances_visit(space, n_positions, n_types, look, has_enough, &s, err);
    if (s.is_blind) near->n = 0;
    dlg_free(scratch);
    return status;
}

/* ---- from distances to candidates ---- */

/* How far outside the least certain position's nearest input lies; infinity where one has none. */
static dlg_status find_furthest(double *out, const heap *near, size_t n_positions, dlg_error *err)
{
    double *least = dlg_allocate(n_positions, sizeof *least);
    *out = 0;
    if (!least) return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    for (size_t t = 0; t < n_positions; t++) least[t] = INFINITY;
    for (size_t i = 0; i < near->n; i++) {
        double *here = &least[near->entries[i].position];
        *here = fmin(*here, near->entries[i].outside);
    }
    for (size_t t = 0; t < n_positions; t++) *out = fmax(*out, least[t]);
    dlg_free(least);
    return DLG_OK;
}

/*
 * The widest gap between the sorted distances, of those that leave no position without a candidate: what is below it is
 * inside. Beyond all of them lies near_enough. Where sums of inputs fill all gaps, those inside are no further outside
 * than a gap beyond what every position needs, if that is rounding.
 */
static dlg_status find_limit(const heap *near, size_t n_positions, double *limit, dlg_error *err)
{
    double widest = gap, furthest;
    const dlg_status status = find_furthest(&furthest, near, n_positions, err);
    double *sorted = dlg_allocate(near->n + 1, sizeof *sorted);
    if (status || !sorted) {
        dlg_free(sorted);
        return status ? status : dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    }
    for (size_t i = 0; i < near->n; i++) sorted[i] = fmax(near->entries[i].outside, 1e-9);
    sorted[near->n] = sqrt(near_enough);
    dlg_sort(near->n, sorted);
    *limit = furthest < dlg_tolerance_input() ? gap * furthest : 0;
    for (size_t i = 0; i < near->n; i++)
        if (sorted[i] >= furthest && sorted[i + 1] > widest * sorted[i]) {
            widest = sorted[i + 1] / sorted[i];
            *limit = sorted[i];
        }
    dlg_free(sorted);
    return DLG_OK;
}

static int by_position_and_token(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    if (x->token != y->token) return x->token < y->token ? -1 : 1;
    return (x->type > y->type) - (x->type < y->type);
}

static dlg_status collect(dlg_candidates *out, heap *near, double limit, dlg_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < near->n; i++)
        if (near->entries[i].outside <= limit) near->entries[n++] = near->entries[i];
    /* it takes no NULL, not even for nothing */
    if (n) qsort(near->entries, n, sizeof *near->entries, by_position_and_token);
    out->first = dlg_allocate(out->n_positions + 1, sizeof *out->first);
    out->certain = dlg_allocate(out->n_positions, sizeof *out->certain);
    out->token = dlg_allocate(n + 1, sizeof *out->token);
    out->type = dlg_allocate(n + 1, sizeof *out->type);
    out->outside = dlg_allocate(n + 1, sizeof *out->outside);
    if (!out->first || !out->certain || !out->token || !out->type || !out->outside)
        return dlg_fail(err, DLG_ENOMEM, "candidates: no memory");
    for (size_t i = 0; i < n; i++) {
        out->token[i] = near->entries[i].token;
        out->type[i] = near->entries[i].type;
        out->outside[i] = near->entries[i].outside;
        out->first[near->entries[i].position + 1] = i + 1;
    }
    out->sees = n > 0;
    for (size_t t = 0; t < out->n_positions; t++) {
        if (!out->first[t + 1]) out->first[t + 1] = out->first[t];
        out->sees &= out->first[t + 1] > out->first[t];
    }
    return DLG_OK;
}

dlg_status dlg_candidates_find(dlg_candidates *out, const dlg_model *model, const dlg_spectrum *inputs,
                               size_t n_positions, size_t n_types, dlg_error *err)
{
    const dlg_input_row_space space = {model, inputs->n_in,
                                       dlg_rank_visible(inputs->n, inputs->values, inputs->roundoff), inputs->vectors};
    heap near = {0};
    double limit = 0;
    dlg_status status = DLG_OK;
    *out = (dlg_candidates){.n_positions = n_positions, .rank = space.rank};
    if (space.rank < space.H) status = check_all(&near, &space, n_positions, n_types, err);
    if (near.n >= MOST_NEAR) near.n = 0; /* not all of the vocabulary was looked at: nothing is seen */
    if (!status) status = find_limit(&near, n_positions, &limit, err);
    if (!status) status = collect(out, &near, limit, err);
    dlg_free(near.entries);
    if (status) dlg_candidates_release(out);
    return status;
}
