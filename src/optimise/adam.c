#include "optimise/adam.h"

#include "optimise/minimise.h"

#include <math.h>
#include <string.h>

/*
 * Step of the first updates as a part of the start's root mean square, and the updates after which it has fallen to
 * half: near enough what was published for attacks on BERT, 0.01 where embeddings have 0.05, and 0.89 of it every 50
 * steps (Balunovic et al. 2022).
 */
static const double first_step = 0.2, half_life = 300;

void dlg_adam_carve(dlg_adam_moments *m, dlg_arena *arena)
{
    m->mean = dlg_arena_carve(arena, m->n, sizeof *m->mean);
    m->square = dlg_arena_carve(arena, m->n, sizeof *m->square);
}

void dlg_adam_begin(dlg_adam_moments *m)
{
    m->n_steps = 0;
    memset(m->mean, 0, m->n * sizeof *m->mean);
    memset(m->square, 0, m->n * sizeof *m->square);
}

void dlg_adam_step(dlg_adam_moments *m, double rate, const double *dx, double *x)
{
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-16;
    m->n_steps++;
    const double unbiased1 = 1 / (1 - pow(beta1, (double)m->n_steps)),
                 unbiased2 = 1 / (1 - pow(beta2, (double)m->n_steps));
    for (size_t i = 0; i < m->n; i++) {
        m->mean[i] = beta1 * m->mean[i] + (1 - beta1) * dx[i];
        m->square[i] = beta2 * m->square[i] + (1 - beta2) * dx[i] * dx[i];
        x[i] -= rate * unbiased1 * m->mean[i] / (sqrt(unbiased2 * m->square[i]) + epsilon);
    }
}

static double root_mean_square(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum / (double)n);
}

static dlg_status run(dlg_minimise_end *end, const dlg_function *function, double *x, dlg_error *err)
{
    dlg_adam_moments moments = {.n = function->n};
    dlg_arena arena = {0};
    dlg_adam_carve(&moments, &arena);
    double *dx = dlg_arena_carve(&arena, function->n, sizeof *dx);
    const dlg_status status = dlg_arena_reserve(&arena, "Adam", err);
    if (status) return status;
    dlg_adam_carve(&moments, &arena);
    dx = dlg_arena_carve(&arena, function->n, sizeof *dx);
    const double scale = first_step * root_mean_square(function->n, x);
    *end = DLG_NO_DESCENT;
    for (;;) {
        const double f = function->evaluate(function->payload, x, dx);
        if (!isfinite(f)) break;
        if (function->accept(function->payload, x, f)) {
            *end = DLG_ENDED_BY_CALLER;
            break;
        }
        dlg_adam_step(&moments, scale * exp2(-(double)(moments.n_steps + 1) / half_life), dx, x);
    }
    dlg_arena_release(&arena);
    return DLG_OK;
}

const dlg_minimiser dlg_adam = {"adam", "Adam, with a decaying step", run};
