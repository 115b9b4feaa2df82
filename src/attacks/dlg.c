/*
 * Deep Leakage from Gradients (Zhu, Liu & Han 2019, arXiv:1906.08935): optimise dummy embeddings until their gradient
 * is the shared one, and read the text off them. Told as little as possible:
 *
 *   1. rows whose token is known hold it: begin, end, and the mask where labels stand
 *   2. the others descend on D from random numbers; an iteration is twenty evaluations, as the paper counts them. In a
 *      batch they descend together or, as published, those of one sentence after the other's
 *   3. labels start evenly spread over the rows that may hold them and descend along (attacks/session/sinkhorn.h) until
 *      they have come to one row each. Where putting them there raises D by much they have not, and the start is over.
 *      Else the embeddings are drawn anew, for those that went along with labels in pieces seldom lead further, and
 *      this and some starts after it hold the labels where they are, or where dD/dY points later if that lowers D. Over
 *      noise they stay spread, and dD/dY alone places them
 *   4. the embeddings are decoded to their nearest tokens, and D is evaluated at those tokens' own embeddings. When
 *      that is rounding, the text explains the gradient and nothing is left to do
 *   5. a start that stalls is followed by another. It keeps the tokens that are certain (their embedding points where
 *      the token's own does: in a local minimum those are the right ones), if they are not too few, and draws the
 *      others anew; where that does not help, everything is drawn anew. The best text of all is kept
 */
#include "attacks/dlg.h"

#include "attacks/classes.h"
#include "attacks/session/descent.h"
#include "attacks/session/token_doubts.h"
#include "attacks/session/token_substitution.h"
#include "attacks/session/sinkhorn.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A start whose certain tokens are fewer than one in so many is no beginning for another. */
enum { FEW_CERTAIN = 3 };

enum {
    EVALUATIONS_PER_ITERATION = 20,
    SOFT_ITERATIONS = 15,   /* after that many labels are put in their places, wherever they have come */
    STARTS_WITH_LABELS = 4, /* may fail before labels that had come to their places are looked for anew */
    FRUITLESS_STARTS = 3    /* that many that end no lower than those before them: what they keep is wrong */
};

/* Labels have come to their places where putting them there raises D by less. In a hundred starts on batches of two,
 * those that doubled it at most all had the right places, and nearly all that raised it by more than this had wrong
 * ones. */
static const double leap = 4;

/* Logits of the soft placement, next to the embeddings' numbers in units of their deviation. */
static const double soft_factor = 0.3;

typedef struct {
    dlg_session *r;
    dlg_restart restart;
    dlg_attack_end end;
    bool found; /* end holds, no further start is needed */
    dlg_arena arena;
    double *x; /* (n_unknowns) what the dummy embeddings are made of; behind them the soft placement's numbers */
    dlg_sinkhorn soft;

    /* of this start */
    size_t evaluations_at_iteration;
    dlg_descent descent;
    bool is_over, no_descent_yet, is_soft, have_labels_come;
    size_t turns_without_descent;
    /* of the starts that build on each other */
    bool keeps_labels;    /* the next one begins with the labels where they are */
    size_t n_with_labels; /* starts that have held them */
    size_t n_certain, fruitless;
    double lowest;
} attack;

static double evaluate(void *payload, const double *x, double *dx)
{
    attack *a = payload;
    dlg_session *r = a->r;
    if (!a->is_soft) return dlg_session_evaluate(r, x, dx);
    dlg_session_set_point(r, x);
    dlg_sinkhorn_apply(&a->soft, x + r->n_unknowns, r->point);
    const double d = dlg_session_evaluate_point(r);
    dlg_session_find_label_derivative(r);
    dlg_sinkhorn_pull_back(&a->soft, r->point, r->derivative, r->label_derivative, dx + r->n_unknowns);
    return dlg_session_pull_back(r, dx) ? d : NAN;
}

static bool is_settled(const attack *a, bool has_stalled)
{
    const dlg_session *r = a->r;
    return dlg_descent_is_settled(&a->descent, r->d, r->d_tokens, has_stalled,
                                  (double)dlg_session_count_certain(r) / (double)r->n_rows);
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
    if (dlg_session_is_interrupted(a->r)) return end_with(a, DLG_INTERRUPTED);
    if (dlg_session_is_explained(a->r)) return end_with(a, DLG_EXPLAINED);
    if (is_settled(a, has_stalled)) return end_with(a, DLG_SETTLED);
    if (dlg_session_is_running_out(a->r)) return end_with(a, DLG_EXHAUSTED);
    return has_stalled || a->descent.iteration >= a->r->options->max_iterations;
}

/* Put the labels in places, or in better ones. @return whether that changed where they are */
static bool place_labels(attack *a, const double *x)
{
    dlg_session *r = a->r;
    if (a->is_soft) return false;
    const bool may_move = r->placement.placed || a->descent.iteration >= dlg_descent_first_assignment(&a->descent);
    return may_move && dlg_session_place_labels(r, x);
}

/* Whether the soft placement leads no further. */
static bool have_labels_come(const attack *a)
{
    return a->is_soft && (dlg_sinkhorn_is_sharp(&a->soft) || a->descent.iteration >= SOFT_ITERATIONS ||
                          dlg_descent_has_stalled(&a->descent));
}

/* Another sentence's turn. @return whether there is one */
static bool take_turns(dlg_session *r)
{
    if (r->options->update == DLG_UPDATE_BATCH || r->batch.n_sentences == 1) return false;
    r->turn = (r->turn + 1) % r->batch.n_sentences;
    return true;
}

/* An accepted point. @return true to leave the minimiser: the start is over, or what moves is another, and its history
 * means nothing any more */
static bool accept(void *payload, const double *x, double f)
{
    attack *a = payload;
    dlg_session *r = a->r;
    r->d = f;
    a->no_descent_yet = false;
    const bool is_iteration = r->result->evaluations - a->evaluations_at_iteration >= EVALUATIONS_PER_ITERATION;
    if (!is_iteration && !dlg_session_is_running_out(r) && !dlg_session_is_interrupted(r)) return false;
    dlg_descent_add(&a->descent, f);
    r->result->iterations++;
    const bool moved = place_labels(a, x);
    a->have_labels_come = have_labels_come(a);
    dlg_session_decode(r, x);
    dlg_session_distance_of_tokens(r);
    r->iteration = a->descent.iteration;
    a->descent.stable = r->stable;
    dlg_session_report(r);
    a->evaluations_at_iteration = r->result->evaluations;
    a->is_over = is_over(a);
    const bool is_anothers_turn = take_turns(r);
    return a->is_over || a->have_labels_come || moved || is_anothers_turn;
}

/* Draw the dummy embeddings, but for the certain tokens of the start before this one, which begin where they belong. */
static void draw(attack *a)
{
    dlg_session *r = a->r;
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model);
    const size_t H = r->gradient->model->config.hidden_size;
    const uint32_t stream = dlg_random_stream("dummy embeddings") + (uint32_t)r->start;
    dlg_random_normal_fill(r->point, r->n_numbers, r->embedding_deviation, r->options->seed, stream);
    if (!a->keeps_labels) dlg_label_assignment_start(&r->placement, r->knowledge->placed);
    for (size_t i = 0; a->n_certain && i < r->n_rows; i++)
        if (dlg_evidence_is_good(&r->evidence[i]) && !r->is_known[i])
            memcpy(r->point + i * H, table + (size_t)r->fed[i] * H, H * sizeof *table);
    dlg_session_hold_known_rows(r);
    dlg_session_unknowns(r, a->x);
}

/* Whether the next start can build on the tokens that are certain. */
static bool keeps_tokens(const attack *a, size_t n_free)
{
    return a->restart == DLG_KEEP_CERTAIN && a->descent.iteration && a->r->placement.placed && a->n_certain < n_free &&
           FEW_CERTAIN * a->n_certain >= n_free && a->fruitless < FRUITLESS_STARTS;
}

static void note_next(const attack *a, size_t n_free)
{
    const dlg_session *r = a->r;
    if (r->start == r->options->max_starts) return;
    char line[224], what[96], next[96];
    if (!a->descent.iteration) snprintf(what, sizeof what, "found no way down");
    else if (a->have_labels_come && !a->keeps_labels) snprintf(what, sizeof what, "brought the labels to no places");
    else
        snprintf(what, sizeof what, "%s after %zu iterations at distance %.2e",
                 a->descent.iteration >= r->options->max_iterations ? "used up its iterations" : "stalled",
                 a->descent.iteration, r->d);
    if (a->n_certain)
        snprintf(next, sizeof next, "keeps the tokens that are certain, %zu of %zu", a->n_certain, n_free);
    else
        snprintf(next, sizeof next, "is drawn anew%s",
                 a->keeps_labels && !r->is_defended ? " but for the labels' places" : "");
    snprintf(line, sizeof line, "start %zu %s; start %zu %s", r->start, what, r->start + 1, next);
    dlg_session_note(r, line);
}

/* A start is over without having explained anything: choose what the next one keeps. */
static void choose_next(attack *a)
{
    const dlg_session *r = a->r;
    size_t n_free = 0;
    a->n_certain = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        n_free += !r->is_known[i];
        a->n_certain += !r->is_known[i] && dlg_evidence_is_good(&r->evidence[i]);
    }
    const bool is_lower = r->d < 0.9 * a->lowest;
    a->fruitless = is_lower ? 0 : a->fruitless + 1;
    a->lowest = is_lower ? r->d : a->lowest;
    const bool labels_failed = a->have_labels_come || a->n_with_labels == STARTS_WITH_LABELS;
    if (labels_failed || !keeps_tokens(a, n_free)) {
        a->n_certain = a->fruitless = 0;
        a->lowest = INFINITY;
    }
    a->keeps_labels = r->is_defended ? a->n_certain : a->n_with_labels && !labels_failed;
    if (labels_failed) a->n_with_labels = 0;
    note_next(a, n_free);
}

/* Labels moved: so do their masks. */
static void hold(attack *a)
{
    dlg_session_set_point(a->r, a->x);
    dlg_session_hold_known_rows(a->r);
    dlg_session_unknowns(a->r, a->x);
}

/* Put the labels where they have come to. @return whether these are places: the embeddings are then drawn anew, with
 * the labels there */
static bool settle_labels(attack *a)
{
    dlg_session *r = a->r;
    dlg_session_set_point(r, a->x);
    dlg_sinkhorn_apply(&a->soft, a->x + r->n_unknowns, r->point);
    dlg_sinkhorn_settle(&a->soft, r->label_derivative);
    dlg_session_hold_known_rows(r);
    a->is_soft = false;
    if (!(dlg_session_distance_at_point(r, r->placement.share) < leap * r->d)) return false;
    a->have_labels_come = false;
    a->keeps_labels = true;
    dlg_descent_begin_anew(&a->descent);
    draw(a);
    return true;
}

/* The start is over: over noise single tokens may be wrong, in a text that has settled too. */
static dlg_status replace_singles(attack *a, dlg_error *err)
{
    dlg_session *r = a->r;
    if (!r->replaces || !r->placement.placed || !a->descent.iteration || dlg_session_is_interrupted(r)) return DLG_OK;
    const dlg_status status = dlg_token_substitution_try(r, DLG_ALL_ROWS, err);
    if (status) return status;
    dlg_session_report(r);
    if (!a->found && dlg_session_is_explained_to_noise(r)) end_with(a, DLG_SETTLED);
    return DLG_OK;
}

/*
 * Whether the gradient is the mean loss' own or a multiple of it cannot be told before there is a text: every second
 * start fits the factor, as the cosine does, but one for all tensors.
 */
static void choose_factor(attack *a)
{
    dlg_session *r = a->r;
    const double known = r->knowledge->factor;
    r->loss.softmax.factor = known != 0 ? known : 1;
    r->fits_factor = known != 0 || r->start % 2 == 0;
    r->fits_factor &= r->options->distance == &dlg_l2;
}

static dlg_status run_start(attack *a, dlg_error *err)
{
    dlg_session *r = a->r;
    dlg_function function = {r->n_unknowns, evaluate, accept, a};
    choose_factor(a);
    draw(a);
    dlg_descent_begin(&a->descent);
    a->is_over = a->have_labels_come = false;
    a->turns_without_descent = 0;
    if (r->options->update == DLG_UPDATE_SENTENCE) r->turn = 0;
    a->is_soft = !r->placement.placed && !r->is_defended;
    memset(a->x + r->n_unknowns, 0, dlg_sinkhorn_size(&a->soft) * sizeof *a->x);
    r->d = INFINITY;
    a->evaluations_at_iteration = r->result->evaluations;
    for (;;) {
        dlg_minimise_end end;
        a->no_descent_yet = true;
        function.n = r->n_unknowns + (a->is_soft ? dlg_sinkhorn_size(&a->soft) : 0);
        const dlg_status status = r->options->minimiser->run(&end, &function, a->x, err);
        if (status) return status;
        a->turns_without_descent = end == DLG_NO_DESCENT && a->no_descent_yet ? a->turns_without_descent + 1 : 0;
        if (a->turns_without_descent && a->turns_without_descent < r->batch.n_sentences && take_turns(r)) continue;
        if (a->turns_without_descent) { /* not even from a fresh beginning: this is as low as it goes */
            if (a->descent.iteration && is_settled(a, true)) end_with(a, DLG_SETTLED);
            break;
        }
        if (a->found) break;
        if (a->have_labels_come) {
            if (!settle_labels(a)) break;
            continue;
        }
        if (a->is_over) break;
        hold(a);
    }
    a->n_with_labels += a->keeps_labels;
    const dlg_status status = replace_singles(a, err);
    if (!status && !a->found) choose_next(a);
    return status;
}

static void carve(attack *a)
{
    a->x = dlg_arena_carve(&a->arena, a->r->n_unknowns + dlg_sinkhorn_size(&a->soft), sizeof *a->x);
    dlg_sinkhorn_carve(&a->soft, &a->arena);
    a->descent.history = dlg_arena_carve(&a->arena, a->r->options->max_iterations + 1, sizeof *a->descent.history);
}

dlg_status dlg_descend(dlg_session *r, dlg_restart restart, dlg_error *err)
{
    attack a = {.r = r,
                .restart = restart,
                .end = DLG_EXHAUSTED,
                .lowest = INFINITY,
                .n_certain = dlg_session_count_certain(r)};
    a.keeps_labels = a.n_certain && r->is_defended;
    a.descent = (dlg_descent){.scale = r->scale, .floor = r->floor, .is_defended = r->is_defended};
    a.soft = (dlg_sinkhorn){.placement = &r->placement,
                            .row = r->knowledge->rows,
                            .mask = dlg_session_mask(r),
                            .width = r->gradient->model->config.hidden_size,
                            .factor = soft_factor / r->embedding_deviation};
    carve(&a);
    dlg_status status = dlg_arena_reserve(&a.arena, "descent", err);
    if (!status) carve(&a);
    for (; !status && !a.found && r->start < r->options->max_starts;) {
        if (dlg_session_is_interrupted(r)) {
            end_with(&a, DLG_INTERRUPTED);
            break;
        }
        r->start++;
        dlg_attack_doing(r->observer, "descent: start %zu of %zu", r->start, r->options->max_starts);
        status = run_start(&a, err);
    }
    r->result->end = a.end;
    if (!status && a.end == DLG_SETTLED) status = dlg_token_doubts_find(r, err);
    dlg_arena_release(&a.arena);
    return status;
}

dlg_status dlg_descent_attack(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                              const dlg_attack_options *options, const dlg_attack_observer *observer,
                              dlg_restart restart, dlg_error *err)
{
    dlg_session r;
    dlg_status status = dlg_session_begin(&r, out, analysis, knowledge, options, observer, err);
    if (!status) status = dlg_descend(&r, restart, err);
    dlg_session_end(&r);
    return status;
}

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    return dlg_descent_attack(out, analysis, knowledge, options, observer, DLG_KEEP_CERTAIN, err);
}

const dlg_attack_class dlg_attack_dlg = {
    "dlg", "Deep Leakage from Gradients (Zhu et al. 2019), labels inferred", &dlg_l2, &dlg_lbfgs, false, run};
