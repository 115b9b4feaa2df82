/**
 * The numerical rank of a weight's gradient: how many rows of the batch went into it, or at most how many can be
 * seen.
 */
#ifndef DLG_MATH_RANK_H
#define DLG_MATH_RANK_H

#include "base/status.h"
#include "math/row_space.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t rank;   /**< singular values above the gap; where there is none, how many were looked at */
    bool is_clear; /**< a gap is there: what lies below it is rounding */
    double gap;    /**< ratio of the singular values on both sides of the gap; 0 without one */
} dlg_rank;

/**
 * The gradient of a linear layer, dY^T X, has as many singular values above rounding as rows of dY and X that are
 * independent. Their ratio to the next one below, not their size, tells where they end: sizes differ by orders of
 * magnitude between layers and models.
 * @param most ranks up to this are told apart @return an all-zero matrix has rank 0, clearly
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_rank_find(dlg_rank *out, const dlg_stack *, size_t most, dlg_error *);

/**
 * The same of singular values that are known: the n largest, descending; of none nothing is clear.
 * @param roundoff of the numbers that they are of (math/tolerance.h)
 */
dlg_rank dlg_rank_judge(size_t n, const double *values, size_t most, double roundoff);

/**
 * How many of n descending singular values mean something: those up to the last that is followed by a fall, where
 * rounding, or noise, does not fall. Where there is a clear rank, that; where all is noise nearly n; and between them
 * what a rank that must be clear leaves open.
 */
size_t dlg_rank_visible(size_t n, const double *values, double roundoff);

#endif
