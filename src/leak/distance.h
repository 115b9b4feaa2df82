/** How far the dummy's gradient g is from the shared one t. A distance is a sum over tensors of a function of three numbers. */
#ifndef DLG_LEAK_DISTANCE_H
#define DLG_LEAK_DISTANCE_H

#include "base/status.h"

#include <stddef.h>

/** One tensor, with e = g - t. In these numbers nothing cancels when g comes close to t. */
typedef struct {
    double tt; /**< ||t||^2 */
    double te; /**< <t, e> */
    double ee; /**< ||e||^2 */
} dlg_residual;

/** A tensor's part of the distance, and its derivative with respect to g: a e + b t. */
typedef struct {
    double value, a, b;
} dlg_distance_part;

typedef struct {
    const char *name, *help;
    dlg_distance_part (*part)(dlg_residual, size_t n_tensors);
} dlg_distance;

/** The distance of that name: "l2", "relative", "cosine". Errors: DLG_EARG lists the names. */
DLG_MUST_USE dlg_status dlg_distance_find(const dlg_distance **out, const char *name, dlg_error *);

#endif
