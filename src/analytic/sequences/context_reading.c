#include "analytic/sequences/context_reading.h"

#include "analytic/sequences/context_equations.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/nonnegative.h"
#include "math/random.h"

#include <math.h>
#include <string.h>

/* What a position that holds no candidate, or two, counts beside rows of norm 1. */
static const double one_each = 0.03;

/* Damping, as a part of the squares' second derivatives: at first, at least, when given up; by how much it changes. */
static const double damping = 1e-2, least_damping = 1e-9, most_damping = 1e7, by = 5;

/* Squares that small are none; so many steps have to bring them down to this part. */
static const double solved = 1e-9, progress = 0.5;

enum {
    STEPS = 30,
    WATCHED = 4, /* steps */
    TIMES = 6,   /* an end that gave a sentence may give others */
    OTHERS = 64  /* places tried that may not have been there */
};

struct dlg_context_reading {
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    dlg_context_equations *equations;
    size_t T, n, count;
    size_t *position; /* (n) */
    bool *is_known;   /* (n) it was there */
    unsigned *tried;  /* (n) how often */
    size_t n_others;
    /* of a place */
    size_t place;
    bool is_end;
    bool *is_open; /* (n) may stand beside it */
    size_t n_away; /* found sentences that it stands in */
    size_t *away;  /* (found) */
    const dlg_sequences *found;
    /* of the descent */
    double *m, *next, *gradient, *pull;              /* (n); pull: derivative of the deflation's root */
    double *filled;                                  /* (T) sums of m by position */
    dlg_real *left, *slopes;                         /* (count), (n, count) */
    double *exact;                                   /* (n, count) */
    size_t n_active, *active;                        /* (n) */
    double *normal, *damped, *side, *part, *squares; /* (n, n), (n, n), (n), (n), (n) */
    dlg_arena arena;
};

static void carve(dlg_context_reading *o)
{
    const size_t n = o->n;
    o->position = dlg_arena_carve(&o->arena, n, sizeof *o->position);
    o->is_known = dlg_arena_carve(&o->arena, n, sizeof *o->is_known);
    o->tried = dlg_arena_carve(&o->arena, n, sizeof *o->tried);
    o->is_open = dlg_arena_carve(&o->arena, n, sizeof *o->is_open);
    o->active = dlg_arena_carve(&o->arena, n, sizeof *o->active);
    double **all[] = {&o->m, &o->next, &o->gradient, &o->pull, &o->side, &o->part, &o->squares};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) *all[k] = dlg_arena_carve(&o->arena, n, sizeof **all[k]);
    o->filled = dlg_arena_carve(&o->arena, o->T, sizeof *o->filled);
    o->left = dlg_arena_carve(&o->arena, o->count, sizeof *o->left);
    o->slopes = dlg_arena_carve(&o->arena, n * o->count, sizeof *o->slopes);
    o->exact = dlg_arena_carve(&o->arena, n * o->count, sizeof *o->exact);
    o->normal = dlg_arena_carve(&o->arena, n * n, sizeof *o->normal);
    o->damped = dlg_arena_carve(&o->arena, n * n, sizeof *o->damped);
}

/* ---- the sum of squares ---- */

/* Of the point m: what is left of the equations and of positions that hold one each, and what deflation makes of it. */
typedef struct {
    double squares, root; /* all of it is squares root^2 */
} sum;

static double size_of(sum s)
{
    return s.squares * s.root * s.root;
}

/* pull := the derivative. @return the root of the product of 1 + 1 / distance */
static double deflate(dlg_context_reading *o, const double *m)
{
    double root = 1;
    memset(o->pull, 0, o->n * sizeof *o->pull);
    for (size_t b = 0; b < o->n_away; b++) {
        const size_t length = o->found->lengths[o->away[b]], *index = o->found->index + o->away[b] * o->T;
        double distance = 0;
        for (size_t j = 0; j < o->n; j++) {
            const bool is_in = o->position[j] < length && index[o->position[j]] == j;
            o->part[j] = o->is_open[j] ? m[j] - is_in : 0;
            distance += o->part[j] * o->part[j] / (2 * (double)length);
        }
        distance = fmax(distance, 1e-9);
        const double factor = sqrt(1 + 1 / distance), slope = -0.5 / (factor * distance * distance * (double)length);
        for (size_t j = 0; j < o->n; j++) o->pull[j] = o->pull[j] * factor + root * slope * o->part[j];
        root *= factor;
    }
    return root;
}

static sum evaluate(dlg_context_reading *o, const double *m)
{
    sum s = {dlg_context_equations_at(o->equations, m, o->left), 1};
    memset(o->filled, 0, o->T * sizeof *o->filled);
    for (size_t j = 0; j < o->n; j++) o->filled[o->position[j]] += m[j];
    for (size_t t = 0; t < o->position[o->place]; t++)
        s.squares += one_each * one_each * (o->filled[t] - 1) * (o->filled[t] - 1);
    s.root = deflate(o, m);
    return s;
}

static bool is_bound(const dlg_context_reading *o, size_t j)
{
    return o->position[j] < o->position[o->place];
}

/* Half the derivative of all of it, and with that who may change: all but who is at zero and would go below. */
static void find_active(dlg_context_reading *o, sum s)
{
    dlg_context_equations_gradient(o->equations, o->left, o->gradient);
    o->n_active = 0;
    for (size_t j = 0; j < o->n; j++) {
        if (is_bound(o, j)) o->gradient[j] += one_each * one_each * (o->filled[o->position[j]] - 1);
        o->gradient[j] = s.root * (s.root * o->gradient[j] + s.squares * o->pull[j]);
        if (o->is_open[j] && (o->m[j] > 0 || o->gradient[j] < 0)) o->active[o->n_active++] = j;
    }
}

/* normal, side := of the active, second derivatives as Gauss and Newton have them, and first */
static void find_normal(dlg_context_reading *o, sum s)
{
    const size_t n = o->n_active, count = o->count;
    const double square = one_each * one_each, root2 = s.root * s.root;
    dlg_context_equations_slopes(o->equations, n, o->active, o->slopes);
    for (size_t i = 0; i < n * count; i++) o->exact[i] = (double)o->slopes[i];
    dlg_gram_of_doubles(n, count, o->exact, o->normal);
    for (size_t a = 0; a < n; a++) {
        o->side[a] = 0;
        for (size_t k = 0; k < count; k++) o->side[a] += o->exact[a * count + k] * (double)o->left[k];
        if (is_bound(o, o->active[a])) o->side[a] += square * (o->filled[o->position[o->active[a]]] - 1);
    }
    for (size_t a = 0; a < n; a++)
        for (size_t b = a; b < n; b++) {
            const size_t i = o->active[a], j = o->active[b];
            double *at = &o->normal[a * n + b];
            if (is_bound(o, i) && o->position[i] == o->position[j]) *at += square;
            *at = root2 * *at + s.root * (o->side[a] * o->pull[j] + o->side[b] * o->pull[i]) +
                  s.squares * o->pull[i] * o->pull[j];
            o->normal[b * n + a] = *at;
        }
    for (size_t a = 0; a < n; a++) o->side[a] = s.root * (s.root * o->side[a] + s.squares * o->pull[o->active[a]]);
}

/* next := m moved by a damped step */
static dlg_status step(dlg_context_reading *o, double damp, dlg_error *err)
{
    const size_t n = o->n_active;
    double most = 0;
    for (size_t a = 0; a < n; a++) most = fmax(most, o->normal[a * n + a]);
    memcpy(o->damped, o->normal, n * n * sizeof *o->damped);
    for (size_t a = 0; a < n; a++) {
        o->damped[a * n + a] += damp * (o->normal[a * n + a] + 1e-12 * most);
        o->part[a] = o->m[o->active[a]];
    }
    for (size_t a = 0; a < n; a++) o->squares[a] = dlg_dot_of_doubles(n, o->damped + a * n, o->part) - o->side[a];
    const dlg_status status = dlg_solve_nonnegative(n, o->damped, o->squares, o->part, err);
    memcpy(o->next, o->m, o->n * sizeof *o->next);
    for (size_t a = 0; a < n; a++) o->next[o->active[a]] = o->part[a];
    return status;
}

static dlg_status descend(dlg_context_reading *o, dlg_error *err)
{
    double damp = damping, before[WATCHED];
    sum now = evaluate(o, o->m);
    dlg_status status = DLG_OK;
    for (size_t k = 0; k < WATCHED; k++) before[k] = INFINITY;
    for (size_t k = 0; k < STEPS && !status && now.squares > solved; k++) {
        sum then = {INFINITY, 1};
        find_active(o, now);
        if (!o->n_active) break;
        find_normal(o, now);
        for (; !status && damp < most_damping; damp *= by) {
            status = step(o, damp, err);
            if (!status) status = dlg_check_interrupt(err);
            if (!status) then = evaluate(o, o->next);
            if (status || size_of(then) < size_of(now)) break;
        }
        if (status || !(size_of(then) < size_of(now))) break;
        memcpy(o->m, o->next, o->n * sizeof *o->m);
        now = then;
        damp = fmax(damp / by, least_damping);
        if (size_of(now) > progress * before[k % WATCHED]) break;
        before[k % WATCHED] = size_of(now);
    }
    return status;
}

/* ---- places ---- */

/* Beside it stands no other of its position, and nothing behind an end. */
static void choose(dlg_context_reading *o, size_t place, const dlg_sequences *found)
{
    const size_t t = o->position[place];
    const unsigned framing = o->special.framing;
    o->place = place;
    o->is_end = !framing && t && o->candidates->token[place] == o->special.end;
    o->found = found;
    o->n_away = 0;
    for (size_t b = 0; b < found->n; b++)
        if (t < found->lengths[b] && found->index[b * o->T + t] == place) o->away[o->n_away++] = b;
    for (size_t j = 0; j < o->n; j++) o->is_open[j] = o->position[j] != t && !(o->is_end && o->position[j] > t);
    dlg_context_equations_choose(o->equations, place);
}

/* About alike, at first; the more often a place is tried the less. */
static void begin(dlg_context_reading *o)
{
    const size_t *first = o->candidates->first;
    dlg_random random = dlg_random_at(o->place, dlg_random_stream("where a reading begins") + o->tried[o->place]);
    for (size_t j = 0; j < o->n; j++) {
        const size_t t = o->position[j];
        const double weight = pow(0.5 + dlg_random_uniform(&random), 1 + (double)o->tried[o->place]);
        o->m[j] = o->is_open[j] ? weight / (double)(first[t + 1] - first[t]) : 0;
    }
    o->m[o->place] = 1;
    o->tried[o->place]++;
}

/* The candidate with the largest m of those that may stand at t of a sentence of that length; 0: of any. */
static size_t best_at(const dlg_context_reading *o, size_t t, size_t length)
{
    const dlg_candidates *c = o->candidates;
    size_t best = c->first[t + 1];
    for (size_t j = c->first[t]; j < c->first[t + 1]; j++)
        if (dlg_special_tokens_allow(o->special, c->token[j], t, length) &&
            (best == c->first[t + 1] || o->m[j] > o->m[best]))
            best = j;
    return best;
}

/* It ends where an end has most; a text without one as far as positions are filled. */
static size_t find_length(const dlg_context_reading *o)
{
    const dlg_candidates *c = o->candidates;
    size_t length = 0;
    double most = 0;
    if (o->is_end) return o->position[o->place] + 1;
    for (size_t t = 0; t < o->T; t++) {
        const size_t last = best_at(o, t, t + 1);
        if (o->special.framing & (DLG_CUT | DLG_PADDED) ? o->filled[t] > 0.3
                                                        : last < c->first[t + 1] && t && o->m[last] > most) {
            length = t + 1;
            most = last < c->first[t + 1] ? o->m[last] : 0;
        }
    }
    return length;
}

/* @return its length; 0: no sentence */
static size_t assemble(const dlg_context_reading *o, size_t *index)
{
    const size_t length = find_length(o);
    for (size_t t = 0; t < length; t++) {
        index[t] = best_at(o, t, length);
        if (index[t] == o->candidates->first[t + 1]) return 0;
    }
    return length;
}

/* ---- which place is next ---- */

static bool is_found(const dlg_context_reading *o, size_t j, const dlg_sequences *found)
{
    const size_t t = o->position[j];
    for (size_t b = 0; b < found->n; b++)
        if (t < found->lengths[b] && found->index[b * o->T + t] == j) return true;
    return false;
}

static bool ends(const dlg_context_reading *o, size_t j)
{
    return !o->special.framing && o->position[j] && o->candidates->token[j] == o->special.end;
}

/* In the order of what they promise: 0 the most. A place that is not to be tried has the number of ranks. */
enum { CERTAIN, AN_END, AGAIN, ANY, NEVER };

static size_t rank_of(const dlg_context_reading *o, size_t j, const dlg_sequences *found)
{
    const bool is_in = is_found(o, j, found);
    if (o->is_known[j] && !is_in && !o->tried[j]) return CERTAIN;
    if (ends(o, j) && !o->tried[j]) return AN_END;
    if (is_in && ends(o, j) && o->tried[j] < TIMES) return AGAIN;
    const unsigned times = ends(o, j) || o->is_known[j] ? TIMES : 1;
    return !is_in && o->tried[j] < times && o->n_others < OTHERS ? ANY : NEVER;
}

/* n where none is left. Those further back say more, for positions before them are filled. */
static size_t next_place(dlg_context_reading *o, const dlg_sequences *found)
{
    size_t best = o->n, rank = NEVER;
    for (size_t j = 0; j < o->n; j++) {
        const size_t r = rank_of(o, j, found);
        if (r > rank || r == NEVER) continue;
        if (best < o->n && r == rank && o->tried[j] > o->tried[best]) continue;
        best = j;
        rank = r;
    }
    o->n_others += rank == ANY;
    return best;
}

dlg_status dlg_context_reading_next(dlg_context_reading *o, const dlg_sequences *found, bool *is_over, size_t *length,
                                    size_t *index, dlg_error *err)
{
    *length = 0;
    *is_over = true;
    if (!o) return DLG_OK;
    const size_t place = next_place(o, found);
    *is_over = place == o->n;
    if (*is_over) return DLG_OK;
    size_t *away = dlg_reallocate(o->away, 0, found->n + 1, sizeof *away);
    if (!away) return dlg_fail(err, DLG_ENOMEM, "context reading: no memory");
    o->away = away;
    choose(o, place, found);
    begin(o);
    const dlg_status status = descend(o, err);
    if (!status) *length = assemble(o, index);
    return status;
}

/* ---- life ---- */

/* A token that stands somewhere and is a candidate once, and what a position has to have, was there. */
static dlg_status find_known(dlg_context_reading *o, dlg_error *err)
{
    const dlg_candidates *c = o->candidates;
    uint32_t *token;
    size_t n;
    dlg_status status = dlg_candidates_tokens(&token, &n, c, err);
    if (status) return status;
    size_t *times = dlg_allocate(n + 1, sizeof *times);
    if (!times) status = dlg_fail(err, DLG_ENOMEM, "context reading: no memory");
    for (size_t j = 0; j < o->n && !status; j++) times[dlg_candidates_token_index(n, token, c->token[j])]++;
    for (size_t t = 0; t < o->T && !status; t++)
        for (size_t j = c->first[t]; j < c->first[t + 1]; j++) {
            const bool is_alone = c->has_tokens && times[dlg_candidates_token_index(n, token, c->token[j])] == 1;
            o->position[j] = t;
            o->is_known[j] = c->certain[t] || is_alone || c->first[t + 1] - c->first[t] == 1;
        }
    dlg_free(times);
    dlg_free(token);
    return status;
}

dlg_status dlg_context_reading_create(dlg_context_reading **out, const dlg_gradient *gradient,
                                      const dlg_candidates *candidates, dlg_special_tokens special, dlg_error *err)
{
    *out = NULL;
    dlg_context_reading *o = dlg_allocate(1, sizeof *o);
    if (!o) return dlg_fail(err, DLG_ENOMEM, "context reading: no memory");
    *o = (dlg_context_reading){.candidates = candidates,
                               .special = special,
                               .T = candidates->n_positions,
                               .n = candidates->first[candidates->n_positions]};
    dlg_status status = dlg_context_equations_create(&o->equations, gradient, candidates, err);
    if (!status && o->equations) {
        o->count = dlg_context_equations_count(o->equations);
        carve(o);
        status = dlg_arena_reserve(&o->arena, "context reading", err);
        if (!status) {
            carve(o);
            status = find_known(o, err);
        }
    }
    if (!status && o->equations) *out = o;
    else dlg_context_reading_free(o);
    return status;
}

void dlg_context_reading_free(dlg_context_reading *o)
{
    if (!o) return;
    dlg_context_equations_free(o->equations);
    dlg_arena_release(&o->arena);
    dlg_free(o->away);
    dlg_free(o);
}
