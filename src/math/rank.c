#include "math/rank.h"

#include "base/memory.h"
#include "math/tolerance.h"

#include <math.h>

/*
 * The last step down to rounding is the gap, of at least this ratio. One before it that is so many times wider is it
 * instead: what lies between is rounding of sums that cancel.
 */
static const double least_step = 5, far_wider = 100;

/*
 * Where there is none, because numbers were rounded more: the widest ratio, of at least so much, down to at most that,
 * with a floor behind it: so many values that decline by no more than this. The last values of a whole matrix fall off
 * steeply whatever it holds.
 */
static const double least_gap = 8, largest_below = 1e-3, largest_decline = 4;
enum { FLOOR = 8 };

/* Whether the values below the r-th are much the same. */
static bool has_floor(size_t n, const double *values, size_t r)
{
    return r + FLOOR <= n && values[r] <= largest_decline * values[r + FLOOR - 1];
}

dlg_rank dlg_rank_judge(size_t n, const double *values, size_t most, double roundoff)
{
    const double rounding = dlg_tolerance_floor(roundoff), zero = dlg_tolerance_zero(roundoff);
    dlg_rank found = {.rank = most < n ? most : n};
    if (!n) return (dlg_rank){0};
    if (!(values[0] > 0)) return (dlg_rank){.is_clear = true};
    bool is_exact = false;
    for (size_t r = 1; r < n && r <= most; r++) {
        const double above = fmax(values[r - 1] / values[0], zero), below = fmax(values[r] / values[0], zero),
                     ratio = above / below;
        const bool to_rounding = ratio >= least_step && below <= rounding;
        const bool to_floor = !is_exact && ratio >= least_gap && below <= largest_below && has_floor(n, values, r);
        if (to_rounding ? !is_exact || far_wider * ratio > found.gap : to_floor && ratio > found.gap)
            found = (dlg_rank){r, true, ratio};
        is_exact |= to_rounding;
    }
    return found;
}

dlg_status dlg_rank_find(dlg_rank *out, const dlg_stack *stack, size_t most, dlg_error *err)
{
    const size_t n_wanted = most + FLOOR;
    size_t n = 0;
    double *values = dlg_allocate(n_wanted, sizeof *values);
    *out = (dlg_rank){0};
    const dlg_status status =
        values ? dlg_singular_values(&n, values, stack, n_wanted, err) : dlg_fail(err, DLG_ENOMEM, "rank: no memory");
    if (!status) *out = dlg_rank_judge(n, values, most, DLG_GRAM_ROUNDOFF);
    dlg_free(values);
    return status;
}

/* Singular values of rounding fall more slowly than `fall` over so many. */
static const double fall = 2.5;
enum { FALL_WITHIN = 8 };

size_t dlg_rank_visible(size_t n, const double *values, double roundoff)
{
    const double nothing = dlg_tolerance_visible(roundoff);
    size_t rank = 0;
    for (size_t i = 0; i < n && values[i] > nothing * values[0]; i++)
        if (i + FALL_WITHIN >= n || values[i] > fall * values[i + FALL_WITHIN]) rank = i + 1;
    return rank;
}
