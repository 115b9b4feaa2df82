/**
 * Why a gradient is not that of one step on this model, where it shows it, and what to do about it. Each is told by
 * what still holds: the rows of the position embedding are orthogonal to what was looked up, whatever was dropped
 * behind it, and the row space of layer 0 holds what went in there.
 */
#ifndef DLG_ANALYTIC_CAUSES_H
#define DLG_ANALYTIC_CAUSES_H

#include "analytic/analysis.h"

enum { DLG_CAUSES_MOST = 3 };

/** All static. */
typedef struct {
    const char *name; /**< "dropout", "weights", "steps", "clipped" */
    const char *seen; /**< what it is told by */
    const char *then; /**< what to do */
} dlg_cause;

typedef struct {
    size_t n;
    dlg_cause list[DLG_CAUSES_MOST];
} dlg_causes;

/**
 * Look for them, in a gradient that is not exact for its norm alone where it is defended.
 *   dropout  numbers of begin are missing in layer 0 (analytic/tokens/dropped_inputs.h); or begin and end fit the
 *            position embedding's rows to rounding, and layer 0 saw most of their inputs, not all
 *   weights  neither fits to rounding, yet the inputs of both all but lie in layer 0's row space: of a foreign model's
 *            gradient most of them is outside. It is another step's, or the sum of several
 *   steps    likewise, but begin went into layer 0 as it is: the sum of several, the first of which was taken here
 *   clipped  the norm of all tensors is a number that somebody would choose
 * @param length of the longest sentence; 0: not seen Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_causes_find(dlg_causes *out, dlg_analysis *, size_t length, bool is_defended, dlg_error *);

/** Whether "dropout" is among them; where nothing looks like it, for less work. @param length of the longest */
DLG_MUST_USE dlg_status dlg_causes_find_dropout(bool *was_on, dlg_analysis *, size_t length, dlg_error *);

/** Whether it is among them. */
bool dlg_causes_have(const dlg_causes *, const char *name);

#endif
