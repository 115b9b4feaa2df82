#include "attacks/session/session.h"

#include "attacks/session/descent.h"
#include "base/clock.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

bool dlg_session_is_interrupted(const dlg_session *r)
{
    return dlg_attack_is_interrupted(r->observer);
}

void dlg_session_note(const dlg_session *r, const char *line)
{
    dlg_attack_note(r->observer, line);
}

/* ---- points ---- */

void dlg_session_set_point(dlg_session *r, const double *x)
{
    if (r->space) {
        dlg_input_space_embed(r->space, x, r->point);
        return;
    }
    for (size_t i = 0; i < r->n_numbers; i++) r->point[i] = (dlg_real)x[i];
}

void dlg_session_unknowns(dlg_session *r, double *x)
{
    if (r->space) {
        dlg_input_space_project(r->space, r->point, x);
        return;
    }
    for (size_t i = 0; i < r->n_numbers; i++) x[i] = (double)r->point[i];
}

const dlg_real *dlg_session_mask(const dlg_session *r)
{
    const dlg_model *model = r->gradient->model;
    const dlg_knowledge *k = r->knowledge;
    if (model->config.task != DLG_MASKED_LM || !k->masks_are_seen) return NULL;
    return dlg_model_word_embeddings(model) + (size_t)k->special.mask * model->config.hidden_size;
}

static void hold_row(dlg_session *r, size_t row, const dlg_real *embedding)
{
    const size_t H = r->gradient->model->config.hidden_size;
    memcpy(r->point + row * H, embedding, H * sizeof *embedding);
    r->is_known[row] = true;
}

void dlg_session_hold_known_rows(dlg_session *r)
{
    const dlg_knowledge *k = r->knowledge;
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model), *mask = dlg_session_mask(r);
    const size_t H = r->gradient->model->config.hidden_size;
    const bool ends = dlg_special_tokens_all_end(k->special) && k->lengths_from != DLG_ASSUMED;
    memset(r->is_known, 0, r->n_rows * sizeof *r->is_known);
    for (size_t b = 0; b < r->batch.n_sentences; b++) {
        const size_t first = r->batch.first[b], last = r->batch.first[b + 1] - 1;
        if (dlg_special_tokens_all_begin(k->special)) hold_row(r, first, table + (size_t)k->special.begin * H);
        if (ends) hold_row(r, last, table + (size_t)k->special.end * H);
    }
    for (size_t i = 0; mask && k->n_rows == k->n_labels && i < k->n_rows; i++) hold_row(r, k->rows[i], mask);
    for (size_t j = 0; mask && r->placement.placed && j < k->n_labels; j++)
        hold_row(r, k->rows[r->placement.row_of[j]], mask);
}

/* Rows that are known, or belong to a sentence that is not in turn, stay where they are. */
static void still_rows(dlg_session *r)
{
    const size_t H = r->gradient->model->config.hidden_size;
    for (size_t b = 0; b < r->batch.n_sentences; b++)
        for (size_t i = r->batch.first[b]; i < r->batch.first[b + 1]; i++)
            if (r->is_known[i] || (r->turn != b && r->turn < r->batch.n_sentences))
                memset(r->derivative + i * H, 0, H * sizeof *r->derivative);
}

bool dlg_session_pull_back(dlg_session *r, double *dx)
{
    bool finite = true;
    still_rows(r);
    if (r->space) dlg_input_space_pull_back(r->space, r->derivative, dx);
    else
        for (size_t i = 0; i < r->n_numbers; i++) dx[i] = (double)r->derivative[i];
    for (size_t i = 0; i < r->n_unknowns; i++) finite &= isfinite(dx[i]) != 0;
    return finite;
}

double dlg_session_evaluate(dlg_session *r, const double *x, double *dx)
{
    dlg_session_set_point(r, x);
    const double d = dlg_session_evaluate_point(r);
    return dlg_session_pull_back(r, dx) ? d : NAN;
}

void dlg_session_find_label_derivative(dlg_session *r)
{
    dlg_oracle_label_derivative(r->oracle, r->label_derivative);
}

bool dlg_session_place_labels_at_point(dlg_session *r)
{
    if (r->knowledge->placed) return false;
    dlg_session_find_label_derivative(r);
    for (size_t i = 0; i < r->placement.n_rows * r->placement.n_labels; i++)
        if (!isfinite(r->label_derivative[i])) return false;
    if (!dlg_label_assignment_propose(&r->placement, r->label_derivative)) return false;
    if (r->placement.placed && !(dlg_session_distance_at_point(r, r->placement.proposed_share) < r->d)) return false;
    dlg_label_assignment_accept(&r->placement);
    return true;
}

bool dlg_session_place_labels(dlg_session *r, const double *x)
{
    dlg_session_set_point(r, x);
    return dlg_session_place_labels_at_point(r);
}

/* ---- tokens ---- */

void dlg_session_decode(dlg_session *r, const double *x)
{
    dlg_session_set_point(r, x);
    dlg_nearest_find(r->nearest, r->point, r->check, r->fed, r->evidence);
    dlg_session_put_labels_back(r);
}

void dlg_session_put_labels_back(dlg_session *r)
{
    memcpy(r->last_tokens, r->tokens, r->n_rows * sizeof *r->tokens);
    memcpy(r->tokens, r->fed, r->n_rows * sizeof *r->tokens);
    memset(r->predicted, 0, r->n_rows * sizeof *r->predicted);
    const bool is_mlm = r->gradient->model->config.task == DLG_MASKED_LM;
    for (size_t j = 0; is_mlm && r->placement.placed && j < r->placement.n_labels; j++) {
        const size_t row = r->knowledge->rows[r->placement.row_of[j]];
        r->tokens[row] = (uint32_t)r->placement.label[j];
        r->predicted[row] = true;
    }
    bool any = false;
    for (size_t i = 0; i < r->n_rows; i++) any |= r->changed[i] = r->tokens[i] != r->last_tokens[i];
    r->stable = any ? 0 : r->stable + 1;
}

void dlg_session_set_tokens(dlg_session *r)
{
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model);
    const size_t H = r->gradient->model->config.hidden_size;
    for (size_t i = 0; i < r->n_rows; i++) memcpy(r->point + i * H, table + (size_t)r->fed[i] * H, H * sizeof *table);
}

size_t dlg_session_count_certain(const dlg_session *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++) n += dlg_evidence_is_good(&r->evidence[i]);
    return n;
}

/* ---- the best, and the observer ---- */

static dlg_attack_state state_of(const dlg_session *r)
{
    dlg_loss loss = r->loss;
    loss.softmax.factor = r->factor_of_tokens;
    return (dlg_attack_state){
        .start = r->start,
        .iteration = r->iteration,
        .iterations = r->result->iterations,
        .evaluations = r->result->evaluations,
        .distance = r->d,
        .distance_of_tokens = r->d_tokens,
        .scale = r->scale,
        .explanation = r->explanation,
        .loss = loss,
        .seconds = dlg_clock_now() - r->result->begun_s,
        .knowledge = r->knowledge,
        .fed = r->fed,
        .tokens = r->tokens,
        .predicted = r->predicted,
        .changed = r->changed,
        .evidence = r->evidence,
    };
}

/* By the distance of the tokens; where neither has one, by that of the embeddings. Distances are parts of the same
 * gradient's. */
static bool is_better(const dlg_attack_state *a, const dlg_attack_state *b)
{
    if (!b->tokens) return true;
    if (isfinite(a->distance_of_tokens) || isfinite(b->distance_of_tokens))
        return a->distance_of_tokens < b->distance_of_tokens;
    return a->distance < b->distance;
}

static void keep_if_best(dlg_session *r, const dlg_attack_state *state)
{
    if (!is_better(state, &r->best)) return;
    dlg_evidence *evidence = r->memory;
    uint32_t *fed = (uint32_t *)(evidence + r->n_rows), *tokens = fed + r->n_rows;
    bool *predicted = (bool *)(tokens + r->n_rows), *changed = predicted + r->n_rows;
    r->best = *state;
    memcpy(evidence, r->evidence, r->n_rows * sizeof *evidence);
    memcpy(fed, r->fed, r->n_rows * sizeof *fed);
    memcpy(tokens, r->tokens, r->n_rows * sizeof *tokens);
    memcpy(predicted, r->predicted, r->n_rows * sizeof *predicted);
    r->best.fed = fed;
    r->best.tokens = tokens;
    r->best.predicted = predicted;
    r->best.changed = changed;
    r->best.evidence = evidence;
}

void dlg_session_renew_evidence(dlg_session *r)
{
    if (r->best.tokens && !memcmp(r->best.fed, r->fed, r->n_rows * sizeof *r->fed) &&
        !memcmp(r->best.tokens, r->tokens, r->n_rows * sizeof *r->tokens))
        memcpy(r->memory, r->evidence, r->n_rows * sizeof *r->evidence);
}

void dlg_session_report(dlg_session *r)
{
    dlg_session_explain(r);
    const dlg_attack_state state = state_of(r);
    keep_if_best(r, &state);
    if (r->observer && r->observer->iteration) r->observer->iteration(r->observer->payload, &state);
}

/* ---- begin and end ---- */

static void carve(dlg_session *r)
{
    const size_t n = r->n_numbers;
    dlg_arena *arena = &r->arena;
    r->point = dlg_arena_carve(arena, n, sizeof *r->point);
    r->derivative = dlg_arena_carve(arena, n, sizeof *r->derivative);
    dlg_label_assignment_carve(&r->placement, arena);
    r->label_derivative =
        dlg_arena_carve(arena, r->placement.n_rows * r->placement.n_labels, sizeof *r->label_derivative);
    r->evidence = dlg_arena_carve(arena, r->n_rows, sizeof *r->evidence);
    r->is_known = dlg_arena_carve(arena, r->n_rows, sizeof *r->is_known);
    r->fed = dlg_arena_carve(arena, r->n_rows, sizeof *r->fed);
    r->tokens = dlg_arena_carve(arena, r->n_rows, sizeof *r->tokens);
    r->last_tokens = dlg_arena_carve(arena, r->n_rows, sizeof *r->last_tokens);
    r->predicted = dlg_arena_carve(arena, r->n_rows, sizeof *r->predicted);
    r->changed = dlg_arena_carve(arena, r->n_rows, sizeof *r->changed);
}

static dlg_status copy_knowledge(dlg_session *r, const dlg_knowledge *knowledge, dlg_error *err)
{
    r->knowledge = dlg_allocate(1, sizeof *r->knowledge);
    if (!r->knowledge) return dlg_fail(err, DLG_ENOMEM, "attack: no memory");
    return dlg_knowledge_copy(r->knowledge, knowledge, err);
}

dlg_status dlg_session_begin(dlg_session *r, dlg_attack_result *result, dlg_analysis *analysis,
                             const dlg_knowledge *knowledge, const dlg_attack_options *options,
                             const dlg_attack_observer *observer, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    const dlg_config *config = &gradient->model->config;
    const dlg_real *table = dlg_model_word_embeddings(gradient->model);
    *r = (dlg_session){.analysis = analysis,
                       .gradient = gradient,
                       .options = options,
                       .observer = observer,
                       .result = result,
                       .loss = {.softmax = {.factor = knowledge->factor != 0 ? knowledge->factor : 1}},
                       .fits_factor = knowledge->factor != 0 && options->distance == &dlg_l2,
                       .d = INFINITY,
                       .d_tokens = INFINITY};
    dlg_status status = copy_knowledge(r, knowledge, err);
    if (!status) status = dlg_knowledge_lay_out(&r->batch, config->task, knowledge, err);
    if (!status)
        status = dlg_oracle_create(&r->oracle, options->journal, gradient, &r->batch, knowledge->n_labels,
                                   options->distance, err);
    if (status) return status;
    const dlg_objective *objective = dlg_oracle_objective(r->oracle);
    r->factor_of_tokens = r->loss.softmax.factor;
    r->n_rows = r->batch.n_rows;
    r->turn = r->batch.n_sentences;
    r->n_numbers = r->n_unknowns = dlg_objective_size(objective);
    r->placement = (dlg_label_assignment){
        .n_rows = r->batch.n_predicted, .n_labels = knowledge->n_labels, .label = r->knowledge->labels};
    r->scale = dlg_objective_scale(objective);
    r->floor = dlg_objective_floor(objective);
    r->noise = dlg_objective_noise(objective);
    r->embedding_deviation = dlg_deviation(config->vocabulary_size * config->hidden_size, table);
    status = dlg_nearest_create(&r->nearest, table, config->vocabulary_size, config->hidden_size, r->n_rows, err);
    if (status) return status;
    carve(r);
    status = dlg_arena_reserve(&r->arena, "attack", err);
    if (status) return status;
    carve(r);
    dlg_label_assignment_start(&r->placement, knowledge->placed);
    r->memory = dlg_allocate(r->n_rows, sizeof *r->evidence + 2 * sizeof *r->fed + 2 * sizeof *r->predicted);
    if (!r->memory) return dlg_fail(err, DLG_ENOMEM, "attack: no memory");
    dlg_objective_targets(objective, &result->n_dense, &result->n_targets);
    /* One or two can be full of rounding where a head's rows nearly cancel; a defence touches them all. */
    r->is_defended = result->n_targets && 2 * result->n_dense >= result->n_targets;
    return DLG_OK;
}

static void hand_over(dlg_session *r)
{
    dlg_attack_result *to = r->result;
    dlg_free(to->first);
    dlg_free(to->memory);
    if (to->knowledge) dlg_knowledge_release(to->knowledge);
    dlg_free(to->knowledge);
    to->state = r->best;
    to->n_rows = r->n_rows;
    to->n_sentences = r->batch.n_sentences;
    to->first = r->batch.first;
    to->knowledge = r->knowledge;
    to->memory = r->memory;
    r->batch.first = NULL;
    r->knowledge = NULL;
    r->memory = NULL;
}

void dlg_session_end(dlg_session *r)
{
    if (r->best.tokens && is_better(&r->best, &r->result->state)) hand_over(r);
    if (r->knowledge) dlg_knowledge_release(r->knowledge);
    dlg_free(r->knowledge);
    dlg_free(r->memory);
    dlg_batch_release(&r->batch);
    dlg_oracle_free(r->oracle);
    dlg_nearest_free(r->nearest);
    dlg_position_check_free(r->check);
    dlg_input_space_free(r->space);
    dlg_arena_release(&r->arena);
    *r = (dlg_session){0};
}
