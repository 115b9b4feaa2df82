#include "matching/oracle.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Kinds of records. */
enum { EVALUATION = 1, DISTANCE = 2, LABEL_DERIVATIVE = 3 };

struct dlg_oracle {
    dlg_objective *objective;
    dlg_journal *journal;
    uint64_t layout; /* fingerprint of what the objective was made of, the gradient aside, which is the whole run's */
    size_t n_numbers, n_predicted, n_outputs; /* n_predicted rows of the hidden size */
    double factor;                            /* of the last answer */
    uint64_t at;                              /* the question that the objective itself answered last */
    dlg_real *rows;                           /* (DLG_EXPLANATION_ROWS, hidden) scratch */

    /* With a journal only: the last evaluation, should its label derivative be asked for. */
    bool is_behind; /* the journal answered it, so that the objective never saw it */
    uint64_t question;
    dlg_soft_labels labels;
    dlg_softmax_loss loss;
    dlg_real *share, *x; /* (n_predicted, max_labels) and (n_numbers): its shares and its point */
    dlg_real *dx;        /* (n_numbers) scratch */
};

static uint64_t layout_of(const dlg_batch *batch, const dlg_distance *distance)
{
    uint64_t hash = dlg_hash(distance->name, strlen(distance->name), 0);
    hash = dlg_hash(batch->first, (batch->n_sentences + 1) * sizeof *batch->first, hash);
    return dlg_hash(batch->predicted, batch->n_predicted * sizeof *batch->predicted, hash);
}

dlg_status dlg_oracle_create(dlg_oracle **out, dlg_journal *journal, const dlg_gradient *gradient,
                             const dlg_batch *batch, size_t max_labels, const dlg_distance *distance, dlg_error *err)
{
    *out = NULL;
    dlg_oracle *o = dlg_allocate(1, sizeof *o);
    if (!o) return dlg_fail(err, DLG_ENOMEM, "objective: no memory");
    o->journal = journal;
    o->layout = layout_of(batch, distance);
    o->n_predicted = batch->n_predicted;
    o->n_outputs = batch->n_predicted * gradient->model->config.hidden_size;
    dlg_status status = dlg_objective_create(&o->objective, gradient, batch, max_labels, distance, err);
    if (!status) o->n_numbers = dlg_objective_size(o->objective);
    o->rows = dlg_allocate(DLG_EXPLANATION_ROWS * gradient->model->config.hidden_size, sizeof *o->rows);
    if (!status && !o->rows) status = dlg_fail(err, DLG_ENOMEM, "objective: no memory");
    if (!status && journal) {
        o->share = dlg_allocate(batch->n_predicted * max_labels, sizeof *o->share);
        o->x = dlg_allocate(o->n_numbers, sizeof *o->x);
        o->dx = dlg_allocate(o->n_numbers, sizeof *o->dx);
        if (!o->share || !o->x || !o->dx) status = dlg_fail(err, DLG_ENOMEM, "objective: no memory");
    }
    if (status) dlg_oracle_free(o);
    else *out = o;
    return status;
}

void dlg_oracle_free(dlg_oracle *o)
{
    if (!o) return;
    dlg_objective_free(o->objective);
    dlg_free(o->rows);
    dlg_free(o->share);
    dlg_free(o->x);
    dlg_free(o->dx);
    dlg_free(o);
}

const dlg_objective *dlg_oracle_objective(const dlg_oracle *o)
{
    return o->objective;
}

static size_t n_shares(const dlg_oracle *o, const dlg_soft_labels *labels)
{
    return o->n_predicted * labels->n;
}

static uint64_t question_of(const dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x)
{
    static const dlg_softmax_loss mean = {1, 0};
    uint64_t hash = dlg_hash(labels->label, labels->n * sizeof *labels->label, o->layout);
    hash = dlg_hash(labels->share, n_shares(o, labels) * sizeof *labels->share, hash);
    hash = dlg_hash(labels->loss ? labels->loss : &mean, sizeof mean, hash);
    hash = dlg_hash(&labels->fits_factor, sizeof labels->fits_factor, hash);
    if (labels->outputs) hash = dlg_hash(labels->outputs, o->n_outputs * sizeof *labels->outputs, hash);
    return dlg_hash(x, o->n_numbers * sizeof *x, hash);
}

static void remember(dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x)
{
    memcpy(o->x, x, o->n_numbers * sizeof *x);
    memcpy(o->share, labels->share, n_shares(o, labels) * sizeof *labels->share);
    o->labels = (dlg_soft_labels){labels->n, labels->label, o->share, .fits_factor = labels->fits_factor};
    if (!labels->loss) return;
    o->loss = *labels->loss;
    o->labels.loss = &o->loss;
}

double dlg_oracle_evaluate(dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x, dlg_real *dx)
{
    double d;
    const dlg_journal_piece answer[] = {
        {&d, sizeof d}, {&o->factor, sizeof o->factor}, {dx, o->n_numbers * sizeof *dx}};
    o->question = question_of(o, labels, x);
    o->is_behind = o->journal && dlg_journal_recall(o->journal, EVALUATION, o->question, 3, answer);
    if (o->journal) remember(o, labels, x);
    if (o->is_behind) return d;
    o->at = o->question;
    d = dlg_objective_evaluate(o->objective, labels, x, dx);
    o->factor = dlg_objective_factor(o->objective);
    if (o->journal && !dlg_is_interrupted()) dlg_journal_add(o->journal, EVALUATION, o->question, 3, answer);
    return d;
}

double dlg_oracle_distance(dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x)
{
    double d;
    const dlg_journal_piece answer[] = {{&d, sizeof d}, {&o->factor, sizeof o->factor}};
    const uint64_t question = question_of(o, labels, x);
    if (o->journal && dlg_journal_recall(o->journal, DISTANCE, question, 2, answer)) return d;
    o->at = question;
    d = dlg_objective_distance(o->objective, labels, x);
    o->factor = dlg_objective_factor(o->objective);
    if (o->journal && !dlg_is_interrupted()) dlg_journal_add(o->journal, DISTANCE, question, 2, answer);
    return d;
}

double dlg_oracle_factor(const dlg_oracle *o)
{
    return o->factor;
}

dlg_explanation dlg_oracle_explain(dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x, const uint32_t *fed)
{
    const uint64_t question = question_of(o, labels, x);
    if (o->at != question) (void)dlg_objective_distance(o->objective, labels, x); /* a journal knew its distance */
    o->at = question;
    return dlg_explanation_find(o->objective, fed, o->rows);
}

double dlg_oracle_misfit(dlg_oracle *o, const dlg_soft_labels *labels, const dlg_real *x)
{
    const uint64_t question = question_of(o, labels, x);
    double sum = 0;
    if (o->at != question) (void)dlg_objective_distance(o->objective, labels, x);
    o->at = question;
    for (size_t i = 0; i < dlg_objective_count(o->objective); i++) {
        const char *name;
        const double variance = dlg_objective_variance(o->objective, i);
        if (variance > 0) sum += dlg_objective_residual(o->objective, i, &name).ee / (2 * variance);
    }
    return dlg_is_interrupted() ? NAN : sum;
}

void dlg_oracle_label_derivative(dlg_oracle *o, dlg_real *out)
{
    if (!o->journal) {
        dlg_objective_label_derivative(o->objective, out);
        return;
    }
    const dlg_journal_piece answer = {out, n_shares(o, &o->labels) * sizeof *out};
    if (dlg_journal_recall(o->journal, LABEL_DERIVATIVE, o->question, 1, &answer)) return;
    if (o->is_behind) {
        (void)dlg_objective_evaluate(o->objective, &o->labels, o->x, o->dx);
        o->is_behind = false;
        o->at = o->question;
    }
    dlg_objective_label_derivative(o->objective, out);
    if (!dlg_is_interrupted()) dlg_journal_add(o->journal, LABEL_DERIVATIVE, o->question, 1, &answer);
}

size_t dlg_oracle_left(const dlg_journal *journal)
{
    return dlg_journal_left(journal, EVALUATION) + dlg_journal_left(journal, DISTANCE);
}
