/*
 * L-BFGS as the attacks were published with it: PyTorch's optimiser at its defaults, but for the history. Each
 * iteration is one evaluation and one step of length 1, whether D falls or not; the very first is of length 1 /
 * ||dx||_1.
 */
#include "base/memory.h"
#include "optimise/minimise.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

enum { HISTORY = 100, SLOTS = HISTORY + 1 /* one for the pair that is being looked at */ };

/* A pair that curves less than this part of what its lengths allow is rounding, and is not remembered. */
static const double least_curvature = 1e-10;

typedef struct {
    size_t n, n_pairs, oldest;
    dlg_arena arena;
    double *step[SLOTS], *change[SLOTS]; /* s, and y: the derivative's change along it */
    double curvature[SLOTS];             /* <s, y> */
    double *x_before, *dx, *dx_before, *direction;
} memory;

static void add(size_t n, double a, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void carve(memory *m)
{
    for (size_t k = 0; k < SLOTS; k++) {
        m->step[k] = dlg_arena_carve(&m->arena, m->n, sizeof(double));
        m->change[k] = dlg_arena_carve(&m->arena, m->n, sizeof(double));
    }
    m->x_before = dlg_arena_carve(&m->arena, m->n, sizeof(double));
    m->dx = dlg_arena_carve(&m->arena, m->n, sizeof(double));
    m->dx_before = dlg_arena_carve(&m->arena, m->n, sizeof(double));
    m->direction = dlg_arena_carve(&m->arena, m->n, sizeof(double));
}

/* The i-th pair from the oldest. */
static size_t pair_at(const memory *m, size_t i)
{
    return (m->oldest + i) % SLOTS;
}

static void remember(memory *m, const double *x)
{
    const size_t n = m->n, k = pair_at(m, m->n_pairs);
    double *s = m->step[k], *y = m->change[k];
    for (size_t i = 0; i < n; i++) {
        s[i] = x[i] - m->x_before[i];
        y[i] = m->dx[i] - m->dx_before[i];
    }
    m->curvature[k] = dlg_dot_of_doubles(n, s, y);
    if (!(m->curvature[k] > least_curvature * sqrt(dlg_dot_of_doubles(n, s, s) * dlg_dot_of_doubles(n, y, y)))) return;
    if (m->n_pairs == HISTORY) m->oldest = pair_at(m, 1);
    else m->n_pairs++;
}

/* direction = -H dx (Nocedal 1980; the two loops) */
static void find_direction(memory *m)
{
    const size_t n = m->n;
    double along[HISTORY];
    for (size_t i = 0; i < n; i++) m->direction[i] = -m->dx[i];
    if (!m->n_pairs) return;
    for (size_t i = m->n_pairs; i-- > 0;) {
        const size_t k = pair_at(m, i);
        along[i] = dlg_dot_of_doubles(n, m->step[k], m->direction) / m->curvature[k];
        add(n, -along[i], m->change[k], m->direction);
    }
    const size_t last = pair_at(m, m->n_pairs - 1);
    const double scale = m->curvature[last] / dlg_dot_of_doubles(n, m->change[last], m->change[last]);
    for (size_t i = 0; i < n; i++) m->direction[i] *= scale;
    for (size_t i = 0; i < m->n_pairs; i++) {
        const size_t k = pair_at(m, i);
        add(n, along[i] - dlg_dot_of_doubles(n, m->change[k], m->direction) / m->curvature[k], m->step[k],
            m->direction);
    }
}

static double first_length(const memory *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->n; i++) sum += fabs(m->dx[i]);
    return sum > 1 ? 1 / sum : 1;
}

static dlg_status run(dlg_minimise_end *end, const dlg_function *function, double *x, dlg_error *err)
{
    memory m = {.n = function->n};
    carve(&m);
    const dlg_status status = dlg_arena_reserve(&m.arena, "L-BFGS", err);
    if (status) return status;
    carve(&m);
    *end = DLG_NO_DESCENT;
    for (bool is_first = true;; is_first = false) {
        const double f = function->evaluate(function->payload, x, m.dx);
        if (!isfinite(f)) {
            if (!is_first) memcpy(x, m.x_before, m.n * sizeof *x);
            break;
        }
        if (function->accept(function->payload, x, f)) {
            *end = DLG_ENDED_BY_CALLER;
            break;
        }
        if (!is_first) remember(&m, x);
        find_direction(&m);
        memcpy(m.x_before, x, m.n * sizeof *x);
        memcpy(m.dx_before, m.dx, m.n * sizeof *m.dx);
        add(m.n, is_first ? first_length(&m) : 1, m.direction, x);
    }
    dlg_arena_release(&m.arena);
    return DLG_OK;
}

const dlg_minimiser dlg_plain_lbfgs = {"lbfgs_plain", "L-BFGS without a line search", run};
