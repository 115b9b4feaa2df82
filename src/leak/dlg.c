/*
 * The attack, told as little as possible:
 *
 *   1. labels start evenly spread over the rows that may hold them
 *   2. the dummy embeddings descend on D; an iteration is twenty evaluations, as the paper counts them
 *   3. after each iteration the labels are put where dD/dY points, until they stay where they are
 *   4. the embeddings are decoded to their nearest tokens, and D is evaluated at those tokens' own embeddings. When that is rounding, the
 *      text explains the gradient and nothing is left to do
 *   5. a start that stalls is followed by another. It keeps the tokens that are certain (their embedding points where the token's own does:
 *      in a local minimum those are the right ones) and draws the others anew; where that does not help, everything is drawn anew. The
 *      best text of all is kept
 */
#define _POSIX_C_SOURCE 200809L
#include "leak/dlg.h"

#include "leak/descent.h"
#include "leak/nearest.h"
#include "leak/objective.h"
#include "leak/placement.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    EVALUATIONS_PER_ITERATION = 20,
    FRUITLESS_STARTS = 3 /* that many that end no lower than those before them: what they keep is wrong */
};

/* Cosine between an embedding and its token from which on the token is certain. */
static const dlg_real certain = (dlg_real)0.9;

typedef struct {
    const dlg_gradient *gradient;
    const dlg_knowledge *knowledge;
    const dlg_attack_options *options;
    const dlg_attack_observer *observer;
    dlg_objective *objective;
    dlg_nearest *nearest;
    size_t n_rows, n_numbers;
    double embedding_deviation;
    double start_time;
    dlg_attack_end end;
    bool found; /* end holds, no further start is needed */

    /* all carved from one arena */
    dlg_arena arena;
    double *x;                          /* (n_rows, H) dummy embeddings */
    dlg_real *point, *derivative;       /* (n_rows, H) the same as the objective takes them, and dD/dx */
    dlg_placement placement;
    dlg_real *label_derivative;         /* (rows that may hold a label, labels) */
    dlg_real *cosine;                   /* (n_rows) of the angle between each embedding and its token */
    uint32_t *fed, *tokens, *last_tokens;
    bool *predicted, *changed;

    /* of this start */
    size_t start, evaluations_at_iteration;
    dlg_descent descent;
    bool is_over, no_descent_yet;
    double d;
    /* of the starts that build on each other */
    size_t n_certain, fruitless;
    double lowest;
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
    const dlg_soft_labels labels = {a->placement.n_labels, a->placement.label, share};
    a->evaluations++;
    return dlg_objective_evaluate(a->objective, &labels, a->point, a->derivative);
}

static double evaluate(void *payload, const double *x, double *dx)
{
    attack *a = payload;
    for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
    const double d = evaluate_point(a, a->placement.share);
    bool finite = isfinite(d);
    for (size_t i = 0; i < a->n_numbers; i++) {
        dx[i] = (double)a->derivative[i];
        finite &= isfinite(dx[i]) != 0;
    }
    return finite ? d : NAN;
}

/* Put the labels where dD/dY of the last evaluation, at x, points, where that lowers D. @return whether that changed where they are */
static bool place_labels(attack *a, const double *x)
{
    if (a->knowledge->placed || (!a->placement.placed && a->descent.iteration < dlg_descent_first_placement(&a->descent))) return false;
    dlg_objective_label_derivative(a->objective, a->label_derivative);
    for (size_t i = 0; i < a->placement.n_rows * a->placement.n_labels; i++)
        if (!isfinite(a->label_derivative[i])) return false;
    if (!dlg_placement_propose(&a->placement, a->label_derivative)) return false;
    if (a->placement.placed) {
        for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
        if (!(evaluate_point(a, a->placement.proposed_share) < a->d)) return false;
    }
    dlg_placement_accept(&a->placement);
    return true;
}

/* ---- what the embeddings say ---- */

static void decode(attack *a, const double *x)
{
    for (size_t i = 0; i < a->n_numbers; i++) a->point[i] = (dlg_real)x[i];
    dlg_nearest_find(a->nearest, a->point, a->fed, a->cosine);
    memcpy(a->last_tokens, a->tokens, a->n_rows * sizeof *a->tokens);
    memcpy(a->tokens, a->fed, a->n_rows * sizeof *a->tokens);
    memset(a->predicted, 0, a->n_rows * sizeof *a->predicted);
    const bool is_mlm = a->gradient->model->config.task == DLG_MASKED_LM;
    for (size_t j = 0; is_mlm && a->placement.placed && j < a->placement.n_labels; j++) {
        const size_t row = a->knowledge->rows[a->placement.row_of[j]];
        a->tokens[row] = (uint32_t)a->placement.label[j];
        a->predicted[row] = true;
    }
    bool any = false;
    for (size_t i = 0; i < a->n_rows; i++) any |= a->changed[i] = a->tokens[i] != a->last_tokens[i];
    a->descent.stable = any ? 0 : a->descent.stable + 1;
}

/* D at the fed tokens' own embeddings; infinity as long as no label has its place. */
static double distance_of_tokens(attack *a)
{
    const dlg_real *table = dlg_model_word_embeddings(a->gradient->model);
    const size_t H = a->gradient->model->config.hidden_size;
    if (!a->placement.placed) return INFINITY;
    for (size_t i = 0; i < a->n_rows; i++) memcpy(a->point + i * H, table + (size_t)a->fed[i] * H, H * sizeof *table);
    const double d = evaluate_point(a, a->placement.share);
    return isfinite(d) ? d : INFINITY;
}

static dlg_attack_state state_of(const attack *a)
{
    return (dlg_attack_state){
        .start = a->start,
        .iteration = a->descent.iteration,
        .iterations = a->iterations,
        .evaluations = a->evaluations,
        .distance = a->d,
        .distance_of_tokens = a->d_tokens,
        .scale = a->descent.scale,
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

static size_t count_certain(const attack *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_rows; i++) n += a->cosine[i] >= certain;
    return n;
}

static bool is_settled(const attack *a, bool has_stalled)
{
    return dlg_descent_is_settled(&a->descent, a->d, a->d_tokens, has_stalled, count_certain(a) == a->n_rows);
}

/* No further start is needed. @return true */
static bool end_with(attack *a, dlg_attack_end end)
{
    a->end = end;
    return a->found = true;
}

/* @return whether this start is over */
static bool is_over(attack *a)
{
    const bool has_stalled = dlg_descent_has_stalled(&a->descent);
    if (is_interrupted(a)) return end_with(a, DLG_INTERRUPTED);
    if (dlg_descent_is_explained(&a->descent, a->d_tokens)) return end_with(a, DLG_EXPLAINED);
    if (is_settled(a, has_stalled)) return end_with(a, DLG_SETTLED);
    return has_stalled || a->descent.iteration >= a->options->max_iterations;
}

/* An accepted point. @return true to leave the minimiser: the start is over, or the labels moved and its history means nothing any more */
static bool accept(void *payload, const double *x, double f)
{
    attack *a = payload;
    a->d = f;
    a->no_descent_yet = false;
    if (a->evaluations - a->evaluations_at_iteration < EVALUATIONS_PER_ITERATION && !is_interrupted(a)) return false;
    dlg_descent_add(&a->descent, f);
    a->iterations++;
    const bool moved = place_labels(a, x);
    decode(a, x);
    a->d_tokens = distance_of_tokens(a);
    keep_if_best(a);
    const dlg_attack_state state = state_of(a);
    if (a->observer && a->observer->iteration) a->observer->iteration(a->observer->payload, &state);
    a->evaluations_at_iteration = a->evaluations;
    a->is_over = is_over(a);
    return a->is_over || moved;
}

/* Draw the dummy embeddings, but for the certain tokens of the start before this one, which begin where they belong. */
static void draw(attack *a)
{
    const dlg_real *table = dlg_model_word_embeddings(a->gradient->model);
    const size_t H = a->gradient->model->config.hidden_size;
    const uint32_t stream = dlg_random_stream("dummy embeddings") + (uint32_t)a->start;
    dlg_random_normal_fill(a->point, a->n_numbers, a->embedding_deviation, a->options->seed, stream);
    if (!a->n_certain) dlg_placement_start(&a->placement, a->knowledge->placed);
    for (size_t i = 0; a->n_certain && i < a->n_rows; i++)
        if (a->cosine[i] >= certain) memcpy(a->point + i * H, table + (size_t)a->fed[i] * H, H * sizeof *table);
    for (size_t i = 0; i < a->n_numbers; i++) a->x[i] = (double)a->point[i];
}

/* A start is over without having explained anything: choose what the next one keeps. */
static void choose_next(attack *a)
{
    const bool is_lower = a->d < 0.9 * a->lowest, went_nowhere = !a->descent.iteration;
    a->fruitless = is_lower ? 0 : a->fruitless + 1;
    a->lowest = is_lower ? a->d : a->lowest;
    a->n_certain = count_certain(a);
    if (went_nowhere || !a->placement.placed || a->n_certain == a->n_rows || a->fruitless >= FRUITLESS_STARTS) {
        a->n_certain = a->fruitless = 0;
        a->lowest = INFINITY;
    }
    if (a->start == a->options->max_starts) return;
    char line[224], next[96];
    if (a->n_certain) snprintf(next, sizeof next, "start %zu keeps the tokens that are certain, %zu of %zu", a->start + 1, a->n_certain,
                               a->n_rows);
    else snprintf(next, sizeof next, "start %zu is drawn anew", a->start + 1);
    if (went_nowhere)
        snprintf(line, sizeof line, "start %zu found no way down; %s", a->start, next);
    else
        snprintf(line, sizeof line, "start %zu %s after %zu iterations at distance %.2e; %s", a->start,
                 a->descent.iteration >= a->options->max_iterations ? "used up its iterations" : "stalled", a->descent.iteration, a->d,
                 next);
    note(a, line);
}

static dlg_status run_start(attack *a, dlg_error *err)
{
    const dlg_function function = {a->n_numbers, evaluate, accept, a};
    draw(a);
    dlg_descent_begin(&a->descent);
    a->is_over = false;
    a->d = INFINITY;
    a->evaluations_at_iteration = a->evaluations;
    for (;;) {
        dlg_minimise_end end;
        a->no_descent_yet = true;
        const dlg_status status = a->options->minimiser->run(&end, &function, a->x, err);
        if (status) return status;
        if (end == DLG_NO_DESCENT && a->no_descent_yet) { /* not even from a fresh beginning: this is as low as it goes */
            if (a->descent.iteration && is_settled(a, true)) end_with(a, DLG_SETTLED);
            break;
        }
        if (a->is_over) break;
    }
    if (!a->found) choose_next(a);
    return DLG_OK;
}

/* ---- the whole ---- */

static void carve(attack *a)
{
    const size_t n = a->n_numbers;
    dlg_arena *arena = &a->arena;
    a->x = dlg_arena_carve(arena, n, sizeof *a->x);
    a->point = dlg_arena_carve(arena, n, sizeof *a->point);
    a->derivative = dlg_arena_carve(arena, n, sizeof *a->derivative);
    dlg_placement_carve(&a->placement, arena);
    a->label_derivative = dlg_arena_carve(arena, a->placement.n_rows * a->placement.n_labels, sizeof *a->label_derivative);
    a->cosine = dlg_arena_carve(arena, a->n_rows, sizeof *a->cosine);
    a->fed = dlg_arena_carve(arena, a->n_rows, sizeof *a->fed);
    a->tokens = dlg_arena_carve(arena, a->n_rows, sizeof *a->tokens);
    a->last_tokens = dlg_arena_carve(arena, a->n_rows, sizeof *a->last_tokens);
    a->predicted = dlg_arena_carve(arena, a->n_rows, sizeof *a->predicted);
    a->changed = dlg_arena_carve(arena, a->n_rows, sizeof *a->changed);
    a->descent.history = dlg_arena_carve(arena, a->options->max_iterations + 1, sizeof *a->descent.history);
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
    a->placement = (dlg_placement){.n_rows = batch.n_predicted, .n_labels = a->knowledge->n_labels, .label = a->knowledge->labels};
    a->descent.scale = dlg_objective_scale(a->objective);
    a->descent.floor = dlg_objective_floor(a->objective);
    a->embedding_deviation = deviation(config->vocabulary_size * config->hidden_size, table);
    a->best_d_tokens = a->lowest = INFINITY;
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
    /* One or two can be full of rounding where a head's rows nearly cancel; a defence touches them all. */
    a->descent.is_defended = 2 * a->result->n_dense >= a->result->n_targets;
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

dlg_status dlg_attack(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    *out = (dlg_attack_result){.end = DLG_EXHAUSTED};
    attack a = {.gradient = gradient, .knowledge = knowledge, .options = options, .observer = observer, .result = out, .end = DLG_EXHAUSTED};
    a.start_time = now();
    dlg_status status = prepare(&a, err);
    while (!status && !a.found && a.start < options->max_starts) {
        if (is_interrupted(&a)) {
            end_with(&a, DLG_INTERRUPTED);
            break;
        }
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
