/** Some rows of a matrix: y[i] = x[row[i]]. */
#ifndef DLG_OPS_SELECT_H
#define DLG_OPS_SELECT_H

#include "ops/op.h"

/** x (n, C) -> y (m, C); row (m), distinct, below n. x has no other consumer. */
typedef struct {
    dlg_op op;
    dlg_value *x, *y;
    const size_t *row;
} dlg_select;

extern const dlg_op_class dlg_select_class;

#endif
