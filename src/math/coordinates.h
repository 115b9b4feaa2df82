/** Rows in a basis of few directions, in double. */
#ifndef DLG_MATH_COORDINATES_H
#define DLG_MATH_COORDINATES_H

#include "base/status.h"
#include "math/real.h"

#include <stddef.h>

/**
 * out (n, rank) = rows (n, H) times the transpose of basis (rank, H), which is not rounded on the way. Errors:
 * DLG_ENOMEM, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_coordinates(size_t n, size_t H, const dlg_real *rows, size_t rank, const double *basis,
                                        double *out, dlg_error *);

#endif
