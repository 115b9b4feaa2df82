#include "analytic/tokens/dropped_inputs.h"

#include "analytic/tokens/dropped_fit.h"
#include "analytic/tokens/input_distances.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "math/random.h"
#include "math/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NEAR = 48,      /* tokens of a position that are looked at */
    FRAMING = 3,    /* of these, that are always among them */
    CLOSE = 6,      /* and of these, beyond as many as stand there on average, those that are fitted to the end */
    TRIES = 80,     /* for inputs that are still missing */
    ONE_IN_ROOM = 3 /* of the width must be outside of the row space */
};

/* Two inputs that differ by no more than this part of their numbers' sum are one. */
static const double same = 1e-2;

typedef struct {
    uint32_t token;
    double outside;
} near_token;

typedef struct {
    uint32_t token;
    size_t position;
} place;

typedef struct {
    dlg_dropped_inputs *out;
    dlg_dropped_space space;
    size_t n_near;
    near_token *near;      /* (n_positions, NEAR) those of each position, n_near or fewer, nearest first */
    dlg_dropped_fit *fits; /* (NEAR) */
    double *scratch;       /* (threads, scratch) */
    signed char *asked;    /* (threads, H) */
    size_t n_seen;
    place *seen; /* (n_seen) that are there, or may be: others of the same may lie behind them */
} search;

/* ---- the nearest ---- */

/* Keep it if it is among the nearest of its position. */
static dlg_status keep_near(void *payload, uint32_t token, size_t position, size_t type, double outside, dlg_error *err)
{
    near_token *near = ((search *)payload)->near + position * NEAR;
    bool is_there = !(outside < near[NEAR - 1].outside);
    (void)type;
    (void)err;
    for (size_t k = 0; k < FRAMING && !is_there; k++) is_there = near[k].token == token;
    if (is_there) return DLG_OK;
    size_t i = NEAR - 1;
    for (; near[i - 1].outside > outside; i--) near[i] = near[i - 1];
    near[i] = (near_token){token, outside};
    return DLG_OK;
}

/* Tokens that frame a text are looked at in any case: of some models' one number is so large that nothing is near
 * without it. */
static dlg_status find_near(search *s, const dlg_model *model, dlg_special_tokens special, size_t n_positions,
                            dlg_error *err)
{
    const dlg_input_row_space rows = {model, s->space.in.H, s->space.rank, s->space.basis};
    const uint32_t framing[] = {special.begin, special.end, special.mask};
    for (size_t i = 0; i < n_positions * NEAR; i++) s->near[i].outside = INFINITY;
    for (size_t i = 0; i < n_positions * FRAMING; i++)
        s->near[i / FRAMING * NEAR + i % FRAMING] = (near_token){framing[i % FRAMING], -1};
    return dlg_input_distances_visit(&rows, n_positions, 1, keep_near, NULL, s, err);
}

/* ---- what was found ---- */

/* The same numbers are the same input, also as another token with nearly the same embedding. */
static bool is_found(const search *s, const dlg_dropped_fit *fit)
{
    const dlg_dropped_inputs *out = s->out;
    const size_t H = out->H;
    for (size_t j = 0; j < out->n; j++) {
        double apart = 0, all = 0;
        for (size_t i = 0; i < H && out->position[j] == fit->position; i++) {
            apart += fabs(out->input[j * H + i] - (fit->is_kept[i] ? fit->y[i] : 0));
            all += fabs(fit->y[i]);
        }
        if (out->position[j] == fit->position && apart < same * all) return true;
    }
    return false;
}

static dlg_status add(search *s, const dlg_dropped_fit *fit, bool *is_new, dlg_error *err)
{
    dlg_dropped_inputs *out = s->out;
    const size_t n = out->n, H = out->H;
    *is_new = false;
    if (n >= out->rank || is_found(s, fit)) return DLG_OK;
    out->token[n] = fit->token;
    out->position[n] = fit->position;
    for (size_t i = 0; i < H; i++) {
        out->input[n * H + i] = fit->is_kept[i] ? fit->y[i] : 0;
        out->n_dropped += !fit->is_kept[i];
    }
    out->n++;
    *is_new = true;
    return dlg_check_interrupt(err);
}

/* ---- position by position ---- */

static int by_rest(const void *a, const void *b)
{
    const dlg_dropped_fit *x = a, *y = b;
    return (x->rest > y->rest) - (x->rest < y->rest);
}

/* Of n fits, the best of which come first, the n_left best: half of them leave after every few rounds. */
static void choose_close(search *s, size_t n, size_t n_left)
{
    const size_t n_scratch = dlg_dropped_fit_scratch(&s->space);
    while (n > n_left) {
        n = n / 2 > n_left ? n / 2 : n_left;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
        for (size_t i = 0; i < n; i++)
            dlg_dropped_fit_go_on(&s->fits[i], &s->space, s->scratch + dlg_thread_number() * n_scratch);
        qsort(s->fits, n, sizeof *s->fits, by_rest);
    }
}

static dlg_status search_position(search *s, size_t t, size_t n_close, dlg_error *err)
{
    const near_token *near = s->near + t * NEAR;
    const size_t n_scratch = dlg_dropped_fit_scratch(&s->space);
    size_t n = 0;
    while (n < NEAR && isfinite(near[n].outside)) n++;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < n; i++)
        dlg_dropped_fit_begin(&s->fits[i], &s->space, near[i].token, t, s->scratch + dlg_thread_number() * n_scratch);
    qsort(s->fits, n, sizeof *s->fits, by_rest);
    choose_close(s, n, n_close);
    if (n > n_close) n = n_close;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < n; i++)
        dlg_dropped_fit_end(&s->fits[i], &s->space, NULL, s->scratch + dlg_thread_number() * n_scratch);
    dlg_status status = dlg_check_interrupt(err);
    for (size_t i = 0; i < n && !status; i++) {
        bool is_new;
        if (s->fits[i].is_whole) status = add(s, &s->fits[i], &is_new, err);
        if (!s->fits[i].is_whole && !dlg_dropped_fit_is_mixed(&s->fits[i], &s->space)) continue;
        s->seen[s->n_seen++] = (place){s->fits[i].token, t};
    }
    return status;
}

/* ---- several at the same place ---- */

/*
 * asked (H): of each input that was found there an entry that it alone of these has dropped shall be kept, so that
 * neither it nor a mixture with it will do. Another may have dropped that as well: then another try will choose better.
 */
static void ask_for_another(const search *s, uint32_t token, size_t position, dlg_random *random, signed char *asked)
{
    const dlg_dropped_inputs *out = s->out;
    const size_t H = out->H;
    memset(asked, DLG_ANY, H);
    for (size_t j = 0; j < out->n; j++) {
        size_t n = 0, chosen = H;
        if (out->token[j] != token || out->position[j] != position) continue;
        for (size_t i = 0; i < H; i++)
            if (out->input[j * H + i] == 0 && !dlg_random_below(random, ++n)) chosen = i;
        if (chosen < H) asked[chosen] = DLG_KEPT;
    }
}

/*
 * One entry more that all found there keep shall be dropped: where one alone of those that are missing has dropped it,
 * a fit has nothing to mix that with.
 */
static void ask_for_one(const search *s, place at, dlg_random *random, signed char *asked)
{
    const dlg_dropped_inputs *out = s->out;
    const size_t H = out->H;
    size_t chosen = H, n = 0;
    for (size_t i = 0; i < H; i++) {
        bool is_kept = asked[i] == DLG_ANY;
        for (size_t j = 0; j < out->n && is_kept; j++)
            is_kept = out->token[j] != at.token || out->position[j] != at.position || out->input[j * H + i] != 0;
        if (is_kept && !dlg_random_below(random, ++n)) chosen = i;
    }
    if (chosen < H) asked[chosen] = DLG_DROPPED;
}

static void fit_another(const search *s, dlg_dropped_fit *fit, place at, size_t which_try, signed char *asked,
                        double *scratch)
{
    dlg_random random = dlg_random_at(which_try * s->out->n_positions + at.position, at.token);
    ask_for_another(s, at.token, at.position, &random, asked);
    if (which_try) ask_for_one(s, at, &random, asked);
    dlg_dropped_fit_begin(fit, &s->space, at.token, at.position, scratch);
    dlg_dropped_fit_end(fit, &s->space, asked, scratch);
}

/* Every sentence has a token at each position before its last: where fewer were found than further behind some are
 * missing. To begin with these are looked for, if there are any. */
static void put_lacking_first(search *s, size_t *n)
{
    const dlg_dropped_inputs *out = s->out;
    *n = 0;
    for (size_t i = 0; i < s->n_seen; i++) {
        const place at = s->seen[i];
        size_t here = 0, most_behind = 0;
        for (size_t t = at.position; t < out->n_positions; t++) {
            size_t n_found = 0;
            for (size_t j = 0; j < out->n; j++) n_found += out->position[j] == t;
            if (t == at.position) here = n_found;
            if (n_found > most_behind) most_behind = n_found;
        }
        if (here == most_behind) continue;
        s->seen[i] = s->seen[*n];
        s->seen[(*n)++] = at;
    }
    if (!*n) *n = s->n_seen;
}

/* One more of each that was seen, where there is one. */
static dlg_status search_again(search *s, size_t which_try, bool *any, dlg_error *err)
{
    const size_t n_scratch = dlg_dropped_fit_scratch(&s->space), H = s->out->H;
    dlg_status status = DLG_OK;
    size_t n_asked;
    *any = false;
    put_lacking_first(s, &n_asked);
    for (size_t first = 0; first < n_asked && !status && s->out->n < s->out->rank; first += NEAR) {
        const size_t n = n_asked - first < NEAR ? n_asked - first : NEAR;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
        for (size_t i = 0; i < n; i++)
            fit_another(s, &s->fits[i], s->seen[first + i], which_try, s->asked + dlg_thread_number() * H,
                        s->scratch + dlg_thread_number() * n_scratch);
        for (size_t i = 0; i < n && !status; i++) {
            bool is_new = false;
            if (s->fits[i].is_whole) status = add(s, &s->fits[i], &is_new, err);
            *any |= is_new;
        }
        if (!status) status = dlg_check_interrupt(err);
    }
    return status;
}

/* ---- all ---- */

/* By position, then token. */
static dlg_status sort(dlg_dropped_inputs *out, dlg_error *err)
{
    const size_t n = out->n, H = out->H;
    dlg_dropped_inputs sorted = *out;
    sorted.token = dlg_allocate(n + 1, sizeof *sorted.token);
    sorted.position = dlg_allocate(n + 1, sizeof *sorted.position);
    sorted.input = dlg_allocate(n * H + 1, sizeof *sorted.input);
    if (!sorted.token || !sorted.position || !sorted.input) {
        dlg_dropped_inputs_release(&sorted);
        return dlg_fail(err, DLG_ENOMEM, "dropped inputs: no memory");
    }
    for (size_t i = 0; i < n; i++) {
        size_t before = 0;
        for (size_t j = 0; j < n; j++) {
            const bool is_earlier = out->position[j] != out->position[i] ? out->position[j] < out->position[i]
                                    : out->token[j] != out->token[i]     ? out->token[j] < out->token[i]
                                                                         : j < i;
            before += is_earlier;
        }
        sorted.token[before] = out->token[i];
        sorted.position[before] = out->position[i];
        memcpy(sorted.input + before * H, out->input + i * H, H * sizeof *sorted.input);
    }
    dlg_dropped_inputs_release(out);
    *out = sorted;
    return DLG_OK;
}

static dlg_status allocate(search *s, size_t n_positions, dlg_error *err)
{
    const size_t H = s->space.in.H, n_threads = (size_t)dlg_blas_threads(), rank = s->space.rank;
    s->near = dlg_allocate(n_positions * NEAR, sizeof *s->near);
    s->seen = dlg_allocate(n_positions * NEAR, sizeof *s->seen);
    s->fits = dlg_allocate(NEAR, sizeof *s->fits);
    s->scratch = dlg_allocate(n_threads * dlg_dropped_fit_scratch(&s->space), sizeof *s->scratch);
    s->asked = dlg_allocate(n_threads * H, sizeof *s->asked);
    s->out->token = dlg_allocate(rank, sizeof *s->out->token);
    s->out->position = dlg_allocate(rank, sizeof *s->out->position);
    s->out->input = dlg_allocate(rank * H, sizeof *s->out->input);
    if (!s->near || !s->seen || !s->fits || !s->scratch || !s->asked || !s->out->token || !s->out->position ||
        !s->out->input)
        return dlg_fail(err, DLG_ENOMEM, "dropped inputs: no memory");
    dlg_status status = DLG_OK;
    for (size_t i = 0; i < NEAR && !status; i++) status = dlg_dropped_fit_create(&s->fits[i], H, err);
    return status;
}

static void release(search *s)
{
    for (size_t i = 0; s->fits && i < NEAR; i++) dlg_dropped_fit_release(&s->fits[i]);
    dlg_free(s->fits);
    dlg_free(s->near);
    dlg_free(s->seen);
    dlg_free(s->scratch);
    dlg_free(s->asked);
}

dlg_status dlg_dropped_inputs_find(dlg_dropped_inputs *out, const dlg_model *model, const dlg_spectrum *inputs,
                                   size_t rank, size_t n_positions, dlg_special_tokens special, dlg_error *err)
{
    *out = (dlg_dropped_inputs){.H = inputs->n_in, .n_positions = n_positions, .rank = rank};
    search s = {.out = out, .space = {dlg_inputs_of(model), rank, inputs->vectors}};
    const size_t n_close = rank / n_positions + CLOSE;
    dlg_status status = allocate(&s, n_positions, err);
    if (!status) status = find_near(&s, model, special, n_positions, err);
    for (size_t t = 0; t < n_positions && !status; t++) status = search_position(&s, t, n_close, err);
    for (size_t i = 0; i < TRIES && !status; i++)
        for (bool any = true; any && !status && out->n < rank;) status = search_again(&s, i, &any, err);
    release(&s);
    if (!status) status = sort(out, err);
    if (status) dlg_dropped_inputs_release(out);
    return status;
}

bool dlg_dropped_inputs_have_room(const dlg_model *model, size_t rank)
{
    return ONE_IN_ROOM * rank <= (ONE_IN_ROOM - 1) * model->config.hidden_size;
}

dlg_status dlg_dropped_inputs_have(bool *out, size_t *n_dropped, const dlg_model *model, const dlg_spectrum *inputs,
                                   size_t rank, uint32_t token, size_t position, dlg_error *err)
{
    dlg_dropped_inputs none = {.H = inputs->n_in, .n_positions = position + 1};
    const search s = {.out = &none, .space = {dlg_inputs_of(model), rank, inputs->vectors}};
    dlg_dropped_fit fit = {0};
    const size_t H = inputs->n_in;
    double *scratch = dlg_allocate(dlg_dropped_fit_scratch(&s.space), sizeof *scratch);
    signed char *asked = dlg_allocate(H, sizeof *asked);
    dlg_status status = scratch && asked ? dlg_dropped_fit_create(&fit, H, err)
                                         : dlg_fail(err, DLG_ENOMEM, "dropped inputs: no memory");
    *out = false;
    *n_dropped = 0;
    if (!status) {
        dlg_dropped_fit_begin(&fit, &s.space, token, position, scratch);
        dlg_dropped_fit_end(&fit, &s.space, NULL, scratch);
    }
    for (size_t i = 0; i < TRIES && !status && dlg_dropped_fit_is_mixed(&fit, &s.space); i++)
        fit_another(&s, &fit, (place){token, position}, i, asked, scratch);
    *out = !status && fit.is_whole;
    for (size_t i = 0; i < H && *out; i++) *n_dropped += !fit.is_kept[i];
    dlg_dropped_fit_release(&fit);
    dlg_free(asked);
    dlg_free(scratch);
    return status;
}

void dlg_dropped_inputs_release(dlg_dropped_inputs *inputs)
{
    dlg_free(inputs->token);
    dlg_free(inputs->position);
    dlg_free(inputs->input);
    *inputs = (dlg_dropped_inputs){0};
}
