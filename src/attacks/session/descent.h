/** How one start of an attack goes down, and what that says: stalled, explained, or settled at the gradient's noise. */
#ifndef DLG_ATTACKS_SESSION_DESCENT_H
#define DLG_ATTACKS_SESSION_DESCENT_H

#include <stdbool.h>
#include <stddef.h>

/** Set scale, floor, is_defended and history; history is borrowed. */
typedef struct {
    double scale;     /**< D of a zero gradient */
    double floor;     /**< what no text can lower D below (dlg_objective_floor) */
    bool is_defended; /**< most targets are not of low rank */
    double *history;  /**< (iterations + 1) D above the floor after each iteration */
    size_t iteration;
    size_t stable; /**< iterations since the text last changed */
    size_t anew;   /**< the first iteration whose D may be compared with later ones */
} dlg_descent;

/** A new start. */
void dlg_descent_begin(dlg_descent *);

/** An iteration ended at D = d. */
void dlg_descent_add(dlg_descent *, double d);

/** What moves is another from here on: D of the iterations so far says nothing about those that come. */
void dlg_descent_begin_anew(dlg_descent *);

/** The iteration after which labels are first put in their places: over noise it shows later where they stand. */
size_t dlg_descent_first_assignment(const dlg_descent *);

/** Whether D has all but ceased to fall. */
bool dlg_descent_has_stalled(const dlg_descent *);

/**
 * Whether D of a defended gradient has come down to its noise and the text stands. It must account for nearly all that
 * a text can account for: under heavy noise any text does as badly as any other. And D falls no more while every
 * embedding points to its token; or the text has not changed for a while, and its own distance is no larger than that
 * of the free embeddings, or ends where theirs ends.
 * @param certain the part of the tokens whose evidence is good: of a text that has settled at least a half
 */
bool dlg_descent_is_settled(const dlg_descent *, double d, double d_tokens, bool has_stalled, double certain);

#endif
