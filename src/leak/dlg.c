/*
 * The attack, told as little as possible:
 *
 *   1. labels start evenly spread over the rows that may hold them
 *   2. the dummy embeddings descend on D; an iteration is twenty evaluations, as the paper counts them
 *   3. every third iteration the labels are put where dD/dY points, by linear assignment: for fixed x the gradient is linear in the labels,
 *      so this is exact to first order
 *   4. after each iteration the embeddings are decoded to their nearest tokens, and D is evaluated at those tokens' own embeddings. When that is
 *      rounding, the text explains the gradient and nothing is left to do
 *   5. a start that gets nowhere is followed by another from a different seed; the best text of all is kept
 */
#define _POSIX_C_SOURCE 200809L
#include "leak/dlg.h"

#include "leak/assign.h"
#include "leak/nearest.h"
#include "leak/objective.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    EVALUATIONS_PER_ITERATION = 20,
    ITERATIONS_PER_ASSIGNMENT = 1,
    STALL_ITERATIONS = 12, /* that many without a real decrease of D end a start */
    STABLE_ITERATIONS = 4  /* that many with the same text, D flat, are a settled text */
};

/* D at the decoded tokens below this part of D(0) is rounding of single precision. */
static const double explained = 1e-9;

/* A decrease of D by less than this factor over STALL_ITERATIONS (STABLE_ITERATIONS) is none. */
static const double flat = 0.99;

typedef struct {
    const dlg_gradient *gradient;
    const dlg_knowledge *knowledge;
    const dlg_attack_options *options;
    const dlg_attack_observer *observer;
    dlg_objective *objective;
    dlg_nearest *nearest;
    size_t n_rows, n_numbers, n_predicted, n_labels;
    double embedding_deviation;
    double start_time, scale;
    dlg_attack_end end;
    bool found; /* end holds, no further start is needed */

    /* all carved from one arena */
    dlg_arena arena;
    double *x;                          /* (n_rows, H) dummy embeddings */
    dlg_real *point, *derivative;       /* (n_rows, H) the same as the objective takes them, and dD/dx */
    dlg_real *share, *other_share;      /* (n_predicted, n_labels) where the labels stand; a proposal */
    dlg_real *label_derivative;         /* (n_predicted, n_labels) */
    size_t *place, *other_place;        /* (n_labels) predicted row of each label, once placed */
    double *assign_scratch;
    size_t *assign_used;
    uint32_t *fed, *tokens, *last_tokens;
    bool *predicted, *changed;
    double *history;                    /* (max_iterations + 1) D after each iteration of this start */

    /* of this start */
    size_t start, iteration, evaluations_at_iteration, stable;
    bool placed, replaced, no_descent_yet;
    double d;
    /* of all */
    size_t iterations, evaluations;
    double d_tokens, best_d_tokens;
    dlg_attack_result *result;
} attack;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is_interrupted(const attack *a)
{
    return a->observer && a->observer->interrupted && a->observer->interrupted(a->observer->payload);
}

static void note(const attack *a, const char *line)
{
    if (a->observer && a->observer->note) a->observer->note(a->observer->payload, line);
}

/* D at `point`, its derivative left in a->derivative. */
static double evaluate_point(attack *a, const dlg_real *share)
{
    const dlg_soft_labels labels = {a->n_labels, a->knowledge->labels, share};
    a->evaluations++;
    return dlg_objective_evaluate(a->objective, &labels, a->point, a->derivative);
}

static double evaluate(void *payload, const double *x, double *dx)
{
    attack *a = payload;
    for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
    const double d = evaluate_point(a, a->share);
    bool finite = isfinite(d);
    for (size_t i = 0; i < a->n_numbers; i++) {
        dx[i] = (double)a->derivative[i];
        finite &= isfinite(dx[i]) != 0;
    }
    return finite ? d : NAN;
}

/* ---- labels ---- */

static void spread_labels(attack *a)
{
    for (size_t i = 0; i < a->n_predicted * a->n_labels; i++) a->share[i] = 1 / (dlg_real)a->n_predicted;
    a->placed = false;
}

static void put_labels(const attack *a, const size_t *place, dlg_real *share)
{
    memset(share, 0, a->n_predicted * a->n_labels * sizeof *share);
    for (size_t j = 0; j < a->n_labels; j++) share[place[j] * a->n_labels + j] = 1;
}

/* Whether two placements put the same labels in the same rows: equal labels may change places. */
static bool is_same_placement(const attack *a)
{
    for (size_t j = 0; j < a->n_labels; j++) {
        bool there = false;
        for (size_t k = 0; k < a->n_labels && !there; k++)
            there = a->place[k] == a->other_place[j] && a->knowledge->labels[k] == a->knowledge->labels[j];
        if (!there) return false;
    }
    return true;
}

static void accept_placement(attack *a)
{
    memcpy(a->place, a->other_place, a->n_labels * sizeof *a->place);
    put_labels(a, a->place, a->share);
    a->placed = true;
}

/* Put the labels where dD/dY of the last evaluation, at x, points. @return whether that changed where they are */
static bool assign_labels(attack *a, const double *x)
{
    if (a->knowledge->placed) return false;
    dlg_objective_label_derivative(a->objective, a->label_derivative);
    dlg_assign(a->n_predicted, a->n_labels, a->label_derivative, a->other_place, a->assign_scratch, a->assign_used);
    if (a->placed) {
        if (is_same_placement(a)) return false;
        for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
        put_labels(a, a->other_place, a->other_share);
        const double d = evaluate_point(a, a->other_share);
        if (!(d < a->d)) return false;
    }
    accept_placement(a);
    return true;
}

/* ---- what the embeddings say ---- */

static void decode(attack *a, const double *x)
{
    for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
    dlg_nearest_find(a->nearest, a->point, a->fed);
    memcpy(a->last_tokens, a->tokens, a->n_rows * sizeof *a->tokens);
    memcpy(a->tokens, a->fed, a->n_rows * sizeof *a->tokens);
    memset(a->predicted, 0, a->n_rows * sizeof *a->predicted);
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    for (size_t j = 0; is_mlm && a->placed && j < a->n_labels; j++) {
        const size_t row = a->knowledge->rows[a->place[j]];
        a->tokens[row] = (uint32_t)a->knowledge->labels[j];
        a->predicted[row] = true;
    }
    bool any = false;
    for (size_t i = 0; i < a->n_rows; i++) any |= a->changed[i] = a->tokens[i] != a->last_tokens[i];
    a->stable = any ? 0 : a->stable + 1;
}

/* D at the fed tokens' own embeddings; infinity as long as no label has its place. */
static double distance_of_tokens(attack *a)
{
    const dlg_real *table = dlg_model_word_embeddings(a->gradient->model);
    const size_t H = a->gradient->model->config.hidden_size;
    if (!a->placed) return INFINITY;
    for (size_t i = 0; i < a->n_rows; i++) memcpy(a->point + i * H, table + (size_t)a->fed[i] * H, H * sizeof *table);
    const double d = evaluate_point(a, a->share);
    return isfinite(d) ? d : INFINITY;
}

static dlg_attack_state state_of(const attack *a)
{
    return (dlg_attack_state){
        .start = a->start,
        .iteration = a->iteration,
        .iterations = a->iterations,
        .evaluations = a->evaluations,
        .distance = a->d,
        .distance_of_tokens = a->d_tokens,
        .scale = a->scale,
        .seconds = now() - a->start_time,
        .fed = a->fed,
        .tokens = a->tokens,
        .predicted = a->predicted,
        .changed = a->changed,
    };
}

static void keep_if_best(attack *a)
{
    dlg_attack_state *best = &a->result->state;
    const bool better = a->d_tokens < a->best_d_tokens || (!isfinite(a->best_d_tokens) && (!best->iterations || a->d < best->distance));
    if (!better) return;
    uint32_t *fed = a->result->memory, *tokens = fed + a->n_rows;
    bool *predicted = (bool *)(tokens + a->n_rows), *changed = predicted + a->n_rows;
    a->best_d_tokens = a->d_tokens;
    *best = state_of(a);
    memcpy(fed, a->fed, a->n_rows * sizeof *fed);
    memcpy(tokens, a->tokens, a->n_rows * sizeof *tokens);
    memcpy(predicted, a->predicted, a->n_rows * sizeof *predicted);
    best->fed = fed;
    best->tokens = tokens;
    best->predicted = predicted;
    best->changed = changed;
}

/* ---- a start ---- */

/* Whether D has not really decreased over the last n iterations. */
static bool is_flat(const attack *a, size_t n)
{
    return a->iteration > n && a->history[a->iteration] > flat * a->history[a->iteration - n];
}

/* @return whether this start is over */
static bool is_over(attack *a)
{
    if (is_interrupted(a)) {
        a->end = DLG_INTERRUPTED;
        return a->found = true;
    }
    if (a->d_tokens <= explained * a->scale) {
        a->end = DLG_EXPLAINED;
        return a->found = true;
    }
    /* With noise in the target the tokens' own distance ends where the free embeddings' does. */
    if (a->stable >= STABLE_ITERATIONS && is_flat(a, STABLE_ITERATIONS) && a->d_tokens <= 1.2 * a->d) {
        a->end = DLG_SETTLED;
        return a->found = true;
    }
    return is_flat(a, STALL_ITERATIONS) || a->iteration >= a->options->max_iterations;
}

/* An accepted point. @return true to leave the minimiser: the start is over, or the labels moved and its history means nothing any more */
static bool accept(void *payload, const double *x, double f)
{
    attack *a = payload;
    a->d = f;
    a->no_descent_yet = false;
    if (a->evaluations - a->evaluations_at_iteration < EVALUATIONS_PER_ITERATION && !is_interrupted(a)) return false;
    a->history[++a->iteration] = f;
    a->iterations++;
    a->replaced = a->iteration % ITERATIONS_PER_ASSIGNMENT == 0 && assign_labels(a, x);
    decode(a, x);
    a->d_tokens = distance_of_tokens(a);
    keep_if_best(a);
    const dlg_attack_state state = state_of(a);
    if (a->observer && a->observer->iteration) a->observer->iteration(a->observer->payload, &state);
    a->evaluations_at_iteration = a->evaluations;
    return is_over(a) || a->replaced;
}

static dlg_status run_start(attack *a, dlg_error *err)
{
    const dlg_function function = {a->n_numbers, evaluate, accept, a};
    const uint32_t stream = dlg_random_stream("dummy embeddings") + (uint32_t)a->start;
    dlg_random_normal_fill(a->point, a->n_numbers, a->embedding_deviation, a->options->seed, stream);
    for (size_t i = 0; i < a->n_numbers; i++) a->x[i] = (double)a->point[i];
    spread_labels(a);
    if (a->knowledge->placed || a->n_predicted == 1) {
        for (size_t j = 0; j < a->n_labels; j++) a->other_place[j] = j;
        accept_placement(a);
    }
    a->iteration = a->stable = 0;
    a->evaluations_at_iteration = a->evaluations;
    a->history[0] = INFINITY;
    for (;;) {
        dlg_minimise_end end;
        a->no_descent_yet = true;
        a->replaced = false;
        const dlg_status status = a->options->minimiser->run(&end, &function, a->x, err);
        if (status) return status;
        if (end == DLG_NO_DESCENT && a->no_descent_yet) break; /* not even from a fresh beginning */
        if (end == DLG_ENDED_BY_CALLER && !a->replaced) break;
        if (a->found) break;
    }
    if (a->found || a->start == a->options->max_starts) return DLG_OK;
    char line[160];
    snprintf(line, sizeof line, "start %zu %s at distance %.2e after %zu iterations; next from another seed", a->start,
             a->iteration >= a->options->max_iterations ? "is not done" : a->iteration ? "stalled" : "diverged", a->d, a->iteration);
    note(a, line);
    return DLG_OK;
}

/* ---- the whole ---- */

static void carve(attack *a)
{
    const size_t n = a->n_numbers, m = a->n_predicted * a->n_labels;
    dlg_arena *arena = &a->arena;
    a->x = dlg_arena_carve(arena, n, sizeof *a->x);
    a->point = dlg_arena_carve(arena, n, sizeof *a->point);
    a->derivative = dlg_arena_carve(arena, n, sizeof *a->derivative);
    a->share = dlg_arena_carve(arena, m, sizeof *a->share);
    a->other_share = dlg_arena_carve(arena, m, sizeof *a->other_share);
    a->label_derivative = dlg_arena_carve(arena, m, sizeof *a->label_derivative);
    a->place = dlg_arena_carve(arena, a->n_labels, sizeof *a->place);
    a->other_place = dlg_arena_carve(arena, a->n_labels, sizeof *a->other_place);
    a->assign_scratch = dlg_arena_carve(arena, dlg_assign_scratch(a->n_predicted, a->n_labels), sizeof *a->assign_scratch);
    a->assign_used = dlg_arena_carve(arena, 3 * (a->n_predicted + 1), sizeof *a->assign_used);
    a->fed = dlg_arena_carve(arena, a->n_rows, sizeof *a->fed);
    a->tokens = dlg_arena_carve(arena, a->n_rows, sizeof *a->tokens);
    a->last_tokens = dlg_arena_carve(arena, a->n_rows, sizeof *a->last_tokens);
    a->predicted = dlg_arena_carve(arena, a->n_rows, sizeof *a->predicted);
    a->changed = dlg_arena_carve(arena, a->n_rows, sizeof *a->changed);
    a->history = dlg_arena_carve(arena, a->options->max_iterations + 1, sizeof *a->history);
}

static double deviation(size_t n, const dlg_real *values)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)values[i];
    const double mean = sum / (double)n;
    return sqrt(fmax(0, dlg_dot(n, values, values) / (double)n - mean * mean));
}

static dlg_status prepare(attack *a, dlg_error *err)
{
    const dlg_config *config = &a->gradient->model->config;
    const dlg_real *table = dlg_model_word_embeddings(a->gradient->model);
    dlg_batch batch = {0};
    dlg_status status = dlg_batch_create(&batch, config->task, a->knowledge->n_sentences, a->knowledge->lengths, err);
    if (!status) status = dlg_batch_predict(&batch, a->knowledge->n_rows, a->knowledge->rows, err);
    if (!status) status = dlg_objective_create(&a->objective, a->gradient, &batch, a->knowledge->n_labels, a->options->distance, err);
    if (status) goto out;
    a->n_rows = batch.n_rows;
    a->n_numbers = dlg_objective_size(a->objective);
    a->n_predicted = batch.n_predicted;
    a->n_labels = a->knowledge->n_labels;
    a->scale = dlg_objective_scale(a->objective);
    a->embedding_deviation = deviation(config->vocabulary_size * config->hidden_size, table);
    a->best_d_tokens = INFINITY;
    status = dlg_nearest_create(&a->nearest, table, config->vocabulary_size, config->hidden_size, a->n_rows, err);
    if (status) goto out;
    carve(a);
    status = dlg_arena_reserve(&a->arena, "attack", err);
    if (status) goto out;
    carve(a);
    a->result->n_rows = batch.n_rows;
    a->result->n_sentences = batch.n_sentences;
    a->result->memory = dlg_allocate(a->n_rows, 2 * sizeof *a->fed + 2 * sizeof *a->predicted);
    dlg_objective_targets(a->objective, &a->result->n_dense, &a->result->n_targets);
    if (!a->result->memory) {
        status = dlg_fail(err, DLG_ENOMEM, "attack: no memory");
        goto out;
    }
    a->result->first = batch.first;
    batch.first = NULL;
out:
    dlg_batch_release(&batch);
    return status;
}

dlg_status dlg_attack(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge, dlg_markers markers,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    (void)markers;
    *out = (dlg_attack_result){.end = DLG_EXHAUSTED};
    attack a = {.gradient = gradient, .knowledge = knowledge, .options = options, .observer = observer, .result = out, .end = DLG_EXHAUSTED};
    a.start_time = now();
    dlg_status status = prepare(&a, err);
    while (!status && !a.found && a.start < options->max_starts) {
        a.start++;
        status = run_start(&a, err);
    }
    out->end = a.end;
    out->state.iterations = a.iterations;
    out->state.evaluations = a.evaluations;
    out->state.seconds = now() - a.start_time;
    dlg_objective_free(a.objective);
    dlg_nearest_free(a.nearest);
    dlg_arena_release(&a.arena);
    if (status) dlg_attack_result_release(out);
    return status;
}

void dlg_attack_result_release(dlg_attack_result *result)
{
    dlg_free(result->first);
    dlg_free(result->memory);
    *result = (dlg_attack_result){0};
}

const char *dlg_attack_end_name(dlg_attack_end end)
{
    static const char *const names[] = {"explained", "settled", "exhausted", "interrupted"};
    return names[end];
}
