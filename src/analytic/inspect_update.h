/** What the rows that a training moved show, in an inspection. */
#ifndef DLG_ANALYTIC_INSPECT_UPDATE_H
#define DLG_ANALYTIC_INSPECT_UPDATE_H

#include "analytic/analysis.h"
#include "analytic/inspect.h"

/**
 * Put in what they show, which rests on no gradient: rows that nobody looked up say that the model is this one.
 * Nothing of a gradient. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_inspect_update(dlg_inspection *, dlg_analysis *, dlg_error *);

#endif
