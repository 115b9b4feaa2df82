/**
 * How far the dummy's gradient g is from the shared one t. A distance is a sum over tensors of a function of a few
 * numbers.
 */
#ifndef DLG_MATCHING_DISTANCE_H
#define DLG_MATCHING_DISTANCE_H

#include "base/status.h"
#include "math/real.h"

#include <stdbool.h>
#include <stddef.h>

/** One tensor, with e = g - t. In these numbers nothing cancels when g comes close to t. */
typedef struct {
    double tt; /**< ||t||^2 */
    double te; /**< <t, e> */
    double ee; /**< ||e||^2 */
    double e1; /**< ||e||_1, for distances by number; else 0 */
} dlg_residual;

/** To a residual's te, ee and e1 add those of n numbers g beside t. */
void dlg_residual_compare(dlg_residual *, size_t n, const dlg_real *g, const dlg_real *t);

/** What a residual becomes where g is multiplied: by g - t = by e + (by - 1) t. e1 is left as it is. */
dlg_residual dlg_residual_multiply(dlg_residual, double by);

/** A tensor's part of the distance, and its derivative with respect to g: a e + b t + s sign(e). */
typedef struct {
    double value, a, b, s;
} dlg_distance_part;

/**
 * A part that was found for by g, as one of g's own e. Where `by` makes the distance least its own change does not
 * count.
 */
dlg_distance_part dlg_distance_part_turn_back(dlg_distance_part, double by);

typedef struct {
    const char *name, *help;
    bool by_number; /**< depends on e1, so that gradients must be formed; else s is 0 */
    /** For tensor i of n, from the embeddings to the head. */
    dlg_distance_part (*part)(dlg_residual, size_t i, size_t n);
} dlg_distance;

extern const dlg_distance dlg_l2, dlg_relative, dlg_cosine, dlg_l2_l1, dlg_tag_distance;

/**
 * What rounding leaves of it at the truth, at most, as a part of that of a zero gradient: of squares the square.
 * Arguments as in math/tolerance.h.
 */
double dlg_distance_rounding(const dlg_distance *, double roundoff, size_t hidden, size_t depth);

/** All there are, ending with NULL. */
extern const dlg_distance *const dlg_distances[];

/** By name. Errors: DLG_EARG lists the names. */
DLG_MUST_USE dlg_status dlg_distance_find(const dlg_distance **out, const char *name, dlg_error *);

#endif
