#include "analytic/tokens/dropped_fit.h"

#include "base/memory.h"
#include "math/sparse_fit.h"

#include <math.h>

enum {
    FEW_ROUNDS = 2,
    ROUNDS = 60,
    REFINED = 4, /* times the entries that count are chosen anew */
    BEYOND = 16, /* entries left at nothing, beyond as many as any input would have */
    ONE_IN = 100 /* entries may be neither, for those are small themselves */
};

/* Of the mean of |y|: what is left at nothing; of an entry: what may count as that while it is refined. */
static const double nothing = 1e-2, nearly = 0.3;

dlg_status dlg_dropped_fit_create(dlg_dropped_fit *out, size_t H, dlg_error *err)
{
    *out = (dlg_dropped_fit){.y = dlg_allocate(H, sizeof *out->y),
                             .left = dlg_allocate(H, sizeof *out->left),
                             .is_kept = dlg_allocate(H, sizeof *out->is_kept)};
    if (out->y && out->left && out->is_kept) return DLG_OK;
    dlg_dropped_fit_release(out);
    return dlg_fail(err, DLG_ENOMEM, "dropped inputs: no memory");
}

void dlg_dropped_fit_release(dlg_dropped_fit *fit)
{
    dlg_free(fit->y);
    dlg_free(fit->left);
    dlg_free(fit->is_kept);
    *fit = (dlg_dropped_fit){0};
}

size_t dlg_dropped_fit_scratch(const dlg_dropped_space *space)
{
    return dlg_sparse_fit_scratch(space->rank, space->in.H) + space->in.H;
}

void dlg_dropped_fit_begin(dlg_dropped_fit *fit, const dlg_dropped_space *space, uint32_t token, size_t position,
                           double *scratch)
{
    const size_t H = space->in.H;
    fit->token = token;
    fit->position = position;
    fit->is_whole = false;
    (void)dlg_input_at(&space->in, token, position, 0, fit->y);
    const bool fits = dlg_sparse_fit(space->rank, H, space->basis, fit->y, NULL, FEW_ROUNDS, false, fit->left, scratch);
    fit->rest = fits ? dlg_sparse_fit_rest(H, fit->y, fit->left) : INFINITY;
}

void dlg_dropped_fit_go_on(dlg_dropped_fit *fit, const dlg_dropped_space *space, double *scratch)
{
    const size_t H = space->in.H;
    const bool fits = isfinite(fit->rest) &&
                      dlg_sparse_fit(space->rank, H, space->basis, fit->y, NULL, FEW_ROUNDS, true, fit->left, scratch);
    fit->rest = fits ? dlg_sparse_fit_rest(H, fit->y, fit->left) : INFINITY;
}

/* What every entry is, and how many are neither. */
static size_t judge(dlg_dropped_fit *fit, size_t H)
{
    double mean = 0;
    size_t n_neither = 0;
    for (size_t i = 0; i < H; i++) mean += fabs(fit->y[i]) / (double)H;
    fit->n_none = 0;
    for (size_t i = 0; i < H; i++) {
        const double left = fabs(fit->left[i]), r = fabs(fit->y[i] - fit->left[i]);
        fit->is_kept[i] = left < r;
        fit->n_none += left < nothing * mean;
        n_neither += left >= nothing * mean && r >= nothing * mean;
    }
    return n_neither;
}

/* Nothing is left of a dropped entry where a fit comes to zero there. */
static bool fit_asked(dlg_dropped_fit *fit, const dlg_dropped_space *space, const signed char *asked, double *scratch)
{
    const size_t H = space->in.H;
    double *y = scratch;
    for (size_t i = 0; i < H; i++) {
        y[i] = asked[i] == DLG_DROPPED ? 0 : fit->y[i];
        fit->is_kept[i] = asked[i] != DLG_ANY;
    }
    if (!dlg_sparse_fit(space->rank, H, space->basis, y, fit->is_kept, ROUNDS, false, fit->left, y + H)) return false;
    for (size_t i = 0; i < H; i++) fit->left[i] += fit->y[i] - y[i];
    return true;
}

void dlg_dropped_fit_end(dlg_dropped_fit *fit, const dlg_dropped_space *space, const signed char *asked,
                         double *scratch)
{
    const size_t H = space->in.H, k = space->rank;
    fit->is_whole = false;
    fit->n_none = 0;
    bool fits = isfinite(fit->rest) &&
                (asked ? fit_asked(fit, space, asked, scratch)
                       : dlg_sparse_fit(k, H, space->basis, fit->y, NULL, ROUNDS, true, fit->left, scratch));
    for (size_t n = 0; n < REFINED && fits; n++) {
        for (size_t i = 0; i < H; i++) fit->is_kept[i] = fabs(fit->left[i]) < nearly * fabs(fit->y[i]);
        fits = dlg_fit_some(k, H, space->basis, fit->y, fit->is_kept, fit->left, scratch);
    }
    if (fits) fit->is_whole = judge(fit, H) <= H / ONE_IN + 1 && fit->n_none >= k + BEYOND;
}

bool dlg_dropped_fit_is_mixed(const dlg_dropped_fit *fit, const dlg_dropped_space *space)
{
    return !fit->is_whole && fit->n_none >= space->rank + BEYOND;
}
