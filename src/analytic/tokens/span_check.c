#include "analytic/tokens/span_check.h"

#include "base/memory.h"
#include "analytic/tokens/inputs.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

struct dlg_span_check {
    dlg_inputs inputs;
    size_t rank, n_types;
    double *basis, *x, *along; /* (rank, H), scratch (H) and (rank) */
};

dlg_status dlg_span_check_create(dlg_span_check **out, const dlg_model *model, const dlg_spectrum *inputs,
                                 size_t n_tokens, size_t n_types, dlg_error *err)
{
    const size_t H = model->config.hidden_size;
    const double smallest = dlg_tolerance_direction(inputs->roundoff);
    size_t rank = 0;
    while (rank < inputs->n && rank < n_tokens && inputs->values[rank] > smallest * inputs->values[0]) rank++;
    dlg_span_check *check = *out = dlg_allocate(1, sizeof *check);
    if (check)
        *check = (dlg_span_check){dlg_inputs_of(model),
                                  rank,
                                  n_types,
                                  dlg_allocate(rank * H + 1, sizeof *check->basis),
                                  dlg_allocate(H, sizeof *check->x),
                                  dlg_allocate(rank + 1, sizeof *check->along)};
    if (!check || !check->basis || !check->x || !check->along) {
        dlg_span_check_free(check);
        *out = NULL;
        return dlg_fail(err, DLG_ENOMEM, "span check: no memory");
    }
    memcpy(check->basis, inputs->vectors, rank * H * sizeof *check->basis);
    return DLG_OK;
}

void dlg_span_check_free(dlg_span_check *check)
{
    if (!check) return;
    dlg_free(check->basis);
    dlg_free(check->x);
    dlg_free(check->along);
    dlg_free(check);
}

double dlg_span_check_outside(const dlg_span_check *check, uint32_t token, size_t position)
{
    double least = 1;
    for (size_t type = 0; type < check->n_types; type++) {
        const double norm2 = dlg_input_at(&check->inputs, token, position, type, check->x);
        const double left = dlg_take_out(check->rank, check->inputs.H, check->basis, check->x, check->along);
        if (norm2 > 0) least = fmin(least, left * left / norm2);
    }
    return least;
}

/*
 * Inside and outside must be this far apart. In a gradient that is exact to single precision the tokens lie at its
 * rounding, and others of a batch, near combinations of those that were there, may lie not far above; elsewhere what is
 * outside must be this far out: where the tokens fill the space all is inside.
 */
static const double gap = 10, clearly_outside = 1e-3;

size_t dlg_span_check_positions(const dlg_span_check *check, uint32_t token, size_t length, size_t *positions,
                                double *outside)
{
    const size_t n = length > 2 ? length - 2 : 0;
    const double rounding = dlg_tolerance_input_exact() * dlg_tolerance_input_exact();
    size_t n_found = 0;
    bool is_exact = false;
    double best_ratio = gap, limit = 0;
    for (size_t i = 0; i < n; i++) {
        outside[i] = fmax(dlg_span_check_outside(check, token, i + 1), rounding);
        is_exact |= outside[i] == rounding;
    }
    for (size_t i = 0; i < n; i++) {
        /* the next larger one decides how wide the gap above the i-th is: where all is exact the first will do, else it
         * is the widest */
        double next = INFINITY;
        for (size_t k = 0; k < n; k++)
            if (outside[k] > outside[i] && outside[k] < next) next = outside[k];
        if (next == INFINITY || !(next / outside[i] > (is_exact ? gap : best_ratio))) continue;
        if (is_exact ? limit > 0 && outside[i] > limit : next < clearly_outside) continue;
        best_ratio = next / outside[i];
        limit = outside[i];
    }
    for (size_t i = 0; i < n; i++)
        if (outside[i] <= limit) positions[n_found++] = i + 1;
    return n_found;
}
