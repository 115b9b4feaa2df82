#include "attacks/session/descent.h"

#include <math.h>

/* That many iterations with the same text, D flat, are a settled text. */
enum { STABLE_ITERATIONS = 4 };

/* A start has stalled when D has not fallen by the factor over so many iterations. Over a defended gradient's noise D
 * falls slowly. */
typedef struct {
    size_t stall_iterations;
    double stall_factor;
    size_t first_placement;
} patience;

static const patience with_clean = {8, 0.8, 1}, with_defended = {12, 0.99, 8};

/* D falls no more when it falls by less than this. */
static const double flat = 0.99;

/* What a settled text may leave unaccounted for, as a part of what the gradient holds above its noise. */
static const double unaccounted = 0.02;

/* How much further than the free embeddings' the settled text's own D may be above the floor. */
static const double apart = 1.5;

/* A text of which no more than this is certain is not what the embeddings say: something else made the gradient. */
static const double least_certain = 0.5;

static patience patience_of(const dlg_descent *descent)
{
    return descent->is_defended ? with_defended : with_clean;
}

/* What of D the text can still be blamed for. */
static double above_floor(const dlg_descent *descent, double d)
{
    return fmax(0, d - descent->floor);
}

/* Whether D has not fallen by this factor over the last n iterations. */
static bool is_flat(const dlg_descent *descent, size_t n, double factor)
{
    const size_t now = descent->iteration;
    return now > n && now >= descent->anew + n && descent->history[now] > factor * descent->history[now - n];
}

void dlg_descent_begin(dlg_descent *descent)
{
    descent->iteration = descent->stable = descent->anew = 0;
    descent->history[0] = INFINITY;
}

void dlg_descent_add(dlg_descent *descent, double d)
{
    descent->history[++descent->iteration] = above_floor(descent, d);
}

void dlg_descent_begin_anew(dlg_descent *descent)
{
    descent->anew = descent->iteration + 1;
}

size_t dlg_descent_first_assignment(const dlg_descent *descent)
{
    return patience_of(descent).first_placement;
}

bool dlg_descent_has_stalled(const dlg_descent *descent)
{
    return is_flat(descent, patience_of(descent).stall_iterations, patience_of(descent).stall_factor);
}

bool dlg_descent_is_settled(const dlg_descent *descent, double d, double d_tokens, bool has_stalled, double certain)
{
    const double left = above_floor(descent, d_tokens);
    if (!descent->is_defended || left > unaccounted * above_floor(descent, descent->scale)) return false;
    if (certain < least_certain) return false;
    if (has_stalled && certain >= 1) return true;
    const bool ends_there = is_flat(descent, STABLE_ITERATIONS, flat) && left <= apart * above_floor(descent, d);
    return descent->stable >= STABLE_ITERATIONS && (d_tokens <= d || ends_there);
}
