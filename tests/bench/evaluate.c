/*
 * bench_evaluate MODEL GRADIENT TRUTH EVALUATIONS THREADS: times the attack's objective alone, one evaluation after the
 * other, at random dummy embeddings, with labels and masked positions given as tools that time the same step elsewhere
 * have them. After each one it times the bare products: those that the four sweeps of one evaluation do with the
 * model's weights, in the same order and with the same shapes, and nothing else. Prints one JSON object. MODEL - is the
 * preset that the gradient's metadata name.
 *
 * Start-up is opening the files, laying out and factoring; it and one evaluation to warm up are not in the evaluation's
 * seconds. The peak memory is that of start-up and an evaluation, before anything is laid out for the bare products.
 */
#define _GNU_SOURCE /* getrusage */
#include "scene.h"

#include "base/memory.h"
#include "cli/waiting.h"
#include "math/blas.h"
#include "math/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static long peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

/* ---- the bare products ---- */

/* The same network once more, for its shapes: what is in its values does not matter, as long as it is no zeroes. */
static dlg_status lay_out_bare(dlg_network *network, const scene *s, dlg_error *err)
{
    dlg_batch batch = {0};
    dlg_status status = scene_batch(&batch, s, s->n, s->rows, err);
    if (!status) status = dlg_network_create(network, s->model, &batch, DLG_BOTH_WAYS, s->n, err);
    dlg_batch_release(&batch);
    for (size_t i = 0; !status && i < network->tape.n_values; i++) {
        const dlg_value *v = &network->tape.values[i];
        dlg_real *const arrays[] = {v->x, v->dx, v->rx, v->rdx};
        for (size_t k = 0; k < 4; k++)
            dlg_random_normal_fill(arrays[k], v->n_rows * v->n_cols, 0.02, 4 * i + k,
                                   dlg_random_stream("bare products"));
    }
    return status;
}

static const dlg_linear *linear_at(const dlg_tape *tape, size_t i)
{
    return tape->ops[i]->class == &dlg_linear_class ? (const dlg_linear *)tape->ops[i] : NULL;
}

static void products_forward(const dlg_tape *tape, bool of_direction)
{
    for (size_t i = 0; i < tape->n_ops; i++) {
        const dlg_linear *l = linear_at(tape, i);
        if (!l) continue;
        dlg_products_times_transpose(l->weight, of_direction ? l->x->rx : l->x->x, 1,
                                     of_direction ? l->y->rx : l->y->x);
    }
}

static void products_backward(const dlg_tape *tape, bool of_direction)
{
    for (size_t i = tape->n_ops; i-- > 0;) {
        const dlg_linear *l = linear_at(tape, i);
        if (!l) continue;
        dlg_products_times(l->weight, of_direction ? l->y->rdx : l->y->dx, 1, of_direction ? l->x->rdx : l->x->dx);
    }
}

static void run_bare(const dlg_tape *tape)
{
    products_forward(tape, false);
    products_backward(tape, false);
    products_forward(tape, true);
    products_backward(tape, true);
}

/* ---- the measurement ---- */

typedef struct {
    const char *blas;
    size_t n_evaluations;
    double startup_s, *seconds, *bare_seconds;
    dlg_real *x, *dx;
    dlg_objective *objective;
    dlg_network bare;
} bench;

static dlg_status prepare(bench *b, const scene *s, dlg_error *err)
{
    b->x = dlg_allocate(s->n_numbers, sizeof *b->x);
    b->dx = dlg_allocate(s->n_numbers, sizeof *b->dx);
    b->seconds = dlg_allocate(b->n_evaluations, sizeof *b->seconds);
    b->bare_seconds = dlg_allocate(b->n_evaluations, sizeof *b->bare_seconds);
    if (!b->x || !b->dx || !b->seconds || !b->bare_seconds)
        return dlg_fail(err, DLG_ENOMEM, "dummy embeddings and times: no memory");
    dlg_random_normal_fill(b->x, s->n_numbers, 0.02, 0, dlg_random_stream("dummy embeddings"));
    return scene_objective(&b->objective, s, s->n, s->rows, s->n, err);
}

static dlg_status measure(bench *b, const scene *s, dlg_error *err)
{
    const dlg_soft_labels labels = {s->n, s->label, s->share, NULL, NULL, false};
    double distance = dlg_objective_evaluate(b->objective, &labels, b->x, b->dx);
    const long peak = peak_mib();
    const dlg_status status = lay_out_bare(&b->bare, s, err);
    if (status) return status;
    run_bare(&b->bare.tape);
    for (size_t i = 0; i < b->n_evaluations; i++) {
        const double start_s = now_s();
        distance = dlg_objective_evaluate(b->objective, &labels, b->x, b->dx);
        const double evaluated_s = now_s();
        run_bare(&b->bare.tape);
        b->bare_seconds[i] = now_s() - evaluated_s;
        b->seconds[i] = evaluated_s - start_s;
    }
    const double median_s = median_of(b->n_evaluations, b->seconds),
                 bare_s = median_of(b->n_evaluations, b->bare_seconds);
    printf("{\"seconds_per_evaluation\":%.9g,\"min\":%.9g,\"bare_seconds\":%.9g,\"over_bare\":%.9g,\"startup_seconds\":"
           "%.9g,"
           "\"distance\":%.9g,\"sentences\":%zu,\"tokens\":%zu,\"masked\":%zu,\"threads\":%d,\"blas\":\"%s\",\"peak_"
           "mib\":%ld}\n",
           median_s, b->seconds[0], bare_s, median_s / bare_s, b->startup_s, distance, s->truth.n_sentences,
           s->truth.n_rows, s->n, dlg_blas_threads(), b->blas, peak);
    return DLG_OK;
}

int main(int argc, char **argv)
{
    scene s = {0};
    bench b = {0};
    dlg_error err;
    dlg_wait_briefly(argv);
    const size_t n_threads = argc == 6 ? positive(argv[5]) : 0;
    if (argc == 6) b.n_evaluations = positive(argv[4]);
    if (!b.n_evaluations || !n_threads || n_threads > 1024) {
        fprintf(stderr, "usage: bench_evaluate MODEL GRADIENT TRUTH EVALUATIONS THREADS\n");
        return EXIT_FAILURE;
    }
    const double start_s = now_s();
    b.blas = dlg_blas_start((int)n_threads);
    dlg_status status = scene_open(&s, argv[1], argv[2], argv[3], &err);
    if (!status) status = prepare(&b, &s, &err);
    b.startup_s = now_s() - start_s;
    if (!status) status = measure(&b, &s, &err);
    if (status) fprintf(stderr, "bench_evaluate: %s\n", err.message);
    dlg_network_release(&b.bare);
    dlg_objective_free(b.objective);
    dlg_free(b.x);
    dlg_free(b.dx);
    dlg_free(b.seconds);
    dlg_free(b.bare_seconds);
    scene_close(&s);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
