/** Minimisers of a smooth function of many numbers; one file each. */
#ifndef DLG_OPTIMISE_MINIMISE_H
#define DLG_OPTIMISE_MINIMISE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/** The function to be minimised, and who follows the descent. */
typedef struct {
    size_t n;
    /** @return f(x), and its derivative in dx (n). Not finite: the point is no good. */
    double (*evaluate)(void *payload, const double *x, double *dx);
    /** Called at every point the minimiser accepts. @return true to end there */
    bool (*accept)(void *payload, const double *x, double f);
    void *payload;
} dlg_function;

typedef enum {
    DLG_ENDED_BY_CALLER, /**< accept returned true */
    DLG_NO_DESCENT       /**< no lower point could be found along the way */
} dlg_minimise_end;

typedef struct {
    const char *name, *help;
    /** Minimise from x (n), which becomes the last point accepted. Errors: DLG_ENOMEM. */
    dlg_status (*run)(dlg_minimise_end *end, const dlg_function *, double *x, dlg_error *);
} dlg_minimiser;

/** Limited-memory BFGS with strong Wolfe conditions (Liu & Nocedal 1989; More & Thuente 1994), history 100. */
extern const dlg_minimiser dlg_lbfgs;
/** The same without a line search, as the DLG papers used it (PyTorch's, step 1). */
extern const dlg_minimiser dlg_plain_lbfgs;
/** Adam (Kingma & Ba 2015, arXiv:1412.6980), its step relative to the numbers' scale and decaying. */
extern const dlg_minimiser dlg_adam;

/** All there are, ending with NULL. */
extern const dlg_minimiser *const dlg_minimisers[];

/** By name. Errors: DLG_EARG lists the names. */
DLG_MUST_USE dlg_status dlg_minimiser_find(const dlg_minimiser **out, const char *name, dlg_error *);

#endif
