/** Dropout (Srivastava et al. 2014, JMLR 15): numbers are dropped at random, and the others grow for them. */
#ifndef DLG_OPS_DROPOUT_H
#define DLG_OPS_DROPOUT_H

#include "ops/op.h"

#include <stdint.h>

/** x (n, C) -> y (n, C). x has no other consumer. */
typedef struct {
    dlg_op op;
    dlg_value *x, *y;
    double rate;     /**< of numbers that are dropped, below 1 */
    uint64_t seed;   /**< each number's fate is a function of it, of the stream and of where it stands */
    uint32_t stream; /**< another one for each of a list */
    dlg_real *keep;  /**< (n, C) forward: 0, or 1 / (1 - rate) */
} dlg_dropout;

extern const dlg_op_class dlg_dropout_class;

#endif
