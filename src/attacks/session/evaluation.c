/* How a session asks for D, at embeddings and at tokens, and what it takes for explained. */
#include "attacks/session/session.h"

#include "base/clock.h"
#include "math/tolerance.h"

#include <math.h>

/* How much more than the noise that is seen out of reach of any text D of the right one may be. */
static const double noise_blur = 1.02;

/* What a descent needs when it ends: to place the labels, and to look at the text. */
enum { LAST_EVALUATIONS = 2 };

bool dlg_session_is_running_out(const dlg_session *r)
{
    const size_t most = r->options->max_evaluations;
    return most && r->result->evaluations + LAST_EVALUATIONS >= most;
}

/* Count one more. @return false where none is left */
static bool take_evaluation(dlg_session *r)
{
    const size_t most = r->options->max_evaluations;
    if (most && r->result->evaluations >= most) return false;
    r->result->evaluations++;
    return true;
}

/* ---- at embeddings ---- */

/* A factor that is fitted is brought near to its place, where less is lost to rounding. */
static const double least_factor = 0.5, most_factor = 2;

static dlg_soft_labels labels_of(const dlg_session *r, const dlg_real *share)
{
    return (dlg_soft_labels){r->placement.n_labels, r->placement.label, share,
                             &r->loss.softmax,      r->outputs,         r->fits_factor};
}

/* The distance is the same function of the embeddings with another factor to begin with. */
static void take_factor(dlg_session *r)
{
    const double change = dlg_oracle_factor(r->oracle) / r->loss.softmax.factor;
    if (r->fits_factor && isfinite(change) && change != 0 && !(change > least_factor && change < most_factor))
        r->loss.softmax.factor *= change;
}

double dlg_session_distance_at_point(dlg_session *r, const dlg_real *share)
{
    const dlg_soft_labels labels = labels_of(r, share);
    if (!take_evaluation(r)) return NAN;
    const double begun_s = dlg_clock_now(), d = dlg_oracle_distance(r->oracle, &labels, r->point);
    r->result->evaluating_s += dlg_clock_now() - begun_s;
    return d;
}

double dlg_session_evaluate_point(dlg_session *r)
{
    const dlg_soft_labels labels = labels_of(r, r->placement.share);
    if (!take_evaluation(r)) return NAN;
    const double begun_s = dlg_clock_now(), d = dlg_oracle_evaluate(r->oracle, &labels, r->point, r->derivative);
    r->result->evaluating_s += dlg_clock_now() - begun_s;
    take_factor(r);
    return d;
}

/* ---- at tokens ---- */

double dlg_session_distance_of_tokens(dlg_session *r)
{
    r->d_tokens = INFINITY;
    if (!r->placement.placed && !r->outputs) return r->d_tokens;
    dlg_session_set_tokens(r);
    const double d = dlg_session_distance_at_point(r, r->placement.share);
    if (!isfinite(d)) return r->d_tokens;
    r->factor_of_tokens = dlg_oracle_factor(r->oracle);
    return r->d_tokens = d;
}

double dlg_session_misfit(dlg_session *r, const dlg_real *share)
{
    const dlg_softmax_loss loss = {r->factor_of_tokens, r->loss.softmax.smoothing};
    dlg_soft_labels labels = labels_of(r, share);
    labels.loss = &loss;
    labels.fits_factor = false;
    const double begun_s = dlg_clock_now(), misfit = dlg_oracle_misfit(r->oracle, &labels, r->point);
    r->result->evaluating_s += dlg_clock_now() - begun_s;
    return misfit;
}

void dlg_session_explain(dlg_session *r)
{
    const dlg_config *config = &r->gradient->model->config;
    const double rounding =
        dlg_distance_rounding(r->options->distance, r->gradient->roundoff, config->hidden_size, config->n_layers);
    const double most =
        r->options->distance->by_number ? dlg_tolerance_most_cancelled() : pow(dlg_tolerance_most_cancelled(), 2);
    if (!(r->d_tokens <= most * rounding * r->scale)) {
        r->explanation = (dlg_explanation){0};
        return;
    }
    if (r->explanation.tensor && r->explained_distance == r->d_tokens) return;
    const dlg_softmax_loss loss = {r->factor_of_tokens, r->loss.softmax.smoothing};
    dlg_soft_labels labels = labels_of(r, r->placement.share);
    labels.loss = &loss;
    labels.fits_factor = false;
    dlg_session_set_tokens(r);
    const double begun_s = dlg_clock_now();
    r->explanation = dlg_oracle_explain(r->oracle, &labels, r->point, r->fed);
    r->explained_distance = r->d_tokens;
    r->result->evaluating_s += dlg_clock_now() - begun_s;
}

bool dlg_session_is_explained(dlg_session *r)
{
    dlg_session_explain(r);
    return dlg_explanation_is_complete(&r->explanation);
}

bool dlg_session_is_explained_to_noise(const dlg_session *r)
{
    return r->is_defended && r->options->distance == &dlg_l2 && r->d_tokens <= noise_blur * r->noise;
}
