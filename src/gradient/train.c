/* The participant of several steps: the whole batch at each of them, from fresh moments. */
#include "gradient/update.h"

#include "base/interrupt.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

typedef struct {
    const dlg_model *before;
    const dlg_training *how;
    dlg_gradient weights;     /* now */
    double **first, **second; /* [i] moments of each parameter, of AdamW */
} run;

static dlg_status allocate(run *r, dlg_error *err)
{
    const size_t n = r->before->n_parameters;
    dlg_status status = dlg_gradient_create(&r->weights, r->before, err);
    if (status) return status;
    r->first = dlg_allocate(n, sizeof *r->first);
    r->second = dlg_allocate(n, sizeof *r->second);
    bool all = r->first && r->second;
    for (size_t i = 0; i < n && all; i++) {
        const dlg_parameter *p = &r->before->parameters[i];
        const size_t items = dlg_parameter_items(p);
        memcpy(r->weights.owned[i], p->value, items * sizeof *p->value);
        if (r->how->trainer != DLG_TRAINER_ADAMW) continue;
        r->first[i] = dlg_allocate(items, sizeof **r->first);
        r->second[i] = dlg_allocate(items, sizeof **r->second);
        all = r->first[i] && r->second[i];
    }
    return all ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "training of %s: no memory", r->before->name);
}

static void release(run *r)
{
    for (size_t i = 0; r->first && i < r->before->n_parameters; i++) dlg_free(r->first[i]);
    for (size_t i = 0; r->second && i < r->before->n_parameters; i++) dlg_free(r->second[i]);
    dlg_free(r->first);
    dlg_free(r->second);
    dlg_gradient_release(&r->weights);
}

/*
 * AdamW (Loshchilov and Hutter 2019) as PyTorch has it, with m and v the moments, at step t from 1:
 *
 *   w := w (1 - lr wd)
 *   m := b1 m + (1 - b1) g,   v := b2 v + (1 - b2) g^2
 *   w := w - lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
 *
 * Decayed weights are rounded before the rest is added, as they are there.
 */
static void step_adamw(const dlg_training *how, size_t t, size_t n, const dlg_real *g, double *m, double *v,
                       dlg_real *w)
{
    const dlg_real keep = (dlg_real)(1 - how->lr * how->weight_decay);
    const double b1 = how->beta1, b2 = how->beta2;
    const double rate = how->lr / (1 - pow(b1, (double)t)), unbias = 1 / sqrt(1 - pow(b2, (double)t));
    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1 - b1) * (double)g[i];
        v[i] = b2 * v[i] + (1 - b2) * (double)g[i] * (double)g[i];
        const dlg_real decayed = w[i] * keep;
        w[i] = (dlg_real)((double)decayed - rate * m[i] / (sqrt(v[i]) * unbias + how->eps));
    }
}

static void step_sgd(const dlg_training *how, size_t n, const dlg_real *g, dlg_real *w)
{
    for (size_t i = 0; i < n; i++)
        w[i] = (dlg_real)((double)w[i] - how->lr * ((double)g[i] + how->weight_decay * (double)w[i]));
}

static dlg_status step(run *r, size_t t, const dlg_gradient *g, dlg_error *err)
{
    for (size_t i = 0; i < g->n; i++) {
        const size_t n = dlg_parameter_items(&g->model->parameters[i]);
        dlg_real *w = r->weights.owned[i];
        if (r->how->trainer == DLG_TRAINER_ADAMW) step_adamw(r->how, t, n, g->values[i], r->first[i], r->second[i], w);
        else step_sgd(r->how, n, g->values[i], w);
        for (size_t k = 0; k < n; k++)
            if (!isfinite(w[k]))
                return dlg_fail(err, DLG_ENONFINITE, "%s: want finite weights after step %zu, found %g in %s",
                                r->before->name, t, (double)w[k], r->before->parameters[i].name);
    }
    return dlg_check_interrupt(err);
}

/* The gradient at the weights as they are now. The first step's are the model's own. */
static dlg_status share(dlg_gradient *out, double *loss, const run *r, size_t t, const dlg_step *of, dlg_error *err)
{
    dlg_batch batch = *of->batch;
    dlg_step own = *of;
    batch.dropout_seed += t - 1; /* each step drops other numbers */
    own.batch = &batch;
    if (t == 1) return dlg_gradient_share(out, loss, r->before, &own, err);
    dlg_model *now = NULL;
    dlg_status status = dlg_model_with(&now, r->before, r->weights.values, err);
    if (!status) status = dlg_gradient_share(out, NULL, now, &own, err);
    out->model = r->before; /* of the same parameters; `now` ends here */
    dlg_model_free(now);
    return status;
}

/* One step from fresh moments needs no weights, which would round it. */
static void take_first(const dlg_training *how, const dlg_gradient *g)
{
    for (size_t i = 0; i < g->n && how->trainer == DLG_TRAINER_ADAMW; i++)
        for (size_t k = 0; k < dlg_parameter_items(&g->model->parameters[i]); k++) {
            const double x = (double)g->values[i][k];
            g->owned[i][k] = (dlg_real)(x / (fabs(x) + how->eps));
        }
}

dlg_status dlg_update_expect(dlg_gradient *out, const dlg_model *model, const dlg_step *of, const dlg_training *how,
                             dlg_error *err)
{
    dlg_training training = *how;
    training.shared = DLG_SHARED_DIFFERENCE;
    const double divisor = dlg_training_divisor(how);
    dlg_status status;
    if (how->n_steps <= 1) {
        status = dlg_gradient_share(out, NULL, model, of, err);
        if (!status) take_first(how, out);
        return status;
    }
    status = dlg_update_train(out, NULL, model, of, &training, err);
    for (size_t i = 0; i < out->n && !status; i++)
        for (size_t k = 0; k < dlg_parameter_items(&model->parameters[i]); k++)
            out->owned[i][k] = (dlg_real)(-(double)out->values[i][k] / divisor -
                                          how->weight_decay * (double)model->parameters[i].value[k]);
    return status;
}

dlg_status dlg_update_train(dlg_gradient *out, double *loss, const dlg_model *model, const dlg_step *of,
                            const dlg_training *how, dlg_error *err)
{
    run r = {.before = model, .how = how};
    *out = (dlg_gradient){0};
    dlg_status status = allocate(&r, err);
    for (size_t t = 1; t <= how->n_steps && !status; t++) {
        dlg_gradient g = {0};
        status = share(&g, loss, &r, t, of, err);
        if (!status) status = step(&r, t, &g, err);
        dlg_gradient_release(&g);
    }
    for (size_t i = 0; i < r.weights.n && !status && how->shared == DLG_SHARED_DIFFERENCE; i++)
        for (size_t k = 0; k < dlg_parameter_items(&model->parameters[i]); k++)
            r.weights.owned[i][k] -= model->parameters[i].value[k];
    if (!status) {
        *out = r.weights;
        out->training = *how;
        r.weights = (dlg_gradient){0};
    }
    release(&r);
    return status;
}
