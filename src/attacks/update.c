/*
 * Where what was shared is no gradient but what a training made of the weights: the text of steps on one sentence is
 * read off the rows of the embeddings that it moved (analytic/tokens/update_text.h), which asks for a classifier or an
 * untied decoder. Then the steps are taken again on that text: what they make of the weights is compared with what was
 * shared, entry by entry. That says which class it had, settles what is in doubt, and confirms the text.
 */
#include "attacks/update.h"

#include "base/clock.h"
#include "analytic/tokens/update_text.h"
#include "attacks/classes.h"
#include "attacks/session/session.h"
#include "gradient/update.h"
#include "math/blas.h"
#include "math/tolerance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_CLASSES = 16, /* tried each; of more those that a bias entry's sign names */
    MOST_TRIES = 400,  /* texts whose steps are taken again, while single tokens are in doubt */
    MOST_STEPS = 100,  /* taken again for one text */
    NEXT_BEST = 3      /* tokens tried at a position */
};

/* An entry of AdamW's, which is g / (|g| + eps), moved when it is more than this, and otherwise when it is off by so
 * much. */
static const double moved = 0.5;

/* A token is in doubt where another scores nearly as well. */
static const double doubt = 0.35;

/*
 * Of the entries that moved the right text leaves fewer than this with another sign or size: those near AdamW's eps,
 * where rounding decides. Over 20 sentences on trained classifiers of 128 x 2 and 256 x 4 the right text left none, and
 * one with a word in another place 2.5e-3, at least.
 */
static const double few = 5e-4;

/* Of a gradient that is known up to the rounding of weights: how much more than that the right text may leave, by
 * squares. */
static const double noise_blur = 1.1;

typedef struct {
    dlg_analysis *analysis;
    const dlg_gradient *gradient;
    const dlg_attack_observer *observer;
    const dlg_knowledge *knowledge;
    dlg_special_tokens special;
    const dlg_update_tokens *bag;
    dlg_update_text match;
    dlg_batch batch;
    uint32_t *fed;
    size_t *choice;    /* indices into the bag */
    size_t *n_fitting; /* (length) other tokens that would do as well */
    size_t class, n_tries, most_tries;
    double sign; /* -1: the difference was taken the other way round */
    double tries_s;
    /* of the best: 1 is the most that is explained; what it leaves, as a part of all; and of which multiple */
    double misfit, left, factor;
    double other_factor; /* with the other of two classes as good; 0: with none */
} attack;

/* What taking the step again on a text leaves, and by what its gradient is multiplied. */
typedef struct {
    double misfit, left, factor;
} rest;

bool dlg_update_is_all(const dlg_gradient *gradient)
{
    return dlg_training_hides_sizes(&gradient->training);
}

/* ---- the step, taken again ---- */

/* Entries of AdamW's that moved otherwise than in g, of those that moved in either. */
static rest compare_signs(const attack *a, const dlg_gradient *g)
{
    const double decay = a->bag->decay;
    double n_other = 0, n_all = 0;
    for (size_t i = 0; i < g->n; i++) {
        const dlg_parameter *p = &g->model->parameters[i];
        const dlg_real *shared = a->gradient->values[i];
        for (size_t k = 0; shared && k < dlg_parameter_items(p); k++) {
            const double want = a->sign * (double)g->values[i][k];
            const double found = (double)shared[k] - decay * (double)p->value[k];
            if (fabs(want) < moved && fabs(found) < moved) continue;
            n_all++;
            n_other += fabs(want - found) > moved;
        }
    }
    const double left = n_all > 0 ? n_other / n_all : 1;
    return (rest){left / few, left, a->sign};
}

/* What of the shared numbers no multiple of the gradient g of that sign makes, in units of what their rounding would
 * leave. */
static rest compare_sizes(const attack *a, const dlg_gradient *g)
{
    const dlg_config *config = &g->model->config;
    const double exact = dlg_tolerance_explained(a->gradient->roundoff, config->hidden_size, config->n_layers);
    const double n_roundings = a->gradient->training.n_steps > 1 ? 2 : 1; /* weights of several steps are taken again */
    double gg = 0, gs = 0, ss = 0, expected = 0;
    for (size_t i = 0; i < g->n; i++) {
        const dlg_parameter *p = &g->model->parameters[i];
        const size_t n = dlg_parameter_items(p);
        const dlg_real *shared = a->gradient->values[i];
        const double off = dlg_gradient_rounding_at(a->gradient, p), off2 = n_roundings * off * off;
        if (!shared) continue;
        gg += dlg_dot(n, g->values[i], g->values[i]);
        gs += dlg_dot(n, g->values[i], shared);
        ss += dlg_dot(n, shared, shared);
        for (size_t k = 0; k < n; k++) expected += g->values[i][k] != 0 || shared[k] != 0 ? off2 : 0;
    }
    const bool is_turned = !(a->sign * gs > 0); /* of two classes the other one's is */
    const double left = gg > 0 && !is_turned ? fmax(0, ss - gs * gs / gg) : ss;
    return (rest){is_turned ? INFINITY : left / (noise_blur * expected + exact * exact * ss), left / ss,
                  gg > 0 ? gs / gg : 0};
}

/* Take the step on this text and class. */
static dlg_status try_text(attack *a, const size_t *choice, size_t class, rest *out, dlg_error *err)
{
    const double begun_s = dlg_clock_now();
    dlg_gradient g = {0};
    for (size_t t = 0; t < a->match.length; t++) a->fed[t] = a->match.tokens[choice[t]];
    a->n_tries++;
    const dlg_step step = {.batch = &a->batch, .fed = a->fed, .labels = &class};
    const dlg_status status = dlg_update_expect(&g, a->gradient->model, &step, &a->gradient->training, err);
    if (!status) *out = dlg_update_is_all(a->gradient) ? compare_signs(a, &g) : compare_sizes(a, &g);
    dlg_gradient_release(&g);
    a->tries_s += dlg_clock_now() - begun_s;
    return status;
}

static void take(attack *a, const rest *found)
{
    a->misfit = found->misfit;
    a->left = found->left;
    a->factor = found->factor;
}

static dlg_status find_class(attack *a, dlg_error *err)
{
    const size_t n = a->gradient->model->config.n_labels;
    const dlg_real *bias = dlg_gradient_at(a->gradient, a->gradient->model->roles.decoder.bias);
    dlg_status status = DLG_OK;
    a->misfit = INFINITY;
    size_t n_negative = 0;
    for (size_t c = 0; bias && c < n; c++) n_negative += bias[c] < 0;
    for (size_t c = 0; c < n && !status; c++) {
        const bool is_named = bias && ((bias[c] < 0) == (n_negative == 1)); /* the one entry of its sign */
        rest found;
        if (n > MOST_CLASSES && !is_named) continue;
        status = try_text(a, a->choice, c, &found, err);
        if (!status && found.misfit < a->misfit) take(a, &found), a->class = c;
    }
    return status;
}

/* A factor that is told, lr, shows the sign where the other class would have another one. */
static bool is_told_factor(const attack *a, double factor)
{
    static const double nearly = 0.05;
    const dlg_training *t = &a->gradient->training;
    return t->lr > 0 && !t->is_inferred && !dlg_update_is_all(a->gradient) && fabs(fabs(factor) - 1) < nearly;
}

/* Of two classes the other one explains a difference that was taken the other way round. */
static dlg_status try_other_class(attack *a, dlg_error *err)
{
    rest found;
    if (a->gradient->model->config.n_labels != 2 || a->gradient->training.shared != DLG_SHARED_DIFFERENCE)
        return DLG_OK;
    a->sign = -a->sign;
    const dlg_status status = try_text(a, a->choice, 1 - a->class, &found, err);
    a->sign = -a->sign;
    if (status || found.misfit > 1) return status;
    if (is_told_factor(a, a->factor) && !is_told_factor(a, found.factor)) return DLG_OK;
    a->other_factor = found.factor;
    return DLG_OK;
}

/* ---- what is in doubt ---- */

/* The token that scores best at t among those that score less than `below`. */
static size_t next_best(const attack *a, size_t t, double below)
{
    const double *score = a->match.score + t * a->match.n_tokens;
    size_t best = a->match.n_tokens;
    for (size_t i = 0; i < a->match.n_tokens; i++)
        if (score[i] < below && (best == a->match.n_tokens || score[i] > score[best])) best = i;
    return best;
}

/* Another token at t; where the one that stood there is lost to the text with it, the two change places. */
static void put(const attack *a, size_t *choice, size_t t, size_t token)
{
    const size_t before = choice[t];
    bool is_lost = true;
    choice[t] = token;
    for (size_t u = 0; u < a->match.length; u++) is_lost &= choice[u] != before;
    for (size_t u = 0; u < a->match.length && is_lost; u++)
        if (u != t && choice[u] == token) choice[u] = before, is_lost = false;
}

/* The tokens that score nearly as well at t, and the next one whatever it scores. */
static dlg_status try_at(attack *a, size_t t, size_t *choice, bool *is_better, dlg_error *err)
{
    const size_t n = a->match.length, m = a->match.n_tokens;
    const double *score = a->match.score + t * m;
    double below = INFINITY;
    dlg_status status = DLG_OK;
    a->n_fitting[t] = 0;
    for (size_t k = 0, n_tried = 0; k < NEXT_BEST && !status && a->n_tries < a->most_tries; k++) {
        const size_t token = next_best(a, t, below);
        rest found;
        if (token == m || (n_tried && score[token] < score[a->choice[t]] - doubt)) break;
        below = score[token];
        if (token == a->choice[t]) continue;
        n_tried++;
        memcpy(choice, a->choice, n * sizeof *choice);
        put(a, choice, t, token);
        status = try_text(a, choice, a->class, &found, err);
        if (!status && found.misfit <= 1) a->n_fitting[t]++;
        if (status || !(found.misfit < a->misfit)) continue;
        take(a, &found);
        memcpy(a->choice, choice, n * sizeof *choice);
        *is_better = true;
    }
    return status;
}

static dlg_status settle(attack *a, dlg_error *err)
{
    const size_t n = a->match.length;
    size_t *choice = dlg_allocate(n, sizeof *choice);
    dlg_status status = choice ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "text of the update: no memory");
    for (bool goes_on = true; goes_on && !status;) {
        goes_on = false;
        for (size_t t = 1;
             t + 1 < n && !status && a->n_tries < a->most_tries && !dlg_attack_is_interrupted(a->observer); t++)
            status = try_at(a, t, choice, &goes_on, err);
    }
    dlg_free(choice);
    return status;
}

/* ---- the result ---- */

static dlg_status hand_over(attack *a, dlg_attack_result *out, const dlg_attack_options *options, dlg_error *err)
{
    size_t row = 0, length = a->match.length;
    const dlg_knowledge knowledge = {.n_sentences = 1,
                                     .lengths = &length,
                                     .special = a->special,
                                     .n_labels = 1,
                                     .labels = &a->class,
                                     .n_rows = 1,
                                     .rows = &row,
                                     .placed = true,
                                     .sentences_from =
                                         a->knowledge->n_sentences ? a->knowledge->sentences_from : DLG_INFERRED,
                                     .lengths_from = DLG_INFERRED,
                                     .labels_from = DLG_INFERRED,
                                     .labels_are_unsure = a->other_factor != 0,
                                     .rows_from = DLG_INFERRED};
    dlg_session r = {0};
    const dlg_status status = dlg_session_begin(&r, out, a->analysis, &knowledge, options, a->observer, err);
    if (!status) {
        bool is_only = true;
        for (size_t t = 0; t < length; t++) {
            r.fed[t] = a->match.tokens[a->choice[t]];
            r.evidence[t] = (dlg_evidence){DLG_FROM_READING, 1 + a->n_fitting[t], NAN, NAN, 0, NAN};
            is_only &= !a->n_fitting[t];
        }
        r.start = 1;
        r.loss.other_factor = a->other_factor;
        r.loss.softmax.factor = r.factor_of_tokens = a->factor;
        r.d = r.d_tokens = r.scale * a->left;
        dlg_session_put_labels_back(&r);
        dlg_session_report(&r);
        out->iterations = 1;
        out->end = dlg_update_is_all(a->gradient) && is_only ? DLG_EXPLAINED : DLG_SETTLED;
    }
    dlg_session_end(&r);
    return status;
}

static dlg_status read_text(attack *a, dlg_attack_result *out, const dlg_attack_options *options, dlg_error *err)
{
    char line[160];
    const size_t n = a->match.length;
    a->choice = dlg_allocate(n, sizeof *a->choice);
    a->fed = dlg_allocate(n, sizeof *a->fed);
    a->n_fitting = dlg_allocate(n, sizeof *a->n_fitting);
    if (!a->choice || !a->fed || !a->n_fitting) return dlg_fail(err, DLG_ENOMEM, "text of the update: no memory");
    if (!dlg_update_text_read(&a->match, a->special, a->choice)) return DLG_OK;
    dlg_status status = dlg_batch_create(&a->batch, a->gradient->model->config.task, 1, &n, err);
    if (!status) status = find_class(a, err);
    if (!status) status = settle(a, err);
    if (!status && a->misfit > 1 && a->gradient->training.shared == DLG_SHARED_DIFFERENCE) {
        a->sign = -1;
        if (dlg_update_text_read(&a->match, a->special, a->choice)) status = find_class(a, err);
        if (!status) status = settle(a, err);
    }
    if (!status && a->misfit <= 1) status = try_other_class(a, err);
    if (status) return status;
    snprintf(line, sizeof line, "rows of words and positions: %zu tokens at %zu positions, %zu steps taken again",
             a->match.n_tokens, n, a->n_tries);
    dlg_attack_note(a->observer, line);
    out->evaluations += a->n_tries;
    out->evaluating_s += a->tries_s;
    return a->misfit <= 1 ? hand_over(a, out, options, err) : DLG_OK;
}

dlg_status dlg_update_run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                          const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    attack a = {.analysis = analysis,
                .gradient = dlg_analysis_gradient(analysis),
                .special = dlg_analysis_special(analysis),
                .observer = observer,
                .knowledge = knowledge,
                .most_tries = options->max_evaluations && options->max_evaluations < MOST_TRIES
                                  ? options->max_evaluations
                                  : MOST_TRIES,
                .sign = 1};
    const dlg_training *training = &a.gradient->training;
    const bool is_classifier = a.gradient->model->config.task == DLG_SEQUENCE_CLASSIFICATION;
    const bool may_be_one = !knowledge->n_sentences || knowledge->n_sentences == 1;
    dlg_status status = dlg_analysis_update_tokens(&a.bag, analysis, err);
    const bool is_told = training->trainer && training->lr > 0 && training->n_steps <= MOST_STEPS;
    const bool can_be_taken_again = training->n_steps <= 1 || is_told;
    if (status || !is_classifier || !can_be_taken_again || !may_be_one) return status;
    status = dlg_update_text_match(&a.match, a.gradient, a.bag, err);
    if (!status && a.match.length) status = read_text(&a, out, options, err);
    dlg_batch_release(&a.batch);
    dlg_update_text_release(&a.match);
    dlg_free(a.choice);
    dlg_free(a.fed);
    dlg_free(a.n_fitting);
    return status;
}
