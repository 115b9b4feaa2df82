#include "rig.h"

#include "math/random.h"
#include "ops/activation.h"
#include "ops/dropout.h"
#include "ops/attention.h"
#include "ops/embeddings.h"
#include "ops/layernorm.h"
#include "ops/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static dlg_real *reserve(rig *r, size_t n)
{
    assert_true(r->n_numbers + n <= RIG_NUMBERS);
    dlg_real *numbers = r->numbers + r->n_numbers;
    r->n_numbers += n;
    return numbers;
}

static dlg_real *draw(rig *r, size_t n, double std)
{
    dlg_real *numbers = reserve(r, n);
    dlg_random_normal_fill(numbers, n, std, r->seed, r->n_draws++);
    return numbers;
}

static dlg_value *input(rig *r, size_t n_rows, size_t n_cols, double std, bool shared)
{
    dlg_value *value = dlg_tape_value(&r->tape, n_rows, n_cols);
    rig_input *in = &r->inputs[r->n_inputs++];
    *in = (rig_input){.value = value, .shared = shared};
    in->start = draw(r, n_rows * n_cols, std);
    in->along = draw(r, n_rows * n_cols, 1);
    return value;
}

static dlg_value *output(rig *r, size_t n_rows, size_t n_cols)
{
    r->dy = draw(r, n_rows * n_cols, 1);
    r->dy_along = draw(r, n_rows * n_cols, 1);
    return r->y = dlg_tape_value(&r->tape, n_rows, n_cols);
}

/* A parameter around `mean`; @return its values, which rig_evaluate moves */
static dlg_real *parameter(rig *r, size_t n, double mean)
{
    rig_parameter *p = &r->parameters[r->n_parameters++];
    *p = (rig_parameter){.n = n, .value = reserve(r, n)};
    p->start = draw(r, n, 0.5);
    p->along = draw(r, n, 1);
    for (size_t i = 0; i < n; i++) p->start[i] += (dlg_real)mean;
    return p->value;
}

/* Put the operator on the tape with its small parameters, which were drawn last, and plan. */
static void append(rig *r, const dlg_op_class *class, const void *op, size_t n_bytes, size_t n_smalls,
                   const size_t offsets[])
{
    r->op = dlg_tape_append(&r->tape, class, op, n_bytes);
    const size_t first = r->n_parameters - n_smalls;
    for (size_t i = 0; i < n_smalls; i++)
        dlg_tape_small(&r->tape, (dlg_small_parameter *)(void *)((char *)r->op + offsets[i]),
                       r->parameters[first + i].n);
    assert_int_equal(dlg_tape_plan(&r->tape, NULL), DLG_OK);
    for (size_t i = 0; i < n_smalls; i++) {
        const dlg_small_parameter *small = (const void *)((const char *)r->op + offsets[i]);
        r->parameters[first + i].gradient = small->gradient;
        r->parameters[first + i].direction = small->direction;
    }
}

/* ---- the operators ---- */

static void embeddings_of(rig *r, size_t n_types)
{
    static const size_t position[] = {0, 1, 2, 0, 1}, type[] = {0, 1, 1, 0, 0};
    enum { N = 5, H = 6, POSITIONS = 4 };
    dlg_embeddings op = {.words = input(r, N, H, 1, false),
                         .position = position,
                         .type = type,
                         .n_positions = POSITIONS,
                         .n_types = n_types};
    op.y = output(r, N, H);
    op.positions.value = parameter(r, (size_t)POSITIONS * H, 0);
    if (n_types) op.types.value = parameter(r, n_types * H, 0);
    append(r, &dlg_embeddings_class, &op, sizeof op, n_types ? 2 : 1,
           (size_t[]){offsetof(dlg_embeddings, positions), offsetof(dlg_embeddings, types)});
}

static void embeddings(rig *r)
{
    embeddings_of(r, 2);
}

static void embeddings_without_types(rig *r)
{
    embeddings_of(r, 0);
}

static void linear(rig *r)
{
    enum { N = 4, IN = 5, OUT = 3 };
    dlg_linear op = {.x = input(r, N, IN, 1, true)};
    op.y = output(r, N, OUT);
    r->weight_value = parameter(r, (size_t)OUT * IN, 0);
    op.bias.value = parameter(r, OUT, 0);
    append(r, &dlg_linear_class, &op, sizeof op, 1, (size_t[]){offsetof(dlg_linear, bias)});
    r->linear = (dlg_linear *)r->op;
    r->parameters[0].gradient = reserve(r, (size_t)OUT * IN);
    r->parameters[0].direction = reserve(r, (size_t)OUT * IN);
    dlg_dense_direction_init(&r->weight_direction, OUT, IN, r->parameters[0].gradient, r->parameters[0].direction);
    r->linear->direction = &r->weight_direction.base;
}

static void layernorm_of(rig *r, bool with_residual)
{
    enum { N = 3, C = 7 };
    dlg_layernorm op = {.a = input(r, N, C, 1, false), .eps = (dlg_real)0.05};
    if (with_residual) op.residual = input(r, N, C, 1, true);
    op.y = output(r, N, C);
    op.gamma.value = parameter(r, C, 1);
    op.beta.value = parameter(r, C, 0);
    append(r, &dlg_layernorm_class, &op, sizeof op, 2,
           (size_t[]){offsetof(dlg_layernorm, gamma), offsetof(dlg_layernorm, beta)});
}

static void layernorm(rig *r)
{
    layernorm_of(r, false);
}

static void layernorm_with_residual(rig *r)
{
    layernorm_of(r, true);
}

/* y and sum are the halves of what comes out. */
static void layernorm_before(rig *r)
{
    enum { N = 3, C = 7 };
    dlg_value *half = r->halves;
    dlg_layernorm op = {.a = input(r, N, C, 1, false), .residual = input(r, N, C, 1, true), .eps = (dlg_real)0.05};
    dlg_value *both = output(r, (size_t)2 * N, C);
    op.y = &half[0];
    op.sum = &half[1];
    half[0] = half[1] = (dlg_value){.n_rows = N, .n_cols = C};
    op.gamma.value = parameter(r, C, 1);
    op.beta.value = parameter(r, C, 0);
    append(r, &dlg_layernorm_class, &op, sizeof op, 2,
           (size_t[]){offsetof(dlg_layernorm, gamma), offsetof(dlg_layernorm, beta)});
    for (size_t i = 0, at = 0; i < 2; i++, at += (size_t)N * C)
        half[i].x = both->x + at, half[i].dx = both->dx + at, half[i].rx = both->rx + at, half[i].rdx = both->rdx + at;
}

static void attention_of(rig *r, bool causal)
{
    static const size_t first[] = {0, 3, 4, 8};
    enum { N = 8, H = 6 };
    dlg_attention op = {
        .qkv = input(r, N, (size_t)3 * H, 1, false), .n_heads = 2, .n_sentences = 3, .causal = causal, .first = first};
    op.y = output(r, N, H);
    append(r, &dlg_attention_class, &op, sizeof op, 0, NULL);
}

static void attention(rig *r)
{
    attention_of(r, false);
}

static void causal_attention(rig *r)
{
    attention_of(r, true);
}

static void activation_by(rig *r, dlg_activation_function *function)
{
    dlg_activation op = {.x = input(r, 3, 5, 1.5, false), .function = function};
    op.y = output(r, 3, 5);
    append(r, &dlg_activation_class, &op, sizeof op, 0, NULL);
}

static void gelu_erf(rig *r)
{
    activation_by(r, dlg_gelu_erf);
}

static void gelu_tanh(rig *r)
{
    activation_by(r, dlg_gelu_tanh);
}

static void relu(rig *r)
{
    activation_by(r, dlg_relu);
}

static void tanh_alone(rig *r)
{
    activation_by(r, dlg_tanh);
}

static void dropout(rig *r)
{
    dlg_dropout op = {.x = input(r, 3, 5, 1, false), .rate = 0.4, .seed = 3, .stream = 1};
    op.y = output(r, 3, 5);
    append(r, &dlg_dropout_class, &op, sizeof op, 0, NULL);
}

static void selection(rig *r)
{
    static const size_t row[] = {4, 0, 3};
    dlg_select op = {.x = input(r, 6, 4, 1, false), .row = row};
    op.y = output(r, 3, 4);
    append(r, &dlg_select_class, &op, sizeof op, 0, NULL);
}

/* Soft labels, of which two are the same. */
static void cross_entropy(rig *r)
{
    static const size_t label[] = {2, 5, 2};
    enum { N = 4, V = 7, LABELS = 3 };
    dlg_real *share = draw(r, (size_t)N * LABELS, 0.5);
    for (size_t i = 0; i < (size_t)N * LABELS; i++) share[i] = share[i] < 0 ? -share[i] : share[i];
    const dlg_cross_entropy op = {.logits = input(r, N, V, 1, false),
                                  .n_labels = LABELS,
                                  .label = label,
                                  .share = share,
                                  .count = 2.5,
                                  .max_labels = LABELS + 1};
    append(r, &dlg_cross_entropy_class, &op, sizeof op, 0, NULL);
    r->loss = (dlg_cross_entropy *)r->op;
}

static const struct {
    const char *name;
    void (*build)(rig *);
} operators[] = {
    {"embeddings", embeddings},
    {"embeddings without types", embeddings_without_types},
    {"linear", linear},
    {"layernorm", layernorm},
    {"layernorm with residual", layernorm_with_residual},
    {"layernorm with its sum", layernorm_before},
    {"attention", attention},
    {"causal attention", causal_attention},
    {"gelu by erf", gelu_erf},
    {"gelu by tanh", gelu_tanh},
    {"tanh", tanh_alone},
    {"relu", relu},
    {"dropout", dropout},
    {"select", selection},
    {"cross-entropy", cross_entropy},
};

size_t rig_count(void)
{
    return sizeof operators / sizeof *operators;
}

void rig_create(rig *r, size_t i, uint64_t seed)
{
    *r = (rig){.name = operators[i].name, .seed = seed};
    assert_int_equal(dlg_tape_create(&r->tape, 2, NULL), DLG_OK);
    operators[i].build(r);
}

void rig_release(rig *r)
{
    dlg_products_free(r->products);
    dlg_packed_weight_free(r->packed);
    dlg_tape_free(&r->tape);
}

/* ---- the sweeps ---- */

static void move(size_t n, const dlg_real *start, const dlg_real *along, double step, dlg_real *out)
{
    for (size_t i = 0; i < n; i++) out[i] = (dlg_real)((double)start[i] + step * (double)along[i]);
}

static void poison(size_t n, dlg_real *numbers)
{
    for (size_t i = 0; i < n; i++) numbers[i] = (dlg_real)NAN;
}

static size_t items(const dlg_value *v)
{
    return v->n_rows * v->n_cols;
}

static void direct(size_t n, bool moves, const dlg_real *along, dlg_real *out)
{
    if (moves) memcpy(out, along, n * sizeof *out);
    else memset(out, 0, n * sizeof *out);
}

static void place(rig *r, int moving, double step)
{
    for (size_t i = 0; i < r->n_inputs; i++) {
        const rig_input *in = &r->inputs[i];
        const size_t n = items(in->value);
        move(n, in->start, in->along, moving & MOVE_INPUTS ? step : 0, in->value->x);
        direct(n, moving & MOVE_INPUTS, in->along, in->value->rx);
        if (!in->value->dx_begun) poison(n, in->value->dx);
        if (!in->value->rdx_begun) poison(n, in->value->rdx);
    }
    for (size_t i = 0; i < r->n_parameters; i++) {
        const rig_parameter *p = &r->parameters[i];
        move(p->n, p->start, p->along, moving & MOVE_PARAMETERS ? step : 0, p->value);
        direct(p->n, moving & MOVE_PARAMETERS, p->along, p->direction);
        poison(p->n, p->gradient);
    }
    if (r->y) {
        const size_t n = items(r->y);
        poison(n, r->y->x);
        poison(n, r->y->rx);
        move(n, r->dy, r->dy_along, moving & MOVE_DY ? step : 0, r->y->dx);
        direct(n, moving & MOVE_DY, r->dy_along, r->y->rdx);
    }
    if (r->linear) {
        const size_t n_out = r->weight_direction.n_out, n_in = r->weight_direction.n_in;
        dlg_products_free(r->products);
        dlg_packed_weight_free(r->packed);
        assert_int_equal(dlg_packed_weight_create(&r->packed, &(dlg_stack){1, n_in, {r->weight_value}, {n_out}}, NULL),
                         DLG_OK);
        assert_int_equal(dlg_products_create(&r->products, r->packed, r->linear->y->n_rows, DLG_BOTH_WAYS, NULL),
                         DLG_OK);
        r->linear->weight = r->products;
    }
}

void rig_evaluate(rig *r, int moving, double step)
{
    const dlg_op_class *class = r->op->class;
    place(r, moving, step);
    class->forward(r->op);
    class->backward(r->op);
    if (class->gradient) class->gradient(r->op);
    if (class->rstart) class->rstart(r->op);
    class->rforward(r->op);
    class->rbackward(r->op);
    for (size_t i = 0; i < r->n_inputs; i++) r->inputs[i].value->dx_begun = r->inputs[i].value->rdx_begun = false;
}

/* ---- the results ---- */

static size_t widen(size_t n, const dlg_real *numbers, double *out)
{
    assert_true(n <= RIG_ITEMS);
    for (size_t i = 0; i < n; i++) out[i] = (double)numbers[i];
    return n;
}

static size_t n_log_p(const dlg_cross_entropy *ce)
{
    return ce->logits->n_rows * ce->n_labels;
}

size_t rig_results(const rig *r, double *out)
{
    if (r->y) return widen(items(r->y), r->y->x, out);
    out[0] = r->loss->loss;
    return 1 + widen(n_log_p(r->loss), r->loss->log_p, out + 1);
}

size_t rig_result_derivatives(const rig *r, double *out)
{
    if (r->y) return widen(items(r->y), r->y->rx, out);
    const size_t n = widen(n_log_p(r->loss), r->loss->rlog_p, out + 1);
    out[0] = 0;
    for (size_t i = 0; i < n; i++) out[0] -= (double)r->loss->share[i] * out[1 + i] / r->loss->count;
    return 1 + n;
}

size_t rig_result_weights(const rig *r, double *out)
{
    if (r->y) return widen(items(r->y), r->dy, out);
    const size_t n = n_log_p(r->loss);
    memset(out, 0, (1 + n) * sizeof *out);
    out[0] = 1;
    return 1 + n;
}
