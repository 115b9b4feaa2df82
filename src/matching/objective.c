#include "matching/objective.h"

#include "base/interrupt.h"
#include "matching/target.h"
#include "math/blas.h"
#include "math/simd.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* One parameter that the distance compares. */
typedef struct {
    const dlg_tape_parameter *parameter;
    const dlg_real *t;  /* its shared gradient */
    size_t n;           /* for a small parameter: its first numbers, those that the batch can reach */
    dlg_residual whole; /* e = -t, where g is zero */
    dlg_residual last;  /* of the last evaluation */
    dlg_residual least; /* where g explains all that it can: what of e is left */
    dlg_target *target; /* for a weight matrix, and which part of it */
    size_t part;
} compared;

struct dlg_objective {
    const dlg_gradient *gradient;
    dlg_network network;
    const dlg_distance *distance;
    size_t n_compared, n_targets;
    compared *compared;
    dlg_target **targets;
    double factor;      /* of the last evaluation */
    bool is_of_outputs; /* it was */
};

/* A key's bias moves all scores of a query alike, so that its gradient is rounding; the word embedding's may be
 * missing. */
static bool is_compared(const dlg_model *model, const char *name)
{
    for (size_t i = 0; i < model->config.n_layers; i++)
        if (!strcmp(name, model->roles.blocks[i].key.bias->name)) return false;
    return strcmp(name, model->roles.words->name) != 0;
}

/* Parameters parameters[i .. i+n-1] that are parts of one linear weight, in the order of their rows. */
static size_t parts_of(const dlg_tape *tape, const dlg_linear *linear, const dlg_tape_parameter *parts[DLG_STACK_MOST])
{
    size_t n = 0;
    for (size_t i = 0; i < tape->n_parameters; i++)
        if (tape->parameters[i].linear == linear) parts[n++] = &tape->parameters[i];
    return n;
}

static dlg_status make_target(dlg_target **out, const dlg_objective *objective, const dlg_gradient *gradient,
                              const dlg_linear *linear, dlg_error *err)
{
    const dlg_tape_parameter *parts[DLG_STACK_MOST];
    dlg_stack stack = {.n_blocks = parts_of(&objective->network.tape, linear, parts), .n_in = linear->x->n_cols};
    for (size_t i = 0; i < stack.n_blocks; i++) {
        stack.blocks[i] = dlg_gradient_of(gradient, parts[i]->name);
        stack.n_rows[i] = parts[i]->n_rows;
    }
    const dlg_status status = dlg_target_create(out, &stack, linear->x->n_rows, objective->distance->by_number, err);
    for (size_t i = 0; i < stack.n_blocks; i++) /* its factors are what is compared from here on */
        dlg_safetensors_rest_range(gradient->file, stack.blocks[i],
                                   stack.n_rows[i] * stack.n_in * sizeof *stack.blocks[i]);
    return status;
}

/* Whether there is a gradient of each of its parameters: where one was frozen the others are left out too. */
static bool is_there(const dlg_objective *objective, const dlg_gradient *gradient, const dlg_linear *linear)
{
    const dlg_tape_parameter *parts[DLG_STACK_MOST];
    const size_t n = parts_of(&objective->network.tape, linear, parts);
    for (size_t i = 0; i < n; i++)
        if (!dlg_gradient_of(gradient, parts[i]->name)) return false;
    return true;
}

/* A target for every linear layer that the tape names parameters of, and the gradient has, in its order. */
static dlg_status make_targets(dlg_objective *objective, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_tape *tape = &objective->network.tape;
    dlg_linear **linears = dlg_allocate(tape->n_parameters, sizeof *linears);
    dlg_status status = DLG_OK;
    objective->targets = dlg_allocate(tape->n_parameters, sizeof *objective->targets);
    if (!linears || !objective->targets) {
        status = dlg_fail(err, DLG_ENOMEM, "objective: no memory");
        goto out;
    }
    size_t n = 0;
    const dlg_linear *last = NULL;
    for (size_t i = 0; i < tape->n_parameters; i++) {
        dlg_linear *linear = tape->parameters[i].linear;
        if (!linear || linear == last) continue;
        last = linear;
        if (is_there(objective, gradient, linear)) linears[n++] = linear;
    }
    objective->n_targets = n;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < n; i++) {
        dlg_error found;
        dlg_status its_status = dlg_check_interrupt(&found);
        if (!its_status) its_status = make_target(&objective->targets[i], objective, gradient, linears[i], &found);
        if (!its_status) {
            linears[i]->direction = dlg_target_direction(objective->targets[i]);
            continue;
        }
#pragma omp critical
        {
            status = its_status;
            if (err) *err = found;
        }
    }
    dlg_safetensors_rest(gradient->file); /* what the tensors' ends brought along */
out:
    dlg_free(linears);
    return status;
}

/* What is left of t where g is zero. */
static dlg_residual residual_of_zero(size_t n, const dlg_real *t, bool by_number)
{
    const double tt = dlg_dot(n, t, t);
    return (dlg_residual){tt, -tt, tt, by_number ? dlg_sum_of_absolutes(n, t) : 0};
}

static void add_parts(dlg_objective *objective, const dlg_gradient *gradient, dlg_target *target,
                      const dlg_linear *linear)
{
    const dlg_tape_parameter *parts[DLG_STACK_MOST];
    const size_t n_parts = parts_of(&objective->network.tape, linear, parts);
    for (size_t i = 0; i < n_parts; i++) {
        const dlg_real *t = dlg_gradient_of(gradient, parts[i]->name);
        objective->compared[objective->n_compared++] = (compared){
            .parameter = parts[i],
            .t = t,
            .whole = residual_of_zero(parts[i]->n_rows * parts[i]->n_cols, t, objective->distance->by_number),
            .least = dlg_target_unexplained(target, i),
            .target = target,
            .part = i};
    }
}

/* Rows of a parameter that the batch can reach: positions and token types beyond its last get no gradient. */
static size_t reached_rows(const dlg_roles *roles, const dlg_batch *batch, const dlg_tape_parameter *p)
{
    const bool is_of_types = roles->types && !strcmp(p->name, roles->types->name);
    const size_t *used = is_of_types ? batch->type : batch->position;
    if (!is_of_types && strcmp(p->name, roles->positions->name) != 0) return p->n_rows;
    size_t n = 0;
    for (size_t i = 0; i < batch->n_rows; i++) n = used[i] >= n ? used[i] + 1 : n;
    return n;
}

static dlg_status add_compared(dlg_objective *objective, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_tape *tape = &objective->network.tape;
    dlg_status status = DLG_OK;
    objective->compared = dlg_allocate(tape->n_parameters, sizeof *objective->compared);
    if (!objective->compared) return dlg_fail(err, DLG_ENOMEM, "objective: no memory");
    status = make_targets(objective, gradient, err);
    const dlg_linear *last = NULL;
    for (size_t i = 0, n_met = 0; i < tape->n_parameters && !status; i++) {
        const dlg_tape_parameter *p = &tape->parameters[i];
        const dlg_real *t = dlg_gradient_of(gradient, p->name);
        if (p->linear && p->linear != last) {
            last = p->linear;
            if (is_there(objective, gradient, last)) add_parts(objective, gradient, objective->targets[n_met++], last);
        } else if (t && p->small && is_compared(gradient->model, p->name)) {
            const size_t n = p->n_rows * p->n_cols,
                         reached = reached_rows(&gradient->model->roles, &objective->network.batch, p) * p->n_cols;
            const bool by_number = objective->distance->by_number;
            compared *c = &objective->compared[objective->n_compared++];
            *c = (compared){.parameter = p,
                            .t = t,
                            .n = reached,
                            .whole = residual_of_zero(n, t, by_number),
                            .least = residual_of_zero(n - reached, t + reached, by_number)};
            c->least.tt = c->whole.tt;
        }
    }
    return status;
}

dlg_status dlg_objective_create(dlg_objective **out, const dlg_gradient *gradient, const dlg_batch *batch,
                                size_t max_labels, const dlg_distance *distance, dlg_error *err)
{
    *out = NULL;
    dlg_objective *objective = dlg_allocate(1, sizeof *objective);
    if (!objective) return dlg_fail(err, DLG_ENOMEM, "objective: no memory");
    objective->gradient = gradient;
    objective->distance = distance;
    dlg_status status = dlg_network_create(&objective->network, gradient->model, batch, DLG_BOTH_WAYS, max_labels, err);
    if (!status) status = add_compared(objective, gradient, err);
    if (status) dlg_objective_free(objective);
    else *out = objective;
    return status;
}

void dlg_objective_free(dlg_objective *objective)
{
    if (!objective) return;
    for (size_t i = 0; i < objective->n_targets; i++) dlg_target_free(objective->targets[i]);
    dlg_free(objective->targets);
    dlg_free(objective->compared);
    dlg_network_release(&objective->network);
    dlg_free(objective);
}

size_t dlg_objective_size(const dlg_objective *objective)
{
    return objective->network.words->n_rows * objective->network.words->n_cols;
}

/* Where the batch does not reach, g = 0 and e = -t. */
static dlg_residual small_residual(const compared *c)
{
    dlg_residual residual = c->least;
    dlg_residual_compare(&residual, c->n, c->parameter->small->gradient + c->parameter->offset, c->t);
    return residual;
}

DLG_SIMD static void steer_numbers(size_t n, dlg_real a, dlg_real b, dlg_real s, const dlg_real *g, const dlg_real *t,
                                   dlg_real *restrict direction)
{
    for (size_t i = 0; i < n; i++) {
        const dlg_real e = g[i] - t[i];
        direction[i] = a * e + b * t[i] + (e > 0 ? s : e < 0 ? -s : 0);
    }
}

static void steer_small(const compared *c, dlg_distance_part part)
{
    const dlg_small_parameter *small = c->parameter->small;
    steer_numbers(c->n, (dlg_real)part.a, (dlg_real)part.b, (dlg_real)part.s, small->gradient + c->parameter->offset,
                  c->t, small->direction + c->parameter->offset);
}

/* Whether it lies behind the head's first layer. */
static bool is_behind_head(const dlg_objective *objective, const compared *c)
{
    return (size_t)(c->parameter - objective->network.tape.parameters) >= objective->network.n_head_parameters;
}

/* What is left of each tensor. @return the factor with which the least is left of all, by squares */
static double find_residuals(dlg_objective *objective, bool up_to_head)
{
    double gt = 0, gg = 0;
    for (size_t i = 0; i < objective->n_compared; i++) {
        compared *c = &objective->compared[i];
        if (up_to_head && is_behind_head(objective, c)) c->last = (dlg_residual){0};
        else c->last = c->target ? dlg_target_residual(c->target, c->part) : small_residual(c);
        gt += c->last.tt + c->last.te;
        gg += c->last.tt + 2 * c->last.te + c->last.ee;
    }
    return gg > 0 ? gt / gg : 1;
}

/* Sum the distance over the tensors and turn the R sweeps' direction to dD/dg. */
static double compare(dlg_objective *objective, const dlg_soft_labels *labels)
{
    const double best = find_residuals(objective, labels->outputs), by = labels->fits_factor ? best : 1;
    double sum = 0;
    objective->is_of_outputs = labels->outputs;
    objective->factor = by * (labels->loss ? labels->loss->factor : 1);
    for (size_t i = 0; i < objective->n_compared; i++) {
        compared *c = &objective->compared[i];
        c->last = dlg_residual_multiply(c->last, by);
        const dlg_distance_part part = objective->distance->part(c->last, i, objective->n_compared);
        sum += part.value;
        if (c->target) dlg_target_steer(c->target, c->part, dlg_distance_part_turn_back(part, by));
        else steer_small(c, dlg_distance_part_turn_back(part, by));
    }
    return sum;
}

bool dlg_objective_is_of_outputs(const dlg_objective *objective)
{
    return objective->is_of_outputs;
}

double dlg_objective_factor(const dlg_objective *objective)
{
    return objective->factor;
}

size_t dlg_objective_count(const dlg_objective *objective)
{
    return objective->n_compared;
}

dlg_residual dlg_objective_residual(const dlg_objective *objective, size_t i, const char **name)
{
    *name = objective->compared[i].parameter->name;
    return objective->compared[i].last;
}

const dlg_gradient *dlg_objective_gradient(const dlg_objective *objective)
{
    return objective->gradient;
}

const dlg_network *dlg_objective_network(const dlg_objective *objective)
{
    return &objective->network;
}

/* The sweeps back from the loss, or from what the head's first layer is given. */
static void sweep_back(dlg_network *network, const dlg_soft_labels *labels)
{
    if (labels->outputs) dlg_tape_backward_from(&network->tape, network->n_head_ops, network->head, labels->outputs);
    else dlg_tape_backward(&network->tape);
}

double dlg_objective_distance(dlg_objective *objective, const dlg_soft_labels *labels, const dlg_real *x)
{
    dlg_network *network = &objective->network;
    assert(!labels->fits_factor || objective->distance == &dlg_l2);
    if (dlg_is_interrupted()) return NAN;
    memcpy(network->words->x, x, dlg_objective_size(objective) * sizeof *x);
    network->loss->n_labels = labels->n;
    network->loss->label = labels->label;
    network->loss->share = labels->share;
    network->loss->count = (double)labels->n / (labels->loss ? labels->loss->factor : 1);
    network->loss->smoothing = labels->loss ? labels->loss->smoothing : 0;
    dlg_tape_forward(&network->tape);
    sweep_back(network, labels);
    dlg_tape_gradient(&network->tape);
    if (dlg_is_interrupted()) return NAN; /* the sweeps end early */
    const double d = compare(objective, labels);
    return dlg_is_interrupted() ? NAN : d;
}

double dlg_objective_evaluate(dlg_objective *objective, const dlg_soft_labels *labels, const dlg_real *x, dlg_real *dx)
{
    dlg_network *network = &objective->network;
    assert(!labels->outputs);
    const double d = dlg_objective_distance(objective, labels, x);
    dlg_tape_rforward(&network->tape);
    dlg_tape_rbackward(&network->tape);
    memcpy(dx, network->words->rdx, dlg_objective_size(objective) * sizeof *dx);
    return dlg_is_interrupted() ? NAN : d;
}

void dlg_objective_label_derivative(const dlg_objective *objective, dlg_real *out)
{
    const dlg_cross_entropy *loss = objective->network.loss;
    const size_t n = loss->logits->n_rows * loss->n_labels;
    for (size_t i = 0; i < n; i++) out[i] = -loss->rlog_p[i] / (dlg_real)loss->count;
}

double dlg_objective_scale(const dlg_objective *objective)
{
    double sum = 0;
    for (size_t i = 0; i < objective->n_compared; i++)
        sum += objective->distance->part(objective->compared[i].whole, i, objective->n_compared).value;
    return sum;
}

double dlg_objective_floor(const dlg_objective *objective)
{
    double sum = 0;
    for (size_t i = 0; i < objective->n_compared; i++)
        sum += objective->distance->part(objective->compared[i].least, i, objective->n_compared).value;
    return sum;
}

double dlg_objective_noise(const dlg_objective *objective)
{
    double sum = 0, n_seen = 0, n_unseen = 0, behind = 0, n_behind = 0;
    for (size_t i = 0; i < objective->n_compared; i++) {
        const compared *c = &objective->compared[i];
        const double n = (double)(c->parameter->n_rows * c->parameter->n_cols), n_out_of_reach = n - (double)c->n;
        const double share = c->target            ? dlg_target_noise_share(c->target)
                             : n_out_of_reach > 0 ? n / n_out_of_reach
                                                  : 0;
        sum += share * c->least.ee;
        *(share > 0 ? &n_seen : &n_unseen) += n;
        if (!c->target) behind += c->least.ee, n_behind += n_out_of_reach;
    }
    if (!(n_seen > 0)) return 0;
    /* small ones are within reach: as noisy as the rest */
    const double all = n_seen + n_unseen, inferred = sum * all / n_seen;
    return behind > 0 ? fmin(inferred, behind / n_behind * all) : inferred;
}

double dlg_objective_variance(const dlg_objective *objective, size_t i)
{
    const compared *c = &objective->compared[i];
    const double n = (double)(c->parameter->n_rows * c->parameter->n_cols);
    return c->target ? dlg_target_noise_share(c->target) * c->least.ee / n : 0;
}

void dlg_objective_targets(const dlg_objective *objective, size_t *n_dense, size_t *n)
{
    *n = objective->n_targets;
    *n_dense = 0;
    for (size_t i = 0; i < objective->n_targets; i++) *n_dense += (size_t)dlg_target_is_dense(objective->targets[i]);
}
