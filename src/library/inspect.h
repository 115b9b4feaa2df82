/** What a gradient leaks, as the library holds it. */
#ifndef DLG_LIBRARY_INSPECT_H
#define DLG_LIBRARY_INSPECT_H

#include "analytic/inspect.h"
#include "dlg/inspect.h"

struct dlg_leakage {
    const dlg_gradient *gradient;
    dlg_inspection found;
    double seconds; /**< that it took */
};

#endif
