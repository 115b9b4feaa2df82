/**
 * Whether an input of layer 0 went in with some of its numbers dropped: the fit of one token at one position
 * (dropped_inputs.h).
 */
#ifndef DLG_ANALYTIC_TOKENS_DROPPED_FIT_H
#define DLG_ANALYTIC_TOKENS_DROPPED_FIT_H

#include "analytic/tokens/inputs.h"

/** Borrowed. */
typedef struct {
    dlg_inputs in;
    size_t rank;
    const double *basis; /**< (rank, H) orthonormal rows of the row space */
} dlg_dropped_space;

/** One input and what a fit leaves of it. Zero-initialise; release with dlg_dropped_fit_release. */
typedef struct {
    uint32_t token;
    size_t position;
    double *y, *left; /**< (H) */
    bool *is_kept;    /**< (H) where is_whole */
    double rest;      /**< dlg_sparse_fit_rest */
    size_t n_none;    /**< entries that are left at nothing */
    bool is_whole;    /**< every entry is left at nothing or as it is, and more at nothing than any input would be */
} dlg_dropped_fit;

/** Errors: DLG_ENOMEM; all are then empty. */
DLG_MUST_USE dlg_status dlg_dropped_fit_create(dlg_dropped_fit *out, size_t H, dlg_error *);

/** Accepts a zeroed one. */
void dlg_dropped_fit_release(dlg_dropped_fit *);

/** Numbers of scratch that the others need. */
size_t dlg_dropped_fit_scratch(const dlg_dropped_space *);

/** A few rounds: y, left and rest of this token at this position, of the first type. */
void dlg_dropped_fit_begin(dlg_dropped_fit *, const dlg_dropped_space *, uint32_t token, size_t position,
                           double *scratch);

/** A few rounds more. */
void dlg_dropped_fit_go_on(dlg_dropped_fit *, const dlg_dropped_space *, double *scratch);

/** What is asked of single entries (H), to choose among several solutions. */
typedef enum { DLG_DROPPED = -1, DLG_ANY, DLG_KEPT } dlg_asked_entry;

/** The other rounds. @param asked NULL: nothing, and it goes on from where dlg_dropped_fit_begin has come to */
void dlg_dropped_fit_end(dlg_dropped_fit *, const dlg_dropped_space *, const signed char *asked, double *scratch);

/** Of a fit that came to nothing whole: whether many entries are left at nothing, as where several solutions mix. */
bool dlg_dropped_fit_is_mixed(const dlg_dropped_fit *, const dlg_dropped_space *);

#endif
