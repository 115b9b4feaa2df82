/** Linear layer (torch.nn.Linear): y = x W^T + b. */
#ifndef DLG_OPS_LINEAR_H
#define DLG_OPS_LINEAR_H

#include "math/packed_weight.h"
#include "ops/op.h"
#include "ops/weight_direction.h"

/** x (n, in) -> y (n, out). x may have other consumers. Everything is borrowed. */
typedef struct {
    dlg_op op;
    dlg_value *x, *y;
    const dlg_products *weight; /**< of x's rows with (out, in) */
    dlg_small_parameter bias;   /**< (out) */
    /** NULL: the weight's gradient is not wanted and the sweeps run along zero in it */
    dlg_weight_direction *direction;
} dlg_linear;

extern const dlg_op_class dlg_linear_class;

/** out (n_rows, in) = rows first_row .. of dL/dW = dy^T x, for a participant who shares it. After backward. */
void dlg_linear_weight_gradient(const dlg_linear *, size_t first_row, size_t n_rows, dlg_real *out);

#endif
