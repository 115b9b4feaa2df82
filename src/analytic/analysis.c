#include "analytic/analysis.h"

#include "analytic/infer.h"
#include "analytic/labels/infer_labels.h"
#include "base/memory.h"
#include "math/rank.h"
#include "math/tolerance.h"
#include "analytic/tokens/segments.h"

/* Ranks are first looked for up to the first; where that is not enough, up to the last. */
enum { FEW_ROWS = 48, MOST_ROWS = 256 };

typedef struct {
    bool is_known;
    size_t n;
} count;

struct dlg_analysis {
    const dlg_gradient *gradient;
    dlg_special_tokens special;
    count n_rows, length, n_types, n_inputs, n_attended, n_head_rows; /* n_rows: that the positions' gradient shows */
    size_t n_typed, *types; /* (n_typed) of a single sentence; 0: not looked for */
    double types_misfit;
    size_t framed_length; /* 0: not looked for */
    unsigned framing;
    dlg_spectrum inputs, head;
    bool has_traces, has_restoration, has_update_tokens, has_dropout, had_dropout;
    dlg_defence_traces traces;
    dlg_label_restoration restoration;
    dlg_candidates candidates;  /* of no position: not looked for */
    dlg_dropped_inputs dropped; /* likewise */
    dlg_position_check *check;
    dlg_update_tokens update_tokens;
    dlg_forward forward;
};

dlg_status dlg_analysis_create(dlg_analysis **out, const dlg_gradient *gradient, dlg_special_tokens special,
                               dlg_error *err)
{
    *out = dlg_allocate(1, sizeof **out);
    if (!*out) return dlg_fail(err, DLG_ENOMEM, "analysis: no memory");
    **out = (dlg_analysis){.gradient = gradient, .special = special, .forward = {.model = gradient->model}};
    return DLG_OK;
}

void dlg_analysis_free(dlg_analysis *a)
{
    if (!a) return;
    dlg_spectrum_release(&a->inputs);
    dlg_spectrum_release(&a->head);
    dlg_candidates_release(&a->candidates);
    dlg_dropped_inputs_release(&a->dropped);
    dlg_position_check_free(a->check);
    dlg_free(a->types);
    dlg_update_tokens_release(&a->update_tokens);
    dlg_forward_release(&a->forward);
    dlg_free(a);
}

const dlg_gradient *dlg_analysis_gradient(const dlg_analysis *a)
{
    return a->gradient;
}

dlg_special_tokens dlg_analysis_special(const dlg_analysis *a)
{
    return a->special;
}

dlg_forward *dlg_analysis_forward(dlg_analysis *a)
{
    return &a->forward;
}

/* ---- the numbers ---- */

static size_t count_rows(dlg_analysis *a)
{
    if (!a->n_rows.is_known) a->n_rows = (count){true, dlg_infer_length(a->gradient)};
    return a->n_rows.n;
}

dlg_status dlg_analysis_length(size_t *length, dlg_analysis *a, dlg_error *err)
{
    dlg_status status = DLG_OK;
    const bool is_frozen = !dlg_gradient_at(a->gradient, a->gradient->model->roles.positions);
    if (!a->length.is_known && is_frozen) status = dlg_infer_length_without_rows(&a->length.n, a, err);
    else if (!a->length.is_known) a->length.n = count_rows(a);
    a->length.is_known = !status;
    *length = a->length.n;
    return status;
}

size_t dlg_analysis_count_types(dlg_analysis *a)
{
    if (!a->n_types.is_known) a->n_types = (count){true, dlg_segments_count(a->gradient, count_rows(a))};
    return a->n_types.n;
}

/* Of one sentence nothing but rounding is left, or noise; of several with boundaries of their own much is. */
static const double hardly_left = 0.3;

dlg_status dlg_analysis_types(const size_t **out, dlg_analysis *a, size_t length, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = NULL;
    if (dlg_analysis_count_types(a) != 2) return DLG_OK;
    if (a->n_typed != length) {
        dlg_free(a->types);
        a->n_typed = 0;
        a->types = dlg_allocate(length, sizeof *a->types);
        status = a->types ? dlg_segments_find(a->types, &a->types_misfit, a->gradient, length, err)
                          : dlg_fail(err, DLG_ENOMEM, "token types: no memory");
        if (!status) a->n_typed = length;
    }
    if (!status && a->types_misfit < hardly_left) *out = a->types;
    return status;
}

dlg_status dlg_analysis_traces(const dlg_defence_traces **out, dlg_analysis *a, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = &a->traces;
    if (!a->has_traces) status = dlg_defence_traces_find(&a->traces, a->gradient, count_rows(a), err);
    a->has_traces = !status;
    return status;
}

/* ---- layer 0 ---- */

dlg_status dlg_analysis_inputs(const dlg_spectrum **out, dlg_analysis *a, size_t n_wanted, dlg_error *err)
{
    const dlg_stack stack = dlg_gradient_inputs(a->gradient, &a->gradient->model->roles.blocks[0]);
    *out = &a->inputs;
    return dlg_spectrum_grow(&a->inputs, &stack, n_wanted, a->gradient->roundoff, err);
}

dlg_status dlg_analysis_count_inputs(size_t *n, dlg_analysis *a, dlg_error *err)
{
    const dlg_spectrum *inputs;
    dlg_rank rank = {0};
    dlg_status status = DLG_OK;
    for (size_t most = FEW_ROWS; !a->n_inputs.is_known && !status; most = MOST_ROWS) {
        status = dlg_analysis_inputs(&inputs, a, most, err);
        if (!status) rank = dlg_rank_judge(inputs->n, inputs->values, most, inputs->roundoff);
        if (!status && (rank.is_clear || most == MOST_ROWS)) a->n_inputs = (count){true, rank.is_clear ? rank.rank : 0};
    }
    *n = a->n_inputs.n;
    return status;
}

static dlg_status find_rank(size_t *n, const dlg_stack *stack, dlg_error *err)
{
    const size_t widest = stack->n_in < MOST_ROWS ? stack->n_in : MOST_ROWS;
    dlg_rank rank;
    dlg_status status = dlg_rank_find(&rank, stack, FEW_ROWS < widest ? FEW_ROWS : widest, err);
    if (!status && !rank.is_clear && FEW_ROWS < widest) status = dlg_rank_find(&rank, stack, widest, err);
    *n = !status && rank.is_clear ? rank.rank : 0;
    return status;
}

dlg_status dlg_analysis_count_attended(size_t *n, dlg_analysis *a, dlg_error *err)
{
    const dlg_parameter *p = a->gradient->model->roles.blocks[0].wide.weight;
    const dlg_stack rows = {1, p->n_cols, {dlg_gradient_at(a->gradient, p)}, {p->n_rows}};
    dlg_status status = DLG_OK;
    if (!a->n_attended.is_known && rows.blocks[0] && a->gradient->model->config.n_layers > 1)
        status = find_rank(&a->n_attended.n, &rows, err);
    a->n_attended.is_known = !status;
    *n = a->n_attended.n;
    return status;
}

/* ---- tokens ---- */

/* What lies outside of begin's input, by its square: a gradient without dropout leaves less. One number may be so large
 * that others which were dropped are hardly more. */
static const double dropped = 1e-5;

static dlg_status find_dropout(bool *out, dlg_analysis *a, dlg_error *err)
{
    const dlg_spectrum *inputs;
    dlg_span_check *check = NULL;
    size_t rank, n_dropped = 0;
    *out = false;
    dlg_status status = dlg_analysis_count_inputs(&rank, a, err);
    if (status || !rank || !dlg_dropped_inputs_have_room(a->gradient->model, rank)) return status;
    status = dlg_analysis_inputs(&inputs, a, SIZE_MAX, err);
    if (!status) status = dlg_span_check_create(&check, a->gradient->model, inputs, rank, 1, err);
    const bool is_there = !status && dlg_span_check_outside(check, a->special.begin, 0) < dropped;
    dlg_span_check_free(check);
    if (!status && !is_there)
        status = dlg_dropped_inputs_have(out, &n_dropped, a->gradient->model, inputs, rank, a->special.begin, 0, err);
    *out &= !status && n_dropped > 0;
    return status;
}

dlg_status dlg_analysis_dropout(bool *was_on, dlg_analysis *a, dlg_error *err)
{
    dlg_status status = DLG_OK;
    if (!a->has_dropout) status = find_dropout(&a->had_dropout, a, err);
    a->has_dropout = !status;
    *was_on = a->had_dropout;
    return status;
}

dlg_status dlg_analysis_dropped_inputs(const dlg_dropped_inputs **out, dlg_analysis *a, size_t n_positions,
                                       dlg_error *err)
{
    const dlg_spectrum *inputs;
    size_t rank;
    bool was_on;
    *out = &a->dropped;
    dlg_status status = dlg_analysis_dropout(&was_on, a, err);
    if (status || !was_on || a->dropped.n_positions == n_positions) return status;
    dlg_dropped_inputs_release(&a->dropped);
    status = dlg_analysis_count_inputs(&rank, a, err);
    if (!status) status = dlg_analysis_inputs(&inputs, a, SIZE_MAX, err);
    if (!status)
        status = dlg_dropped_inputs_find(&a->dropped, a->gradient->model, inputs, rank, n_positions, a->special, err);
    return status;
}

dlg_status dlg_analysis_span_check(dlg_span_check **out, dlg_analysis *a, size_t n_tokens, dlg_error *err)
{
    const dlg_spectrum *inputs;
    *out = NULL;
    const dlg_status status = dlg_analysis_inputs(&inputs, a, n_tokens + DLG_SPAN_CHECK_BEYOND, err);
    return status ? status
                  : dlg_span_check_create(out, a->gradient->model, inputs, n_tokens, dlg_analysis_count_types(a), err);
}

dlg_status dlg_analysis_candidates(const dlg_candidates **out, dlg_analysis *a, size_t n_positions, dlg_error *err)
{
    const dlg_spectrum *inputs;
    *out = &a->candidates;
    if (a->candidates.n_positions == n_positions) return DLG_OK;
    dlg_candidates_release(&a->candidates);
    dlg_status status = dlg_analysis_inputs(&inputs, a, SIZE_MAX, err);
    if (!status)
        status = dlg_candidates_find(&a->candidates, a->gradient->model, inputs, n_positions,
                                     dlg_analysis_count_types(a), err);
    if (!status) status = dlg_candidates_from_embedding(&a->candidates, a->gradient, err);
    if (status) dlg_candidates_release(&a->candidates);
    return status;
}

dlg_status dlg_analysis_position_check(const dlg_position_check **out, dlg_analysis *a, size_t length, dlg_error *err)
{
    const dlg_roles *roles = &a->gradient->model->roles;
    const size_t *types = NULL;
    dlg_status status = DLG_OK;
    if (a->check && dlg_position_check_length(a->check) != length) {
        dlg_position_check_free(a->check);
        a->check = NULL;
    }
    if (!a->check && roles->is_post_norm && dlg_gradient_at(a->gradient, roles->positions))
        status = dlg_analysis_types(&types, a, length, err);
    if (!a->check && !status && roles->is_post_norm && dlg_gradient_at(a->gradient, roles->positions))
        status = dlg_position_check_create(&a->check, a->gradient, length, types, err);
    *out = a->check;
    return status;
}

/* ---- framing ---- */

/* Which of two tokens is there at a position, as bits; all: nothing is seen. */
static unsigned look_in_layer_0(const dlg_span_check *check, uint32_t a, uint32_t b, size_t position)
{
    const double inside = dlg_tolerance_input_weak() * dlg_tolerance_input_weak();
    return (dlg_span_check_outside(check, a, position) < inside ? 1U : 0) |
           (dlg_span_check_outside(check, b, position) < inside ? 2U : 0);
}

static unsigned look_at_position(const dlg_position_check *check, uint32_t a, uint32_t b, size_t position)
{
    return (dlg_position_check_admits(check, a, position) ? 1U : 0) |
           (dlg_position_check_admits(check, b, position) ? 2U : 0);
}

static unsigned framing_of(unsigned first, unsigned last)
{
    return (first & 2 && !(last & 2) ? DLG_PADDED_BEFORE : 0U) | (last & 2 && !(first & 2) ? DLG_PADDED_BEHIND : 0U) |
           (first ? 0U : DLG_NO_BEGIN) | (last ? 0U : DLG_NO_END);
}

/* The row space must have room outside of it for what is not there. */
static dlg_status find_framing(unsigned *out, dlg_analysis *a, size_t length, dlg_error *err)
{
    const dlg_special_tokens s = a->special;
    const dlg_position_check *check = NULL;
    dlg_span_check *span = NULL;
    unsigned first = 1, last = 1;
    size_t n_inputs, seen = 0;
    bool was_dropped = false;
    dlg_status status = dlg_analysis_count_inputs(&n_inputs, a, err);
    if (!status) status = dlg_analysis_length(&seen, a, err);
    *out = dlg_analysis_count_types(a) > 1 ? DLG_PAIRED : 0;
    if (!status) status = dlg_analysis_dropout(&was_dropped, a, err);
    if (status || was_dropped) return status; /* it begins as texts do */
    if (!status && n_inputs >= length) status = dlg_analysis_span_check(&span, a, n_inputs, err);
    else if (!status && n_inputs) status = dlg_analysis_position_check(&check, a, length, err);
    if (span) first = look_in_layer_0(span, s.begin, s.pad, 0), last = look_in_layer_0(span, s.end, s.pad, length - 1);
    if (check && dlg_position_check_count(check, 0) && dlg_position_check_count(check, length - 1)) {
        first = look_at_position(check, s.begin, s.pad, 0);
        last = look_at_position(check, s.end, s.pad, length - 1);
    }
    if (!status && length != seen) last = 1; /* told, and not the end */
    *out |= framing_of(first, last);
    dlg_span_check_free(span);
    return status;
}

dlg_status dlg_analysis_framing(dlg_special_tokens *out, dlg_analysis *a, size_t length, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = a->special;
    if (a->framed_length != length) status = find_framing(&a->framing, a, length, err);
    if (!status) a->framed_length = length;
    out->framing = status ? 0 : a->framing;
    return status;
}

dlg_status dlg_analysis_update_tokens(const dlg_update_tokens **out, dlg_analysis *a, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = &a->update_tokens;
    if (!a->has_update_tokens) status = dlg_update_tokens_find(&a->update_tokens, a->gradient, err);
    a->has_update_tokens = !status;
    return status;
}

/* ---- labels ---- */

dlg_status dlg_analysis_head(const dlg_spectrum **out, dlg_analysis *a, size_t n_wanted, dlg_error *err)
{
    const dlg_parameter *p = a->gradient->model->roles.head.weight;
    const dlg_real *g = dlg_gradient_at(a->gradient, p);
    const size_t n_rows = p->n_rows, n_cols = p->n_cols;
    *out = &a->head;
    if (!g || a->head.is_whole || a->head.n >= n_wanted) return DLG_OK;
    dlg_real *turned = dlg_allocate(n_rows * n_cols, sizeof *turned);
    if (!turned) return dlg_fail(err, DLG_ENOMEM, "head: no memory");
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < n_cols; k++) turned[k * n_rows + i] = g[i * n_cols + k];
    const dlg_status status =
        dlg_spectrum_grow(&a->head, &(dlg_stack){1, n_rows, {turned}, {n_cols}}, n_wanted, a->gradient->roundoff, err);
    dlg_free(turned);
    return status;
}

dlg_status dlg_analysis_count_head_rows(size_t *n, dlg_analysis *a, dlg_error *err)
{
    const dlg_spectrum *head;
    const dlg_defence_traces *traces;
    dlg_status status = dlg_analysis_traces(&traces, a, err);
    if (!a->n_head_rows.is_known && !status) status = dlg_analysis_head(&head, a, DLG_HEAD_ROWS_MOST, err);
    if (!a->n_head_rows.is_known && !status)
        a->n_head_rows = (count){true, traces->is_clipped ? 0 : dlg_infer_head_rows(a->gradient, head)};
    *n = a->n_head_rows.n;
    return status;
}

dlg_status dlg_analysis_restoration(const dlg_label_restoration **out, dlg_analysis *a, dlg_error *err)
{
    dlg_status status = DLG_OK;
    *out = &a->restoration;
    if (!a->has_restoration) status = dlg_label_restoration_solve(&a->restoration, a->gradient, err);
    a->has_restoration = !status;
    return status;
}
