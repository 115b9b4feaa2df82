#include "math/nonnegative.h"

#include "base/memory.h"
#include "math/solve.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { MOST_STEPS = 30 };

/* A step is worth it that gains this part of what was gained so far; one is halved to no less than this. */
static const double worth_it = 1e-4, shortest = 1e-7;

/* Of the problem with a unit diagonal, so that variables of any size are alike. */
typedef struct {
    size_t n, n_free;
    double *q, *p, *x, *scale;
    double *gradient, *tried, *step;
    double *matrix, *side; /* of those that are free */
    size_t *free;          /* (n_free) */
    dlg_arena arena;
} programme;

static void carve(programme *o)
{
    const size_t n = o->n;
    double **all[] = {&o->p, &o->x, &o->scale, &o->gradient, &o->tried, &o->step, &o->side};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) *all[k] = dlg_arena_carve(&o->arena, n, sizeof **all[k]);
    o->q = dlg_arena_carve(&o->arena, n * n, sizeof *o->q);
    o->matrix = dlg_arena_carve(&o->arena, n * n, sizeof *o->matrix);
    o->free = dlg_arena_carve(&o->arena, n, sizeof *o->free);
}

static void take(programme *o, const double *q, const double *p, const double *x)
{
    const size_t n = o->n;
    for (size_t i = 0; i < n; i++) {
        o->scale[i] = q[i * n + i] > 0 ? 1 / sqrt(q[i * n + i]) : 1;
        o->p[i] = o->scale[i] * p[i];
        o->x[i] = x[i] / o->scale[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) o->q[i * n + j] = o->scale[i] * o->scale[j] * q[i * n + j];
}

/* gradient := q x - p. @return what is made small */
static double evaluate(programme *o, const double *x)
{
    const int n = (int)o->n;
    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1, o->q, n, x, 1, 0, o->gradient, 1);
    const double value = 0.5 * cblas_ddot(n, x, 1, o->gradient, 1) - cblas_ddot(n, x, 1, o->p, 1);
    cblas_daxpy(n, -1, o->p, 1, o->gradient, 1);
    return value;
}

/* step := Newton's, of what is not held at zero. @return false where there is none */
static bool find_step(programme *o)
{
    const size_t n = o->n;
    o->n_free = 0;
    for (size_t i = 0; i < n; i++)
        if (o->x[i] > 0 || o->gradient[i] < 0) o->free[o->n_free++] = i;
    for (size_t a = 0; a < o->n_free; a++) {
        for (size_t b = 0; b < o->n_free; b++) o->matrix[a * o->n_free + b] = o->q[o->free[a] * n + o->free[b]];
        o->side[a] = o->gradient[o->free[a]];
    }
    if (!o->n_free || !dlg_solve_positive(o->n_free, o->matrix, o->side)) return false;
    memset(o->step, 0, n * sizeof *o->step);
    for (size_t a = 0; a < o->n_free; a++) o->step[o->free[a]] = o->side[a];
    return true;
}

static void minimise(programme *o)
{
    const double first = evaluate(o, o->x);
    double value = first;
    for (size_t k = 0; k < MOST_STEPS && find_step(o); k++) {
        double length = 1, next = INFINITY;
        for (; length > shortest; length /= 2) {
            for (size_t i = 0; i < o->n; i++) o->tried[i] = fmax(o->x[i] - length * o->step[i], 0);
            next = evaluate(o, o->tried);
            if (next < value) break;
        }
        if (!(next < value)) return;
        memcpy(o->x, o->tried, o->n * sizeof *o->x);
        const bool is_enough = value - next < worth_it * (first - next);
        value = next;
        if (is_enough) return;
    }
}

dlg_status dlg_solve_nonnegative(size_t n, const double *q, const double *p, double *x, dlg_error *err)
{
    programme o = {.n = n};
    carve(&o);
    const dlg_status status = dlg_arena_reserve(&o.arena, "quadratic programme", err);
    if (status) return status;
    carve(&o);
    take(&o, q, p, x);
    minimise(&o);
    for (size_t i = 0; i < n; i++) x[i] = o.x[i] * o.scale[i];
    dlg_arena_release(&o.arena);
    return DLG_OK;
}
