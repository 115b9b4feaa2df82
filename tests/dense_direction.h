/**
 * The plain weight direction: g is formed, c is a dense matrix. The reference that the attack's targets are tested
 * against.
 */
#ifndef DLG_TESTS_DENSE_DIRECTION_H
#define DLG_TESTS_DENSE_DIRECTION_H

#include "ops/weight_direction.h"

typedef struct {
    dlg_weight_direction base;
    size_t n_out, n_in;
    dlg_real *gradient;        /**< (n_out,n_in), OVERWRITTEN by take; may be NULL */
    const dlg_real *direction; /**< (n_out,n_in); NULL: zero */
} dlg_dense_direction;

/** Everything is borrowed. */
void dlg_dense_direction_init(dlg_dense_direction *, size_t n_out, size_t n_in, dlg_real *gradient,
                              const dlg_real *direction);

#endif
