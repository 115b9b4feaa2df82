#include "analytic/tokens/row_peeling.h"

#include "analytic/tokens/inputs.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/tolerance.h"

#include <math.h>

/* An inner product within so many times the rounding is zero, a row within so many times is empty, and one that is
 * less than so many times as large tells nothing: its inner products would be zero by chance. */
static const double orthogonal = 16, empty = 10, telling = 1e5;

/* A row that is not so many times as large as what it is off by is not known. */
static const double known = 1e3;

/* What a row has along another of which it is a part is its square; rows that have nothing to do with each other change
 * that by about their norms' product / sqrt(H), more in the few directions that gradients prefer: by no more than so
 * many times. */
static const double deviations = 6;

typedef struct {
    dlg_row_peeling *out;
    const dlg_candidates *candidates;
    dlg_inputs in;
    double *rows, *positions;       /* what is left */
    double *row_off, *position_off; /* (n_tokens), (n_positions) norms of what rounding made of it */
    size_t *slot;                   /* (candidates) index into token; n_tokens: not among them */
    double *word, *place;           /* (H) parts of c */
    /* the one that a row may be, and how many there are */
    size_t n_fit, fit;
} peeling;

static double norm(size_t n, const double *x)
{
    return sqrt(dlg_dot_of_doubles(n, x, x));
}

static bool is_open(const peeling *p, size_t v, size_t t)
{
    return p->out->token_is_open[v] && p->out->position_is_open[t] && !p->out->is_placed[v * p->out->n_positions + t];
}

/* Whether all of `row` may be what candidate i shares with `other`, which is NULL where it is not known. */
static bool fits(const peeling *p, size_t i, size_t t, const double *row, double off, const double *other)
{
    const size_t H = p->in.H;
    dlg_input_of_token(&p->in, p->candidates->token[i], p->word);
    dlg_input_of_position(&p->in, t, p->candidates->type[i], p->place);
    for (size_t k = 0; k < H; k++) p->word[k] += p->place[k];
    const double size = norm(H, row), by_chance = other ? deviations * size * norm(H, other) / sqrt((double)H) : 0;
    return fabs(dlg_dot_of_doubles(H, row, p->word)) < orthogonal * off * norm(H, p->word) &&
           (!other || dlg_dot_of_doubles(H, row, other) > size * size - by_chance);
}

static void add_fit(peeling *p, size_t which)
{
    if (p->n_fit && p->fit == which) return; /* as another type */
    p->n_fit++;
    p->fit = which;
}

static bool is_telling(peeling *p, const double *row, double off, bool *stays_open)
{
    const double size = norm(p->in.H, row);
    *stays_open = isinf(off) || size > empty * off;
    p->n_fit = 0;
    return size > telling * off;
}

/* All that is left of `from` is that place: it is gone, and out of `to`. */
static void take_out(peeling *p, size_t v, size_t t, double *from, double *to, double off, double *to_off)
{
    p->out->is_placed[v * p->out->n_positions + t] = true;
    for (size_t k = 0; k < p->in.H; k++) {
        to[k] -= from[k];
        from[k] = 0;
    }
    *to_off = hypot(*to_off, off);
}

static bool peel_token(peeling *p, size_t v)
{
    const dlg_candidates *c = p->candidates;
    const size_t H = p->in.H;
    double *row = p->rows + v * H;
    if (!p->out->token_is_open[v] || !is_telling(p, row, p->row_off[v], &p->out->token_is_open[v])) return false;
    for (size_t t = 0; t < p->out->n_positions; t++)
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++)
            if (p->slot[i] == v && is_open(p, v, t) && fits(p, i, t, row, p->row_off[v], p->positions + t * H))
                add_fit(p, t);
    if (p->n_fit != 1) return false;
    take_out(p, v, p->fit, row, p->positions + p->fit * H, p->row_off[v], &p->position_off[p->fit]);
    p->out->token_is_open[v] = false;
    return true;
}

static bool peel_position(peeling *p, size_t t)
{
    const dlg_candidates *c = p->candidates;
    const size_t H = p->in.H;
    double *row = p->positions + t * H, off = p->position_off[t];
    if (!p->out->position_is_open[t] || !is_telling(p, row, off, &p->out->position_is_open[t])) return false;
    for (size_t i = c->first[t]; i < c->first[t + 1]; i++) {
        const size_t v = p->slot[i];
        if (v < p->out->n_tokens && is_open(p, v, t) &&
            fits(p, i, t, row, off, isinf(p->row_off[v]) ? NULL : p->rows + v * H))
            add_fit(p, v);
    }
    if (p->n_fit != 1) return false;
    take_out(p, p->fit, t, row, p->rows + p->fit * H, off, &p->row_off[p->fit]);
    p->out->position_is_open[t] = false;
    return true;
}

static dlg_status allocate(peeling *p, const double *off, double rounding, dlg_error *err)
{
    dlg_row_peeling *out = p->out;
    const size_t n = out->n_tokens, T = out->n_positions, H = p->in.H, many = p->candidates->first[T];
    out->is_placed = dlg_allocate(n * T, sizeof *out->is_placed);
    out->token_is_open = dlg_allocate(n, sizeof *out->token_is_open);
    out->position_is_open = dlg_allocate(T, sizeof *out->position_is_open);
    p->row_off = dlg_allocate(n, sizeof *p->row_off);
    p->position_off = dlg_allocate(T, sizeof *p->position_off);
    p->slot = dlg_allocate(many + 1, sizeof *p->slot);
    p->word = dlg_allocate(H, sizeof *p->word);
    p->place = dlg_allocate(H, sizeof *p->place);
    const bool all = out->is_placed && out->token_is_open && out->position_is_open && p->row_off && p->position_off &&
                     p->slot && p->word && p->place;
    if (!all) return dlg_fail(err, DLG_ENOMEM, "row peeling: no memory");
    for (size_t i = 0; i < many; i++) p->slot[i] = dlg_candidates_token_index(n, out->token, p->candidates->token[i]);
    for (size_t v = 0; v < n; v++) {
        const double size = norm(H, p->rows + v * H);
        out->token_is_open[v] = true;
        p->row_off[v] = size > known * off[v] ? rounding * size + off[v] : INFINITY;
    }
    for (size_t t = 0; t < T; t++) {
        out->position_is_open[t] = true;
        p->position_off[t] = rounding * norm(H, p->positions + t * H);
    }
    return DLG_OK;
}

dlg_status dlg_row_peeling_find(dlg_row_peeling *out, const dlg_gradient *gradient, const dlg_candidates *candidates,
                                size_t n_tokens, const uint32_t *token, double *rows, const double *off,
                                double *positions, dlg_error *err)
{
    *out = (dlg_row_peeling){.n_tokens = n_tokens, .n_positions = candidates->n_positions, .token = token};
    peeling p = {.out = out,
                 .candidates = candidates,
                 .in = dlg_inputs_of(gradient->model),
                 .rows = rows,
                 .positions = positions};
    dlg_status status = allocate(&p, off, dlg_tolerance_summed_row(gradient->roundoff), err);
    for (bool any = true; any && !status;) {
        any = false;
        for (size_t v = 0; v < n_tokens; v++) any |= peel_token(&p, v);
        for (size_t t = 0; t < out->n_positions; t++) any |= peel_position(&p, t);
        status = dlg_check_interrupt(err);
    }
    dlg_free(p.place);
    dlg_free(p.word);
    dlg_free(p.slot);
    dlg_free(p.position_off);
    dlg_free(p.row_off);
    if (status) dlg_row_peeling_release(out);
    return status;
}

bool dlg_row_peeling_admit(const dlg_row_peeling *places, uint32_t token, size_t position)
{
    const size_t v = dlg_candidates_token_index(places->n_tokens, places->token, token);
    if (v == places->n_tokens) return false;
    return places->is_placed[v * places->n_positions + position] ||
           (places->token_is_open[v] && places->position_is_open[position]);
}

void dlg_row_peeling_release(dlg_row_peeling *places)
{
    dlg_free(places->position_is_open);
    dlg_free(places->token_is_open);
    dlg_free(places->is_placed);
    *places = (dlg_row_peeling){0};
}
