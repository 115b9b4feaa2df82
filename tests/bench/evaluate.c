/*
 * bench_evaluate MODEL GRADIENT TRUTH EVALUATIONS THREADS: times the attack's objective alone, one evaluation after the other, at random
 * dummy embeddings, with labels and masked positions given as tools that time the same step elsewhere have them. Prints one JSON object.
 * Opening files, laying out and one evaluation to warm up are not timed; the peak memory is that of all.
 */
#define _GNU_SOURCE /* getrusage */
#include "base/memory.h"
#include "cli/waiting.h"
#include "io/truth.h"
#include "leak/objective.h"
#include "math/blas.h"
#include "math/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* What an evaluation takes, all owned. */
typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
    dlg_truth truth;
    dlg_batch batch;
    size_t *rows, *label, n;
    dlg_real *share, *x, *dx;
    dlg_objective *objective;
} scene;

static dlg_status lay_out(scene *s, dlg_error *err)
{
    const dlg_distance *distance;
    size_t *lengths = dlg_allocate(s->truth.n_sentences, sizeof *lengths);
    dlg_status status = lengths ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    for (size_t b = 0; !status && b < s->truth.n_sentences; b++) lengths[b] = s->truth.first[b + 1] - s->truth.first[b];
    if (!status) status = dlg_distance_find(&distance, "l2", err);
    if (!status) status = dlg_batch_create(&s->batch, DLG_MASKED_LM, s->truth.n_sentences, lengths, err);
    if (!status) status = dlg_batch_predict(&s->batch, s->n, s->rows, err);
    if (!status) status = dlg_objective_create(&s->objective, &s->gradient, &s->batch, s->n, distance, err);
    dlg_free(lengths);
    return status;
}

static dlg_status set_labels(scene *s, dlg_error *err)
{
    const size_t n = dlg_truth_count_labels(&s->truth);
    s->rows = dlg_allocate(n, sizeof *s->rows);
    s->label = dlg_allocate(n, sizeof *s->label);
    s->share = dlg_allocate(n * n, sizeof *s->share);
    if (!s->rows || !s->label || !s->share) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < s->truth.n_rows; i++) {
        if (s->truth.labels[i] == DLG_NO_LABEL) continue;
        s->rows[s->n] = i;
        s->label[s->n] = (size_t)s->truth.labels[i];
        s->share[s->n * n + s->n] = 1;
        s->n++;
    }
    return DLG_OK;
}

static dlg_status open_scene(scene *s, char **paths, dlg_error *err)
{
    dlg_status status = dlg_model_open(&s->model, paths[0], err);
    if (!status && s->model->config.task != DLG_MASKED_LM) status = dlg_fail(err, DLG_EFORMAT, "%s: want a masked LM", paths[0]);
    if (!status) status = dlg_gradient_open(&s->gradient, paths[1], s->model, err);
    if (!status) status = dlg_truth_read(&s->truth, paths[2], err);
    if (!status && s->truth.is_classification) status = dlg_fail(err, DLG_EFORMAT, "%s: want a masked LM's truth", paths[2]);
    if (!status)
        status = dlg_truth_check(&s->truth, paths[2], s->model->config.vocabulary_size, s->model->config.n_labels,
                                 s->model->config.max_positions, err);
    if (!status) status = set_labels(s, err);
    if (!status) status = lay_out(s, err);
    if (status) return status;
    const size_t n = dlg_objective_size(s->objective);
    s->x = dlg_allocate(n, sizeof *s->x);
    s->dx = dlg_allocate(n, sizeof *s->dx);
    if (!s->x || !s->dx) return dlg_fail(err, DLG_ENOMEM, "dummy embeddings: no memory");
    dlg_random_normal_fill(s->x, n, 0.02, 0, dlg_random_stream("dummy embeddings"));
    return DLG_OK;
}

static dlg_status measure(const scene *s, size_t n_evaluations, const char *blas, dlg_error *err)
{
    const dlg_soft_labels labels = {s->n, s->label, s->share};
    double *seconds = dlg_allocate(n_evaluations, sizeof *seconds), distance = 0;
    if (!seconds) return dlg_fail(err, DLG_ENOMEM, "times: no memory");
    distance = dlg_objective_evaluate(s->objective, &labels, s->x, s->dx);
    for (size_t i = 0; i < n_evaluations; i++) {
        const double start_s = now_s();
        distance = dlg_objective_evaluate(s->objective, &labels, s->x, s->dx);
        seconds[i] = now_s() - start_s;
    }
    qsort(seconds, n_evaluations, sizeof *seconds, compare_doubles);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"seconds_per_evaluation\":%.9g,\"min\":%.9g,\"distance\":%.9g,\"tokens\":%zu,\"masked\":%zu,\"threads\":%d,\"blas\":\"%s\","
           "\"peak_mib\":%ld}\n",
           seconds[n_evaluations / 2], seconds[0], distance, s->batch.n_rows, s->n, dlg_blas_threads(), blas, usage.ru_maxrss / 1024);
    dlg_free(seconds);
    return DLG_OK;
}

int main(int argc, char **argv)
{
    scene s = {0};
    dlg_error err;
    dlg_wait_briefly(argv);
    const long n_evaluations = argc == 6 ? strtol(argv[4], NULL, 10) : 0, n_threads = argc == 6 ? strtol(argv[5], NULL, 10) : 0;
    if (n_evaluations < 1 || n_threads < 1 || n_threads > 1024) {
        fprintf(stderr, "usage: bench_evaluate MODEL GRADIENT TRUTH EVALUATIONS THREADS\n");
        return EXIT_FAILURE;
    }
    const char *blas = dlg_blas_start((int)n_threads);
    dlg_status status = open_scene(&s, argv + 1, &err);
    if (!status) status = measure(&s, (size_t)n_evaluations, blas, &err);
    if (status) fprintf(stderr, "bench_evaluate: %s\n", err.message);
    dlg_objective_free(s.objective);
    dlg_batch_release(&s.batch);
    dlg_truth_release(&s.truth);
    dlg_gradient_release(&s.gradient);
    dlg_model_free(s.model);
    dlg_free(s.rows);
    dlg_free(s.label);
    dlg_free(s.share);
    dlg_free(s.x);
    dlg_free(s.dx);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
