/*
 * LAMP: Extracting Text from Gradients with Language Model Priors (Balunovic et al. 2022, arXiv:2202.08827). In
 * brackets what the published code, github.com/eth-sri/lamp, calls a number.
 *
 *   1. embeddings are drawn many times, N(0, 1), then the rows of the best are put in other orders. What has the least
 *      distance begins, each row brought to the mean norm of the word embeddings
 *   2. steps of Adam go down on D + [coeff_reg] (mean norm of the rows - [init_size])^2, the latter that mean norm
 *   3. of each sentence rearrangements of the words (attacks/rearrange.h) are tried, all of them of the same
 *      embeddings. The one with the least D + [coeff_perplexity] times the language prior's surprise at the nearest
 *      tokens is kept. Then 2 follows
 *
 * Schedule and numbers are those that the code has for BERT base and the cosine. What differs:
 *
 * - The code makes 2,000 steps: with draws and rearrangements 7,800 evaluations of one sentence. Here the parts of a
 *   start's evaluations are the same, whatever their number. Step, norm and its weight go with the scale of the model's
 *   embeddings.
 * - D is relative to that of a zero gradient, as the cosine is anyhow, and the numbers are the same for every distance.
 *   For L2 + L1, with [tag_factor] 0.01 as here, the code has [coeff_perplexity] 60 and [coeff_reg] 25 beside distances
 *   that are not relative.
 * - Its prior is a GPT-2 of BERT's vocabulary. Here it is one that is given, or a masked LM, the attacked one unless
 *   another is given (attacks/prior.h). A classifier has no such head: there D decides alone. A batch's surprise is the
 *   mean over its sentences.
 * - The code has one start and ends where what 2 lowers was least. Here the best text by the distance of its own tokens
 *   is kept; a start that has stalled (attacks/session/descent.h), and whose words stand best as they are, is followed
 *   by another, drawn anew.
 * - The code is told labels and lengths, and tokens that no sentence has. Here these are inferred, and labels put in
 *   their places, as in every attack here. begin and end stay as in the code, and the mask token too where the
 *   span check saw it.
 */
#include "optimise/adam.h"
#include "attacks/classes.h"
#include "attacks/session/descent.h"
#include "attacks/prior.h"
#include "attacks/rearrange.h"
#include "attacks/session/session.h"
#include "math/blas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    EVALUATIONS_PER_ITERATION = 20,
    MOST_DRAWS = 500, /* [init_candidates], and as many orders; of the evaluations of a start: */
    DRAWN_PART = 16,  /* at most one in so many, as of the published 7,800 */
    STEPS = 75,       /* [swap_every] of Adam in a round */
    CANDIDATES = 200, /* rearrangements after them, one of which is to leave all as it is */
    /* [swap_burnin] of the steps, a quarter of all evaluations, the first tenth is without */
    BEFORE_REARRANGING = 39
};

/* [coeff_reg] is 1 where the mean norm is 1.4; [coeff_perplexity]. */
static const double norm_weight = 2, prior_weight = 0.2;

/* [lr] is 0.01 where the embeddings' deviation is 0.05; [lr_decay] falls by a factor every so many steps. */
static const double first_step = 0.2, step_factor = 0.89, steps_between = 50;

typedef struct {
    dlg_session *r;
    dlg_attack_end end;
    bool found, is_over; /* end holds, no further start is needed; this start is over */
    size_t evaluations_at_iteration;
    dlg_descent descent; /* of Adam's iterations */
    dlg_random random;
    double mean_norm;       /* of the word embeddings */
    dlg_batch_prior *prior; /* NULL: there is none */

    /* carved from one arena */
    dlg_arena arena;
    dlg_adam_moments moments;
    double *x, *dx;              /* (n_rows, H) */
    size_t *order, *best;        /* (n_rows) which row of x stands where, in a candidate and in the best of them */
    size_t *free_rows, *scratch; /* (n_rows) of one sentence */
    uint32_t *text;              /* (n_rows) a candidate's tokens */
} attack;

static size_t hidden_size(const attack *a)
{
    return a->r->gradient->model->config.hidden_size;
}

/* ---- iterations ---- */

static void end_with(attack *a, dlg_attack_end end)
{
    a->end = end;
    a->found = a->is_over = true;
}

static void look_for_the_end(attack *a)
{
    dlg_session *r = a->r;
    const bool has_stalled = dlg_descent_has_stalled(&a->descent);
    const double certain = (double)dlg_session_count_certain(r) / (double)r->n_rows;
    if (dlg_session_is_interrupted(r)) end_with(a, DLG_INTERRUPTED);
    else if (dlg_session_is_explained(r)) end_with(a, DLG_EXPLAINED);
    else if (dlg_descent_is_settled(&a->descent, r->d, r->d_tokens, has_stalled, certain)) end_with(a, DLG_SETTLED);
    else if (dlg_session_is_running_out(r)) end_with(a, DLG_EXHAUSTED);
    else a->is_over = r->iteration >= r->options->max_iterations;
}

/* After an evaluation, where x is the best of this start and r->d its distance: every twenty are an iteration. */
static void count(attack *a, bool was_at_x)
{
    dlg_session *r = a->r;
    const bool is_iteration = r->result->evaluations - a->evaluations_at_iteration >= EVALUATIONS_PER_ITERATION;
    if (!is_iteration && !dlg_session_is_running_out(r) && !dlg_session_is_interrupted(r)) return;
    r->iteration++;
    r->result->iterations++;
    if (was_at_x) {
        dlg_descent_add(&a->descent, r->d);
        if (a->descent.iteration >= dlg_descent_first_assignment(&a->descent)) dlg_session_place_labels(r, a->x);
    }
    dlg_session_decode(r, a->x);
    dlg_session_distance_of_tokens(r);
    a->descent.stable = r->stable;
    dlg_session_report(r);
    a->evaluations_at_iteration = r->result->evaluations;
    look_for_the_end(a);
}

/* ---- rearrangements ---- */

static void keep_order(attack *a)
{
    for (size_t i = 0; i < a->r->n_rows; i++) a->order[i] = i;
}

/* order = the rows as they are, but for the free rows of sentence b, which are rearranged. */
static void rearrange(attack *a, size_t b, dlg_rearrangement kind)
{
    const dlg_batch *batch = &a->r->batch;
    size_t n = 0;
    keep_order(a);
    for (size_t i = batch->first[b]; i < batch->first[b + 1]; i++)
        if (!a->r->is_known[i]) a->free_rows[n++] = i;
    dlg_rearrange_rows(a->order, n, a->free_rows, kind, a->scratch, &a->random);
}

/* point = x's rows in that order */
static void set_point(const attack *a, const size_t *order)
{
    const size_t H = hidden_size(a);
    for (size_t i = 0; i < a->r->n_rows; i++)
        for (size_t k = 0; k < H; k++) a->r->point[i * H + k] = (dlg_real)a->x[order[i] * H + k];
}

static void take_point(attack *a)
{
    for (size_t i = 0; i < a->r->n_numbers; i++) a->x[i] = (double)a->r->point[i];
}

/* D at point, relative; infinity where it diverges */
static double distance(attack *a)
{
    const double d = dlg_session_distance_at_point(a->r, a->r->placement.share);
    return isfinite(d) ? d / a->r->scale : INFINITY;
}

/* What the prior has against the text in that order. The tokens are those of x as it was last decoded. */
static double surprise(attack *a)
{
    const dlg_session *r = a->r;
    if (!a->prior) return 0;
    for (size_t i = 0; i < r->n_rows; i++) a->text[i] = r->predicted[i] ? r->tokens[i] : r->fed[a->order[i]];
    return prior_weight * dlg_batch_prior_surprise(a->prior, a->text);
}

/* Keep the best of one sentence's rearrangements. The prior is asked only where D alone is not too much. @return
 * whether words moved */
static bool rearrange_sentence(attack *a, size_t b)
{
    dlg_session *r = a->r;
    double least = INFINITY;
    size_t which = 0;
    dlg_session_decode(r, a->x);
    for (size_t i = 0; i < CANDIDATES && !a->is_over; i++) {
        if (i) rearrange(a, b, (dlg_rearrangement)(i % DLG_REARRANGEMENTS));
        else keep_order(a); /* what there is to be better than */
        set_point(a, a->order);
        const double d = distance(a), total = d < least ? d + surprise(a) : INFINITY;
        if (total < least) {
            least = total;
            which = i;
            memcpy(a->best, a->order, r->n_rows * sizeof *a->best);
        }
        count(a, false);
    }
    if (!which) return false;
    set_point(a, a->best);
    take_point(a);
    return true;
}

static bool rearrange_words(attack *a)
{
    bool any = false;
    for (size_t b = 0; b < a->r->batch.n_sentences && !a->is_over; b++) any |= rearrange_sentence(a, b);
    return any;
}

/* ---- a start ---- */

static double norm_of_row(const attack *a, size_t row)
{
    const size_t H = hidden_size(a);
    double sum = 0;
    for (size_t k = 0; k < H; k++) sum += a->x[row * H + k] * a->x[row * H + k];
    return sqrt(sum);
}

static void bring_to_norm(attack *a)
{
    const size_t H = hidden_size(a);
    for (size_t i = 0; i < a->r->n_rows; i++) {
        const double factor = a->r->is_known[i] ? 1 : a->mean_norm / norm_of_row(a, i);
        for (size_t k = 0; k < H; k++) a->x[i * H + k] *= factor;
    }
}

/* point = random rows, N(0, 1) */
static void draw(attack *a, size_t draw_number)
{
    dlg_session *r = a->r;
    const uint32_t stream =
        dlg_random_stream("dummy embeddings") + (uint32_t)((r->start - 1) * MOST_DRAWS + draw_number + 1);
    dlg_random_normal_fill(r->point, r->n_numbers, 1, r->options->seed, stream);
    dlg_session_hold_known_rows(r);
}

/* The best of many drawn points, and of the orders of its rows; then its rows get the mean norm. */
static void draw_start(attack *a)
{
    dlg_session *r = a->r;
    const size_t part = r->options->max_iterations * EVALUATIONS_PER_ITERATION / DRAWN_PART,
                 n = part < MOST_DRAWS ? part : MOST_DRAWS;
    double least = INFINITY;
    for (size_t i = 0; i < 2 * n && !a->is_over; i++) {
        if (i < n) {
            draw(a, i);
        } else {
            rearrange(a, (size_t)dlg_random_below(&a->random, r->batch.n_sentences), DLG_REARRANGEMENTS);
            set_point(a, a->order);
        }
        const double d = distance(a);
        if (!i || d < least) {
            least = d;
            r->d = d * r->scale;
            take_point(a);
        }
        count(a, false);
    }
    bring_to_norm(a);
}

/* To dx, the derivative of D, add that of the norms' part, make it relative, and keep the known rows where they are. */
static void complete_derivative(attack *a)
{
    const size_t H = hidden_size(a), n = a->r->n_rows;
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += norm_of_row(a, i) / (double)n / a->mean_norm;
    for (size_t i = 0; i < n; i++) {
        const double norm = norm_of_row(a, i),
                     slope = norm > 0 ? 2 * norm_weight * (mean - 1) / ((double)n * a->mean_norm * norm) : 0;
        for (size_t k = 0; k < H; k++) {
            double *dx = &a->dx[i * H + k];
            *dx = a->r->is_known[i] ? 0 : *dx / a->r->scale + slope * a->x[i * H + k];
        }
    }
}

/* @return whether all of it was finite */
static bool go_down(attack *a)
{
    dlg_session *r = a->r;
    for (size_t i = 0; i < STEPS && !a->is_over; i++) {
        const double d = dlg_session_evaluate(r, a->x, a->dx);
        if (!isfinite(d)) return false;
        r->d = d;
        complete_derivative(a);
        count(a, true);
        if (a->is_over) break;
        const double rate =
            first_step * r->embedding_deviation * pow(step_factor, floor((double)a->moments.n_steps / steps_between));
        dlg_adam_step(&a->moments, rate, a->dx, a->x);
    }
    return true;
}

static void run_start(attack *a)
{
    dlg_session *r = a->r;
    const size_t n_before = r->options->max_iterations * EVALUATIONS_PER_ITERATION / BEFORE_REARRANGING;
    char line[160];
    bool is_finite = true, has_stalled = false;
    a->is_over = false;
    r->iteration = 0;
    r->d = INFINITY;
    a->evaluations_at_iteration = r->result->evaluations;
    dlg_adam_begin(&a->moments);
    dlg_descent_begin(&a->descent);
    dlg_label_assignment_start(&r->placement, r->knowledge->placed);
    draw_start(a);
    while (!a->is_over && is_finite) {
        is_finite = go_down(a);
        if (!is_finite || a->is_over || a->moments.n_steps < n_before) continue;
        has_stalled = !rearrange_words(a) && dlg_descent_has_stalled(&a->descent);
        a->is_over |= has_stalled;
    }
    if (a->found || r->start == r->options->max_starts) return;
    snprintf(line, sizeof line, "start %zu %s after %zu iterations at distance %.2e; start %zu is drawn anew", r->start,
             has_stalled ? "stalled"
             : is_finite ? "ended"
                         : "diverged",
             r->iteration, r->d, r->start + 1);
    dlg_session_note(r, line);
}

/* ---- the attack ---- */

static dlg_status create_prior(attack *a, dlg_error *err)
{
    const dlg_session *r = a->r;
    const dlg_model *model = dlg_attack_prior(r->options, r->gradient->model);
    if (model) return dlg_batch_prior_create(&a->prior, model, r->knowledge->special.mask, &r->batch, err);
    dlg_session_note(r, "no language prior: the model is a classifier");
    return DLG_OK;
}

static double mean_norm(const dlg_model *model)
{
    const dlg_real *table = dlg_model_word_embeddings(model);
    const size_t H = model->config.hidden_size, V = model->config.vocabulary_size;
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += sqrt(dlg_dot(H, table + v * H, table + v * H));
    return sum / (double)V;
}

static void carve(attack *a)
{
    const size_t n_rows = a->r->n_rows, n = a->r->n_numbers;
    dlg_arena *arena = &a->arena;
    a->moments.n = n;
    dlg_adam_carve(&a->moments, arena);
    a->descent.history = dlg_arena_carve(arena, a->r->options->max_iterations + 1, sizeof *a->descent.history);
    a->x = dlg_arena_carve(arena, n, sizeof *a->x);
    a->dx = dlg_arena_carve(arena, n, sizeof *a->dx);
    a->order = dlg_arena_carve(arena, n_rows, sizeof *a->order);
    a->best = dlg_arena_carve(arena, n_rows, sizeof *a->best);
    a->free_rows = dlg_arena_carve(arena, n_rows, sizeof *a->free_rows);
    a->scratch = dlg_arena_carve(arena, n_rows, sizeof *a->scratch);
    a->text = dlg_arena_carve(arena, n_rows, sizeof *a->text);
}

static dlg_status recover(dlg_session *r, dlg_error *err)
{
    attack a = {
        .r = r, .end = DLG_EXHAUSTED, .random = dlg_random_at(r->options->seed, dlg_random_stream("rearrangements"))};
    a.descent = (dlg_descent){.scale = r->scale, .floor = r->floor, .is_defended = r->is_defended};
    a.mean_norm = mean_norm(r->gradient->model);
    carve(&a);
    dlg_status status = dlg_arena_reserve(&a.arena, "attack", err);
    if (status) return status;
    carve(&a);
    status = create_prior(&a, err);
    while (!status && !a.found && r->start < r->options->max_starts) {
        r->start++;
        dlg_attack_doing(r->observer, "descent: start %zu of %zu", r->start, r->options->max_starts);
        run_start(&a);
    }
    r->result->end = a.end;
    dlg_batch_prior_free(a.prior);
    dlg_arena_release(&a.arena);
    return status;
}

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_session r;
    if (options->minimiser != &dlg_adam)
        return dlg_fail(err, DLG_EARG, "attack lamp: want the optimizer adam, found %s", options->minimiser->name);
    if (options->update != DLG_UPDATE_BATCH)
        return dlg_fail(err, DLG_EARG,
                        "attack lamp: want the sentences of a batch updated together, found one at a time");
    dlg_status status = dlg_session_begin(&r, out, analysis, knowledge, options, observer, err);
    if (!status) status = recover(&r, err);
    dlg_session_end(&r);
    return status;
}

const dlg_attack_class dlg_attack_lamp = {
    "lamp", "LAMP (Balunovic et al. 2022), with a language prior", &dlg_cosine, &dlg_adam, true, run};
