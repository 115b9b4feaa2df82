/** The strongest directions of the rows of weight gradients, found once for all who ask, in double. */
#ifndef DLG_MATH_SPECTRUM_H
#define DLG_MATH_SPECTRUM_H

#include "math/stack.h"

#include <stdbool.h>

/** Zero-initialise; release with dlg_spectrum_release. */
typedef struct {
    size_t n_in; /**< numbers of a row */
    size_t n;    /**< directions found */
    /** there are no others: these are all, or the last of them carries next to nothing */
    bool is_whole;
    double *values;  /**< (n) singular values, descending */
    double *vectors; /**< (n, n_in) orthonormal rows */
    double roundoff; /**< of the numbers that they are found of (math/tolerance.h) */
} dlg_spectrum;

/**
 * Find as many directions as are wanted, unless they are there already, or there are no others. What was borrowed of
 * the arrays before is gone. Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_spectrum_grow(dlg_spectrum *, const dlg_stack *, size_t n_wanted, double roundoff,
                                          dlg_error *);

/** Accepts a zeroed one. */
void dlg_spectrum_release(dlg_spectrum *);

#endif
