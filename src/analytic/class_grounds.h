/** How sure a classifier's classes are, and the factor of its gradient. */
#ifndef DLG_ANALYTIC_CLASS_GROUNDS_H
#define DLG_ANALYTIC_CLASS_GROUNDS_H

#include "analytic/inspect.h"

/** Sets labels_ground and scale_ground of an inspection; is_defended is set there. */
void dlg_class_grounds_find(dlg_inspection *, const dlg_gradient *, const dlg_label_restoration *);

#endif
