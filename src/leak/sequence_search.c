#include "leak/sequence_search.h"

#include "base/memory.h"
#include "math/random.h"

#include <math.h>
#include <string.h>

enum { SHAKES = 8, SHAKEN = 3 }; /* of a descent that is stuck: how often, how many positions */

/* What lies no further outside was there; another sentence lies a hundred times as far or more. */
static const double was_there = 2e-5;

typedef struct {
    dlg_sequence_check *check, *guide, *asked; /* asked: the one that a descent follows */
    const dlg_candidates *candidates;
    dlg_markers markers;
    const dlg_sequence_limits *limits;
    dlg_sequences *out;
    size_t T, n_ends, *ends; /* positions where a sentence may end, each an index into candidates->token */
    size_t *end_position;
    size_t length;
    size_t *now, *best;      /* (T) the sentence */
    size_t *order;           /* (T) */
    size_t *variants;        /* (capacity, T) */
    double *outside;         /* (capacity) */
    size_t capacity;
    double d;                /* of `now` */
    dlg_random random;
    dlg_arena arena;
} search;

static void carve(search *s)
{
    s->ends = dlg_arena_carve(&s->arena, s->T, sizeof *s->ends);
    s->end_position = dlg_arena_carve(&s->arena, s->T, sizeof *s->end_position);
    s->now = dlg_arena_carve(&s->arena, s->T, sizeof *s->now);
    s->best = dlg_arena_carve(&s->arena, s->T, sizeof *s->best);
    s->order = dlg_arena_carve(&s->arena, s->T, sizeof *s->order);
    s->variants = dlg_arena_carve(&s->arena, s->capacity * s->T, sizeof *s->variants);
    s->outside = dlg_arena_carve(&s->arena, s->capacity, sizeof *s->outside);
}

static bool is_interrupted(const search *s)
{
    return s->limits->interrupted && s->limits->interrupted(s->limits->payload);
}

/* Whether a candidate may stand inside a sentence. */
static bool is_inner(const search *s, size_t candidate)
{
    const uint32_t token = s->candidates->token[candidate];
    return token != s->markers.cls && token != s->markers.sep;
}

static size_t count_inner(const search *s, size_t t)
{
    size_t n = 0;
    for (size_t i = s->candidates->first[t]; i < s->candidates->first[t + 1]; i++) n += is_inner(s, i);
    return n;
}

static size_t draw_inner(search *s, size_t t)
{
    size_t k = (size_t)dlg_random_below(&s->random, count_inner(s, t));
    for (size_t i = s->candidates->first[t];; i++)
        if (is_inner(s, i) && !k--) return i;
}

static void find_ends(search *s)
{
    const dlg_candidates *c = s->candidates;
    for (size_t t = 1; t < s->T; t++) {
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
            if (c->token[i] == s->markers.sep) {
                s->ends[s->n_ends] = i;
                s->end_position[s->n_ends++] = t;
            }
        if (!count_inner(s, t)) break; /* no sentence goes on */
    }
}

static bool begin(search *s, size_t end)
{
    const dlg_candidates *c = s->candidates;
    s->length = s->end_position[end] + 1;
    s->now[s->length - 1] = s->ends[end];
    for (size_t t = 1; t + 1 < s->length; t++) s->now[t] = draw_inner(s, t);
    for (size_t i = c->first[0]; i < c->first[1]; i++)
        if (c->token[i] == s->markers.cls) {
            s->now[0] = i;
            return true;
        }
    return false;
}

static void add_variant(search *s, size_t *n, size_t t, size_t candidate)
{
    size_t *v = s->variants + *n * s->length;
    memcpy(v, s->now, s->length * sizeof *v);
    v[t] = candidate;
    (*n)++;
}

/* Take the best of n variants, if it is better. */
static bool take_best(search *s, size_t n)
{
    size_t best = 0;
    if (!n) return false;
    dlg_sequence_check_outside(s->asked, n, s->length, s->variants, s->outside);
    for (size_t i = 1; i < n; i++)
        if (s->outside[i] < s->outside[best]) best = i;
    if (!(s->outside[best] < s->d * (1 - 1e-6))) return false;
    memcpy(s->now, s->variants + best * s->length, s->length * sizeof *s->now);
    s->d = s->outside[best];
    return true;
}

static bool improve_position(search *s, size_t t)
{
    size_t n = 0;
    for (size_t i = s->candidates->first[t]; i < s->candidates->first[t + 1]; i++)
        if (i != s->now[t] && is_inner(s, i)) add_variant(s, &n, t, i);
    return take_best(s, n);
}

/* The candidate at position t with the token of another candidate, or `none`. */
static size_t same_token(const search *s, size_t t, size_t candidate, size_t none)
{
    for (size_t i = s->candidates->first[t]; i < s->candidates->first[t + 1]; i++)
        if (s->candidates->token[i] == s->candidates->token[candidate]) return i;
    return none;
}

static bool improve_by_swap(search *s)
{
    const size_t none = s->candidates->first[s->T];
    size_t n = 0;
    for (size_t t = 1; t + 1 < s->length; t++)
        for (size_t u = t + 1; u + 1 < s->length && n < s->capacity; u++) {
            const size_t a = same_token(s, t, s->now[u], none), b = same_token(s, u, s->now[t], none);
            if (a == none || b == none || a == s->now[t]) continue;
            add_variant(s, &n, t, a);
            s->variants[(n - 1) * s->length + u] = b;
        }
    return take_best(s, n);
}

static void descend(search *s, dlg_sequence_check *check)
{
    s->asked = check;
    dlg_sequence_check_outside(check, 1, s->length, s->now, &s->d);
    do {
        for (bool improved = true; improved && s->d > was_there && !is_interrupted(s);) {
            improved = false;
            const size_t n = s->length - 2;
            dlg_random_permutation(s->order, n, &s->random);
            for (size_t k = 0; k < n && s->d > was_there; k++) improved |= improve_position(s, s->order[k] + 1);
        }
    } while (s->d > was_there && improve_by_swap(s));
}

static void shake(search *s)
{
    for (size_t k = 0; k < SHAKEN; k++) {
        const size_t t = 1 + (size_t)dlg_random_below(&s->random, s->length - 2);
        s->now[t] = draw_inner(s, t);
    }
}

/* One descent towards a sentence of this end. @return whether `now` was there */
static bool try_end(search *s, size_t end)
{
    if (!begin(s, end)) return false;
    if (s->length > 2 && dlg_sequence_check_rank(s->guide)) descend(s, s->guide);
    descend(s, s->check);
    for (size_t k = 0; k < SHAKES && s->length > 2 && s->d > was_there && !is_interrupted(s); k++) {
        const double before = s->d;
        memcpy(s->best, s->now, s->length * sizeof *s->best);
        shake(s);
        if (dlg_sequence_check_rank(s->guide)) descend(s, s->guide);
        descend(s, s->check);
        if (s->d <= before) continue;
        memcpy(s->now, s->best, s->length * sizeof *s->now);
        s->d = before;
    }
    return s->d <= was_there;
}

static dlg_status keep(search *s, dlg_error *err)
{
    dlg_sequences *out = s->out;
    size_t *lengths = dlg_reallocate(out->lengths, out->n, out->n + 1, sizeof *lengths);
    if (lengths) out->lengths = lengths;
    size_t *index = dlg_reallocate(out->index, out->n * s->T, (out->n + 1) * s->T, sizeof *index);
    if (index) out->index = index;
    double *outside = dlg_reallocate(out->outside, out->n, out->n + 1, sizeof *outside);
    if (outside) out->outside = outside;
    if (!lengths || !index || !outside) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    lengths[out->n] = s->length;
    outside[out->n] = s->d;
    memcpy(index + out->n * s->T, s->now, s->length * sizeof *index);
    out->n++;
    out->n_asked += dlg_sequence_check_found(s->check, s->length, s->now);
    dlg_sequence_check_found(s->guide, s->length, s->now);
    return DLG_OK;
}

dlg_status dlg_sequences_find(dlg_sequences *out, dlg_sequence_check *check, dlg_sequence_check *guide, const dlg_candidates *candidates,
                              dlg_markers markers, const dlg_sequence_limits *limits, dlg_error *err)
{
    search s = {.check = check,
                .guide = guide,
                .candidates = candidates,
                .markers = markers,
                .limits = limits,
                .out = out,
                .T = candidates->n_positions};
    const size_t rank = dlg_sequence_check_rank(check);
    *out = (dlg_sequences){.n_positions = s.T};
    s.random = dlg_random_at(limits->seed, dlg_random_stream("sentences"));
    for (size_t t = 0; t < s.T; t++) {
        const size_t n = candidates->first[t + 1] - candidates->first[t];
        s.capacity = n > s.capacity ? n : s.capacity;
    }
    s.capacity = s.capacity > s.T * s.T ? s.capacity : s.T * s.T;
    carve(&s);
    dlg_status status = dlg_arena_reserve(&s.arena, "sentences", err);
    if (status) return status;
    carve(&s);
    find_ends(&s);
    for (size_t fruitless = 0, k = 0; !status && s.n_ends && rank && fruitless < limits->most_descents && !is_interrupted(&s); k++) {
        if (out->n_asked >= rank || out->n == limits->most_sentences) break;
        fruitless++;
        if (!try_end(&s, s.n_ends - 1 - k % s.n_ends)) continue;
        status = keep(&s, err);
        fruitless = 0;
        k = s.n_ends - 1; /* from the longest again */
    }
    out->is_complete = rank && out->n_asked == rank;
    dlg_arena_release(&s.arena);
    if (status) dlg_sequences_release(out);
    return status;
}

void dlg_sequences_release(dlg_sequences *sequences)
{
    dlg_free(sequences->lengths);
    dlg_free(sequences->index);
    dlg_free(sequences->outside);
    *sequences = (dlg_sequences){0};
}
