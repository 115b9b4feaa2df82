/*
 * Least squares over whole assignments: minimise sum_v |a_v - sum of b_t over the positions t that v takes|^2, plus
 * |b_t|^2 of the positions that nobody takes. Positions choose in the order of their size, then change their minds one
 * at a time, then two at a time, as long as that helps. Almost all coefficients tell at a glance; the rest is what
 * words that stand twice need.
 */
#include "analytic/sequences/sequence_assembly.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

/* A token and a position whose coefficients are no more unlike belong together. */
static const double the_same = 0.01;

/* By so small a part of the squares nothing changes its mind. */
static const double worth_it = 1e-6;

static size_t n_candidates(const dlg_sequence_assembly *a)
{
    return a->candidates->first[a->candidates->n_positions];
}

static void carve(dlg_sequence_assembly *a)
{
    a->rest = dlg_arena_carve(&a->arena, a->n_tokens * a->n_values, sizeof *a->rest);
    a->now = dlg_arena_carve(&a->arena, a->candidates->n_positions, sizeof *a->now);
    a->settled = dlg_arena_carve(&a->arena, a->candidates->n_positions, sizeof *a->settled);
    a->stands = dlg_arena_carve(&a->arena, n_candidates(a), sizeof *a->stands);
}

dlg_status dlg_sequence_assembly_reserve(dlg_sequence_assembly *a, dlg_error *err)
{
    carve(a);
    const dlg_status status = dlg_arena_reserve(&a->arena, "arrangement", err);
    if (!status) carve(a);
    return status;
}

void dlg_sequence_assembly_release(dlg_sequence_assembly *a)
{
    dlg_arena_release(&a->arena);
}

static double norm2(size_t n, const double *x)
{
    return dlg_dot_of_doubles(n, x, x);
}

/* What the squares change by when the token takes (sign -1) or leaves (+1) the position. */
static double change(const dlg_sequence_assembly *a, size_t candidate, size_t t, double sign)
{
    const double *rest = a->rest + a->slot[candidate] * a->n_values, *b = a->of_positions + t * a->n_values;
    double sum = 0;
    for (size_t i = 0; i < a->n_values; i++) sum += b[i] * (b[i] + 2 * sign * rest[i]);
    return sum;
}

static void move(dlg_sequence_assembly *a, size_t candidate, size_t t, double sign)
{
    double *rest = a->rest + a->slot[candidate] * a->n_values;
    for (size_t i = 0; i < a->n_values; i++) rest[i] += sign * a->of_positions[t * a->n_values + i];
}

static bool may_stand(const dlg_sequence_assembly *a, size_t candidate, size_t t, size_t length)
{
    const uint32_t token = a->candidates->token[candidate];
    const bool is_padding = a->special.framing & DLG_PADDED && token == a->special.pad;
    dlg_special_tokens within = a->special;
    within.framing &= ~(unsigned)DLG_PADDED;
    if (is_padding || t < a->from || t >= a->to || t >= length) return is_padding && (t < a->from || t >= a->to);
    return dlg_special_tokens_allow(within, token, t - a->from, a->to - a->from);
}

/* The best candidate for a position that nobody takes. @return n_candidates when there is none */
static size_t best_for(const dlg_sequence_assembly *a, size_t t, double *gain)
{
    size_t best = n_candidates(a);
    *gain = INFINITY;
    for (size_t i = a->candidates->first[t]; i < a->candidates->first[t + 1]; i++) {
        if (!a->stands[i]) continue;
        const double d = change(a, i, t, -1);
        if (d < *gain) *gain = d, best = i;
    }
    return best;
}

/* How unlike a candidate and its position are, as a part of both. */
static double unlike(const dlg_sequence_assembly *a, size_t candidate, size_t t)
{
    const double *of_token = a->of_tokens + a->slot[candidate] * a->n_values,
                 *of_position = a->of_positions + t * a->n_values;
    double sum = 0;
    for (size_t i = 0; i < a->n_values; i++) sum += (of_token[i] - of_position[i]) * (of_token[i] - of_position[i]);
    return sqrt(sum / (norm2(a->n_values, of_token) + norm2(a->n_values, of_position)));
}

/* The candidate that is the very same as its position, or n_candidates. */
static size_t same_as(const dlg_sequence_assembly *a, size_t t)
{
    for (size_t i = a->candidates->first[t]; i < a->candidates->first[t + 1]; i++)
        if (a->stands[i] && unlike(a, i, t) < the_same) return i;
    return n_candidates(a);
}

static void take(dlg_sequence_assembly *a, size_t candidate, size_t t)
{
    a->now[t] = candidate;
    move(a, candidate, t, -1);
}

/* @return whether every position has a candidate */
static bool begin(dlg_sequence_assembly *a, size_t length)
{
    memcpy(a->rest, a->of_tokens, a->n_tokens * a->n_values * sizeof *a->rest);
    for (size_t t = 0; t < length; t++) {
        for (size_t i = a->candidates->first[t]; i < a->candidates->first[t + 1]; i++)
            a->stands[i] = may_stand(a, i, t, length);
        const size_t same = same_as(a, t);
        a->settled[t] = same != n_candidates(a);
        a->now[t] = n_candidates(a);
        if (a->settled[t]) take(a, same, t);
    }
    for (size_t k = 0; k < length; k++) {
        size_t next = length;
        double most = -1, gain;
        for (size_t t = 0; t < length; t++) {
            const double size = norm2(a->n_values, a->of_positions + t * a->n_values);
            if (a->now[t] == n_candidates(a) && size > most) most = size, next = t;
        }
        if (next == length) return true;
        const size_t best = best_for(a, next, &gain);
        if (best == n_candidates(a)) return false;
        take(a, best, next);
    }
    return true;
}

/* Let position t choose anew. @return by how much the squares changed */
static double choose_again(dlg_sequence_assembly *a, size_t t)
{
    const double back = change(a, a->now[t], t, 1);
    double gain;
    move(a, a->now[t], t, 1);
    take(a, best_for(a, t, &gain), t);
    return back + gain;
}

static bool improve(dlg_sequence_assembly *a, size_t length, double least)
{
    bool any = false;
    for (size_t t = 0; t < length; t++)
        if (!a->settled[t]) any |= choose_again(a, t) < -least;
    return any;
}

/* Another candidate at t, and the best answer of one other position. */
static bool improve_by_two(dlg_sequence_assembly *a, size_t length, double least)
{
    for (size_t t = 1; t + 1 < length; t++)
        for (size_t i = a->candidates->first[t]; i < a->candidates->first[t + 1]; i++) {
            const size_t before = a->now[t];
            if (dlg_is_interrupted()) return false;
            if (i == before || a->settled[t] || !a->stands[i]) continue;
            double moved = change(a, before, t, 1);
            move(a, before, t, 1);
            moved += change(a, i, t, -1);
            take(a, i, t);
            for (size_t u = 1; u + 1 < length; u++) {
                const size_t held = a->now[u];
                if (u == t || a->settled[u]) continue;
                const double gain = choose_again(a, u);
                if (moved + gain < -least) return true;
                move(a, a->now[u], u, 1);
                take(a, held, u);
            }
            move(a, i, t, 1);
            take(a, before, t);
        }
    return false;
}

static double squares(const dlg_sequence_assembly *a, size_t length)
{
    const size_t T = a->candidates->n_positions;
    return norm2(a->n_tokens * a->n_values, a->rest) +
           norm2((T - length) * a->n_values, a->of_positions + length * a->n_values);
}

/* Of a token that fits as several types: behind an end begins the second of a pair. */
static void settle_types(const dlg_sequence_assembly *a, size_t length, size_t *index)
{
    const dlg_candidates *c = a->candidates;
    size_t type = 0;
    for (size_t t = 0; t < length; t++) {
        const uint32_t token = c->token[index[t]];
        index[t] = dlg_candidates_index(c, token, t, t < a->to ? type : 0);
        if (token == a->special.end) type = 1;
    }
}

/*
 * The k-th of the shapes that a sentence may have: how long it is, and which part of that is text. Those that are
 * padded or cut out of a longer text are all as long as the longest. @return whether there is one
 */
static bool shape(dlg_sequence_assembly *a, size_t k, size_t *length)
{
    const size_t T = a->candidates->n_positions, n = k < T ? k : k - T;
    const unsigned framing = a->special.framing;
    *length = framing & (DLG_PADDED | DLG_CUT) ? T : n + 1;
    a->from = k < T ? 0 : T - n - 1;
    a->to = a->from + n + 1;
    if (n < 1 || (k >= T && !(framing & DLG_PADDED_BEFORE))) return false;
    if (n + 1 < T && k < T && framing & (DLG_PADDED | DLG_CUT) && !(framing & DLG_PADDED_BEHIND)) return false;
    return framing & DLG_NO_END || dlg_candidates_has(a->candidates, a->special.end, a->to - 1);
}

/* Passes take a handful; sums that drift by rounding must not make more of them for ever. */
enum { MOST_PASSES = 1000 };

size_t dlg_sequence_assembly_find(dlg_sequence_assembly *a, size_t *index, double *misfit)
{
    const dlg_candidates *c = a->candidates;
    const size_t T = c->n_positions;
    const double all = norm2(a->n_tokens * a->n_values, a->of_tokens) + norm2(T * a->n_values, a->of_positions),
                 least = worth_it * all;
    size_t best = 0, length;
    *misfit = INFINITY;
    for (size_t k = 0; k < 2 * T; k++) {
        if (!shape(a, k, &length) || !begin(a, length)) continue;
        for (size_t pass = 0; pass < MOST_PASSES && (improve(a, length, least) || improve_by_two(a, length, least));
             pass++)
            ;
        if (dlg_is_interrupted()) break;
        const double left = squares(a, length) / all;
        if (left + worth_it >= *misfit) continue; /* what no position and no token have makes it no longer */
        *misfit = left;
        best = length;
        memcpy(index, a->now, length * sizeof *index);
        settle_types(a, length, index);
    }
    return best;
}
