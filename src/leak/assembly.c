#include "leak/assembly.h"

#include "leak/moves.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <string.h>

enum {
    EVALUATIONS_PER_ITERATION = 20,
    STALLED_AFTER = 3,  /* iterations in which D has not fallen by `stalled` */
    MOST_ITERATIONS = 25,
    MOVES_TRIED = 24
};

static const double stalled = 0.7;

/* How unlike the weights of a row begin, as a part of the even weight: alike, the sentences would stay alike. */
static const double unlike = 0.5;

typedef struct {
    dlg_recovery *r;
    const dlg_choices *choices;
    size_t n_weights;      /* of rows that have a choice */
    size_t n_shares;       /* (rows that may hold a label, labels), behind the weights; none where labels are known */
    double *weights, *x, *dx;
    dlg_real *drawn, *costs;
    dlg_arena arena;
    size_t iteration, evaluations_at_iteration;
    double history[MOST_ITERATIONS + 1];
    bool is_over, no_descent_yet;
} assembly;

static size_t count(const dlg_choices *c, size_t row)
{
    return c->first[row + 1] - c->first[row];
}

static void carve(assembly *a)
{
    a->weights = dlg_arena_carve(&a->arena, a->n_weights + a->n_shares + 1, sizeof *a->weights);
    a->costs = dlg_arena_carve(&a->arena, a->n_shares + 1, sizeof *a->costs);
    a->drawn = dlg_arena_carve(&a->arena, a->n_weights + 1, sizeof *a->drawn);
    a->x = dlg_arena_carve(&a->arena, a->r->n_numbers, sizeof *a->x);
    a->dx = dlg_arena_carve(&a->arena, a->r->n_numbers, sizeof *a->dx);
}

static const dlg_real *embedding(const assembly *a, uint32_t token)
{
    const dlg_model *model = a->r->gradient->model;
    return dlg_model_word_embeddings(model) + (size_t)token * model->config.hidden_size;
}

static bool is_mask(const assembly *a, uint32_t token)
{
    return a->r->gradient->model->config.task == DLG_MASKED_LM && token == a->r->knowledge->markers.mask;
}

/* The share of all labels that a row holds, where it may hold any. */
static double share_of_row(const assembly *a, const double *shares, size_t row)
{
    const dlg_placement *p = &a->r->placement;
    double sum = 0;
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t j = 0; a->r->knowledge->rows[i] == row && j < p->n_labels; j++) sum += shares[i * p->n_labels + j];
    return sum;
}

/* x of the rows that have a choice; what a row holds of labels is what it holds of [MASK] */
static void mix(assembly *a, const double *weights)
{
    const size_t H = a->r->gradient->model->config.hidden_size;
    for (size_t i = 0, w = 0; i < a->r->n_rows; i++) {
        if (count(a->choices, i) == 1) continue;
        memset(a->x + i * H, 0, H * sizeof *a->x);
        for (size_t k = a->choices->first[i]; k < a->choices->first[i + 1]; k++, w++) {
            const dlg_real *e = embedding(a, a->choices->token[k]);
            const bool follows = a->n_shares && is_mask(a, a->choices->token[k]);
            const double weight = follows ? share_of_row(a, weights + a->n_weights, i) : weights[w];
            for (size_t h = 0; h < H; h++) a->x[i * H + h] += weight * (double)e[h];
        }
    }
    for (size_t i = 0; i < a->n_shares; i++) a->r->placement.share[i] = (dlg_real)weights[a->n_weights + i];
}

static double along(const assembly *a, size_t row, uint32_t token)
{
    const size_t H = a->r->gradient->model->config.hidden_size;
    const dlg_real *e = embedding(a, token);
    double sum = 0;
    for (size_t h = 0; h < H; h++) sum += a->dx[row * H + h] * (double)e[h];
    return sum;
}

static double evaluate(void *payload, const double *weights, double *derivative)
{
    assembly *a = payload;
    const dlg_placement *p = &a->r->placement;
    mix(a, weights);
    const double d = dlg_recovery_evaluate(a->r, a->x, a->dx);
    double *to_shares = derivative + a->n_weights;
    if (a->n_shares) dlg_recovery_find_label_derivative(a->r);
    for (size_t i = 0; i < a->n_shares; i++) to_shares[i] = (double)a->r->label_derivative[i];
    for (size_t i = 0, w = 0; i < a->r->n_rows; i++) {
        if (count(a->choices, i) == 1) continue;
        for (size_t k = a->choices->first[i]; k < a->choices->first[i + 1]; k++, w++) {
            const double slope = along(a, i, a->choices->token[k]);
            const bool follows = a->n_shares && is_mask(a, a->choices->token[k]);
            derivative[w] = follows ? 0 : slope;
            for (size_t m = 0; follows && m < p->n_rows; m++)
                for (size_t j = 0; a->r->knowledge->rows[m] == i && j < p->n_labels; j++) to_shares[m * p->n_labels + j] += slope;
        }
    }
    return d;
}

/* Labels go where they have most of their shares. */
static void round_shares(assembly *a, const double *shares)
{
    for (size_t i = 0; i < a->n_shares; i++) a->costs[i] = (dlg_real)-shares[i];
    dlg_placement_propose(&a->r->placement, a->costs);
    dlg_placement_accept(&a->r->placement);
}

static bool holds_label(const assembly *a, size_t row)
{
    const dlg_placement *p = &a->r->placement;
    for (size_t j = 0; j < p->n_labels; j++)
        if (a->r->knowledge->rows[p->row_of[j]] == row) return true;
    return false;
}

/* Every row's heaviest choice; [MASK] where there is a label, and only there. */
static void choose(assembly *a, const double *weights)
{
    if (a->n_shares) round_shares(a, weights + a->n_weights);
    for (size_t i = 0, w = 0; i < a->r->n_rows; i++) {
        const size_t first = a->choices->first[i], n = count(a->choices, i);
        size_t best = first;
        double most = -INFINITY;
        for (size_t k = 0; n > 1 && k < n; k++) {
            double weight = weights[w + k];
            if (a->n_shares && is_mask(a, a->choices->token[first + k])) weight = holds_label(a, i) ? INFINITY : -1e300;
            if (weight > most) most = weight, best = first + k;
        }
        a->r->fed[i] = a->choices->token[best];
        if (n > 1) w += n;
    }
}

static void report(assembly *a)
{
    for (size_t i = 0; i < a->r->n_rows; i++) {
        const size_t n = count(a->choices, i);
        a->r->evidence[i] = (dlg_evidence){n > 1 ? DLG_FROM_DESCENT : DLG_FROM_READING, n, NAN, NAN};
    }
    dlg_recovery_put_labels_back(a->r);
    a->r->result->iterations++;
    a->r->iteration = a->iteration;
    dlg_recovery_report(a->r);
}

static bool is_over(const assembly *a)
{
    const size_t i = a->iteration;
    if (dlg_recovery_is_explained(a->r) || dlg_recovery_is_interrupted(a->r) || i == MOST_ITERATIONS) return true;
    return i > STALLED_AFTER && a->history[i] > stalled * a->history[i - STALLED_AFTER];
}

static bool accept(void *payload, const double *weights, double f)
{
    assembly *a = payload;
    dlg_recovery *r = a->r;
    r->d = f;
    a->no_descent_yet = false;
    const bool is_iteration = r->result->evaluations - a->evaluations_at_iteration >= EVALUATIONS_PER_ITERATION;
    if (!is_iteration && !dlg_recovery_is_interrupted(r)) return false;
    a->history[++a->iteration] = f;
    mix(a, weights);
    const bool moved = !a->n_shares && dlg_recovery_place_labels(r, a->x);
    choose(a, weights);
    dlg_recovery_distance_of_tokens(r);
    report(a);
    a->evaluations_at_iteration = r->result->evaluations;
    a->is_over = is_over(a);
    return a->is_over || moved;
}

static void begin(assembly *a)
{
    dlg_recovery *r = a->r;
    const size_t H = r->gradient->model->config.hidden_size;
    dlg_random_normal_fill(a->drawn, a->n_weights, 1, r->options->seed, dlg_random_stream("assembly") + (uint32_t)r->start);
    for (size_t i = 0, w = 0; i < r->n_rows; i++) {
        const size_t n = count(a->choices, i);
        for (size_t h = 0; n == 1 && h < H; h++) a->x[i * H + h] = (double)embedding(a, a->choices->token[a->choices->first[i]])[h];
        for (size_t k = 0; n > 1 && k < n; k++, w++) a->weights[w] = (1 + unlike * (double)a->drawn[w]) / (double)n;
    }
    dlg_placement_start(&r->placement, r->knowledge->placed);
    for (size_t i = 0; i < a->n_shares; i++) a->weights[a->n_weights + i] = 1 / (double)r->placement.n_rows;
    a->iteration = 0;
    a->is_over = false;
    a->evaluations_at_iteration = r->result->evaluations;
}

/* Where no row has a choice: labels get their places at the tokens. */
static void place_at_tokens(assembly *a)
{
    dlg_placement_start(&a->r->placement, a->r->knowledge->placed);
    for (size_t i = 0; i < a->r->n_rows; i++) a->r->fed[i] = a->choices->token[a->choices->first[i]];
    if (a->r->knowledge->placed) return;
    a->r->d = dlg_recovery_evaluate(a->r, a->x, a->dx);
    dlg_recovery_place_labels(a->r, a->x);
}

static dlg_status run_start(assembly *a, dlg_error *err)
{
    const dlg_function function = {a->n_weights + a->n_shares, evaluate, accept, a};
    begin(a);
    if (!a->n_weights) place_at_tokens(a);
    while (a->n_weights && !a->is_over) {
        dlg_minimise_end end;
        a->no_descent_yet = true;
        const dlg_status status = dlg_lbfgs.run(&end, &function, a->weights, err);
        if (status) return status;
        if (end == DLG_NO_DESCENT && a->no_descent_yet) break;
    }
    if (a->n_weights) choose(a, a->weights);
    dlg_recovery_distance_of_tokens(a->r);
    if (!a->n_weights) a->r->d = a->r->d_tokens; /* x are their embeddings */
    if (dlg_recovery_is_explained(a->r) || dlg_recovery_is_interrupted(a->r) || !a->r->placement.placed) {
        report(a);
        return DLG_OK;
    }
    const dlg_status status = dlg_moves_improve(a->r, a->choices, MOVES_TRIED, err);
    if (!status) report(a);
    return status;
}

dlg_status dlg_assemble(dlg_recovery *r, const dlg_choices *choices, size_t n_starts, bool *explained, dlg_error *err)
{
    assembly a = {.r = r, .choices = choices};
    *explained = false;
    for (size_t i = 0; i < r->n_rows; i++) a.n_weights += count(choices, i) > 1 ? count(choices, i) : 0;
    const bool is_mlm = r->gradient->model->config.task == DLG_MASKED_LM;
    if (is_mlm && !r->knowledge->placed && r->placement.n_rows > 1) a.n_shares = r->placement.n_rows * r->placement.n_labels;
    carve(&a);
    dlg_status status = dlg_arena_reserve(&a.arena, "assembly", err);
    if (!status) carve(&a);
    for (r->start = 1; !status && r->start <= (a.n_weights ? n_starts : 1) && !dlg_recovery_is_interrupted(r); r->start++) {
        r->d_tokens = INFINITY;
        status = run_start(&a, err);
        *explained = !status && dlg_recovery_is_explained(r);
        if (*explained) break;
    }
    dlg_arena_release(&a.arena);
    return status;
}
