/*
 * Deep Leakage from Gradients (Zhu, Liu & Han 2019, arXiv:1906.08935): optimise dummy embeddings until their gradient is the shared one,
 * and read the text off them. Told as little as possible:
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
#include "leak/dlg.h"

#include "leak/classes.h"
#include "leak/descent.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    EVALUATIONS_PER_ITERATION = 20,
    FRUITLESS_STARTS = 3 /* that many that end no lower than those before them: what they keep is wrong */
};

typedef struct {
    dlg_recovery *r;
    dlg_restart restart;
    dlg_attack_end end;
    bool found; /* end holds, no further start is needed */
    dlg_arena arena;
    double *x;  /* (n_unknowns) what the dummy embeddings are made of */

    /* of this start */
    size_t evaluations_at_iteration;
    dlg_descent descent;
    bool is_over, no_descent_yet;
    /* of the starts that build on each other */
    size_t n_certain, fruitless;
    double lowest;
} attack;

static double evaluate(void *payload, const double *x, double *dx)
{
    attack *a = payload;
    return dlg_recovery_evaluate(a->r, x, dx);
}

static bool is_settled(const attack *a, bool has_stalled)
{
    const dlg_recovery *r = a->r;
    return dlg_descent_is_settled(&a->descent, r->d, r->d_tokens, has_stalled, dlg_recovery_count_certain(r) == r->n_rows);
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
    if (dlg_recovery_is_interrupted(a->r)) return end_with(a, DLG_INTERRUPTED);
    if (dlg_recovery_is_explained(a->r)) return end_with(a, DLG_EXPLAINED);
    if (is_settled(a, has_stalled)) return end_with(a, DLG_SETTLED);
    return has_stalled || a->descent.iteration >= a->r->options->max_iterations;
}

/* An accepted point. @return true to leave the minimiser: the start is over, or the labels moved and its history means nothing any more */
static bool accept(void *payload, const double *x, double f)
{
    attack *a = payload;
    dlg_recovery *r = a->r;
    r->d = f;
    a->no_descent_yet = false;
    const bool is_iteration = r->result->evaluations - a->evaluations_at_iteration >= EVALUATIONS_PER_ITERATION;
    if (!is_iteration && !dlg_recovery_is_interrupted(r)) return false;
    dlg_descent_add(&a->descent, f);
    r->result->iterations++;
    const bool may_move = r->placement.placed || a->descent.iteration >= dlg_descent_first_placement(&a->descent);
    const bool moved = may_move && dlg_recovery_place_labels(r, x);
    dlg_recovery_decode(r, x);
    dlg_recovery_distance_of_tokens(r);
    r->iteration = a->descent.iteration;
    a->descent.stable = r->stable;
    dlg_recovery_report(r);
    a->evaluations_at_iteration = r->result->evaluations;
    a->is_over = is_over(a);
    return a->is_over || moved;
}

/* Draw the dummy embeddings, but for the certain tokens of the start before this one, which begin where they belong. */
static void draw(attack *a)
{
    dlg_recovery *r = a->r;
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model);
    const size_t H = r->gradient->model->config.hidden_size;
    const uint32_t stream = dlg_random_stream("dummy embeddings") + (uint32_t)r->start;
    dlg_random_normal_fill(r->point, r->n_numbers, r->embedding_deviation, r->options->seed, stream);
    if (!a->n_certain) dlg_placement_start(&r->placement, r->knowledge->placed);
    for (size_t i = 0; a->n_certain && i < r->n_rows; i++)
        if (dlg_evidence_is_good(&r->evidence[i])) memcpy(r->point + i * H, table + (size_t)r->fed[i] * H, H * sizeof *table);
    dlg_recovery_unknowns(r, a->x);
}

/* A start is over without having explained anything: choose what the next one keeps. */
static void choose_next(attack *a)
{
    const dlg_recovery *r = a->r;
    const bool is_lower = r->d < 0.9 * a->lowest, went_nowhere = !a->descent.iteration;
    a->fruitless = is_lower ? 0 : a->fruitless + 1;
    a->lowest = is_lower ? r->d : a->lowest;
    a->n_certain = dlg_recovery_count_certain(r);
    if (a->restart == DLG_DRAW_ANEW || went_nowhere || !r->placement.placed || a->n_certain == r->n_rows ||
        a->fruitless >= FRUITLESS_STARTS) {
        a->n_certain = a->fruitless = 0;
        a->lowest = INFINITY;
    }
    if (r->start == r->options->max_starts) return;
    char line[224], next[96];
    if (a->n_certain) snprintf(next, sizeof next, "start %zu keeps the tokens that are certain, %zu of %zu", r->start + 1, a->n_certain,
                               r->n_rows);
    else snprintf(next, sizeof next, "start %zu is drawn anew", r->start + 1);
    if (went_nowhere)
        snprintf(line, sizeof line, "start %zu found no way down; %s", r->start, next);
    else
        snprintf(line, sizeof line, "start %zu %s after %zu iterations at distance %.2e; %s", r->start,
                 a->descent.iteration >= r->options->max_iterations ? "used up its iterations" : "stalled", a->descent.iteration, r->d,
                 next);
    dlg_recovery_note(r, line);
}

static dlg_status run_start(attack *a, dlg_error *err)
{
    dlg_recovery *r = a->r;
    const dlg_function function = {r->n_unknowns, evaluate, accept, a};
    draw(a);
    dlg_descent_begin(&a->descent);
    a->is_over = false;
    r->d = INFINITY;
    a->evaluations_at_iteration = r->result->evaluations;
    for (;;) {
        dlg_minimise_end end;
        a->no_descent_yet = true;
        const dlg_status status = r->options->minimiser->run(&end, &function, a->x, err);
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

static void carve(attack *a)
{
    a->x = dlg_arena_carve(&a->arena, a->r->n_unknowns, sizeof *a->x);
    a->descent.history = dlg_arena_carve(&a->arena, a->r->options->max_iterations + 1, sizeof *a->descent.history);
}

dlg_status dlg_descend(dlg_recovery *r, dlg_restart restart, dlg_error *err)
{
    attack a = {.r = r, .restart = restart, .end = DLG_EXHAUSTED, .lowest = INFINITY, .n_certain = dlg_recovery_count_certain(r)};
    a.descent = (dlg_descent){.scale = r->scale, .rounding = r->options->distance->rounding,
                              .floor = r->floor, .is_defended = r->is_defended};
    carve(&a);
    dlg_status status = dlg_arena_reserve(&a.arena, "descent", err);
    if (!status) carve(&a);
    for (; !status && !a.found && r->start < r->options->max_starts;) {
        if (dlg_recovery_is_interrupted(r)) {
            end_with(&a, DLG_INTERRUPTED);
            break;
        }
        r->start++;
        status = run_start(&a, err);
    }
    r->result->end = a.end;
    dlg_arena_release(&a.arena);
    return status;
}

dlg_status dlg_descent_attack(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                              const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_restart restart, dlg_error *err)
{
    dlg_recovery r;
    dlg_status status = dlg_recovery_begin(&r, out, gradient, knowledge, options, observer, err);
    if (!status) status = dlg_descend(&r, restart, err);
    dlg_recovery_end(&r);
    return status;
}

static dlg_status run(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    return dlg_descent_attack(out, gradient, knowledge, options, observer, DLG_KEEP_CERTAIN, err);
}

const dlg_attack_class dlg_attack_dlg = {"dlg", "Deep Leakage from Gradients (Zhu et al. 2019), labels inferred", &dlg_l2, &dlg_lbfgs,
                                         false, run};
