/*
 * bench_precision record MODEL GRADIENT TRUTH POINTS THREADS: attacks, told nothing, and writes to POINTS each
 * evaluation of the descent that came a twentieth lower than those before it: where it was, the distance and its
 * derivative. From the last one the points go on along the straight line to the fed tokens' own embeddings, which the
 * truth names. bench_precision compare MODEL GRADIENT TRUTH POINTS THREADS: evaluates at the same points again and
 * prints a JSON object for each. Run by a program that was built for double this says what the recorded numbers lost to
 * rounding.
 *
 * The attack is the library's own; the linker puts the function below in place of its evaluation (--wrap, in
 * CMakeLists.txt).
 */
#include "scene.h"

#include "base/memory.h"
#include "cli/waiting.h"
#include "attacks/table.h"
#include "math/blas.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much lower the next point on the descent is, and how much closer the next one on the straight line. */
static const double descent_factor = 0.95, line_factor = 0.5;
enum { LINE_POINTS = 14 };

/* The file: this, the predicted rows, the labels; then the points, each `point`, share, x, dx. Written and read on one
 * machine. */
typedef struct {
    uint64_t n_numbers, n_predicted, n_labels;
} header;

typedef struct {
    uint64_t iteration; /* 0: on the straight line */
    double distance;
} point;

/* A point's arrays, and the objective they belong to. */
typedef struct {
    header h;
    FILE *file;
    const char *path;
    size_t *rows, *labels;
    double *share, *x, *dx;
    dlg_real *real_share, *real_x, *real_dx;
    dlg_objective *objective;
} record;

static dlg_status create(record *r, const scene *s, dlg_error *err)
{
    const size_t n = r->h.n_numbers, n_share = r->h.n_predicted * r->h.n_labels;
    r->share = dlg_allocate(n_share, sizeof *r->share);
    r->x = dlg_allocate(n, sizeof *r->x);
    r->dx = dlg_allocate(n, sizeof *r->dx);
    r->real_share = dlg_allocate(n_share, sizeof *r->real_share);
    r->real_x = dlg_allocate(n, sizeof *r->real_x);
    r->real_dx = dlg_allocate(n, sizeof *r->real_dx);
    if (!r->share || !r->x || !r->dx || !r->real_share || !r->real_x || !r->real_dx)
        return dlg_fail(err, DLG_ENOMEM, "points: no memory");
    return scene_objective(&r->objective, s, r->h.n_predicted, r->rows, r->h.n_labels, err);
}

static void release(record *r)
{
    if (r->file) fclose(r->file);
    dlg_objective_free(r->objective);
    dlg_free(r->rows);
    dlg_free(r->labels);
    dlg_free(r->share);
    dlg_free(r->x);
    dlg_free(r->dx);
    dlg_free(r->real_share);
    dlg_free(r->real_x);
    dlg_free(r->real_dx);
}

/* What was put or got, as the objective takes it. */
static void take_point(record *r)
{
    for (size_t i = 0; i < r->h.n_predicted * r->h.n_labels; i++) r->real_share[i] = (dlg_real)r->share[i];
    for (size_t i = 0; i < r->h.n_numbers; i++) r->real_x[i] = (dlg_real)r->x[i];
}

static double evaluate(record *r)
{
    const dlg_soft_labels labels = {r->h.n_labels, r->labels, r->real_share, NULL, NULL, false};
    return dlg_objective_evaluate(r->objective, &labels, r->real_x, r->real_dx);
}

static dlg_status put(record *r, const void *items, size_t n, size_t item_bytes, dlg_error *err)
{
    return fwrite(items, item_bytes, n, r->file) == n ? DLG_OK
                                                      : dlg_fail(err, DLG_EIO, "%s: %s", r->path, strerror(errno));
}

static dlg_status put_point(record *r, uint64_t iteration, double distance, dlg_error *err)
{
    const point p = {iteration, distance};
    const size_t n_share = r->h.n_predicted * r->h.n_labels;
    for (size_t i = 0; i < n_share; i++) r->share[i] = (double)r->real_share[i];
    for (size_t i = 0; i < r->h.n_numbers; i++) {
        r->x[i] = (double)r->real_x[i];
        r->dx[i] = (double)r->real_dx[i];
    }
    dlg_status status = put(r, &p, 1, sizeof p, err);
    if (!status) status = put(r, r->share, n_share, sizeof *r->share, err);
    if (!status) status = put(r, r->x, r->h.n_numbers, sizeof *r->x, err);
    return status ? status : put(r, r->dx, r->h.n_numbers, sizeof *r->dx, err);
}

/* ---- record ---- */

/*
 * Who listens to the attack's evaluations; NULL: nobody. A point is put when the next evaluation comes: the last one of
 * an iteration is not of the descent, but at the decoded tokens' own embeddings.
 */
static struct {
    record *record;
    uint64_t iteration;
    double lowest, pending; /* the distance of the point in the record's arrays; infinity: there is none */
    dlg_status status;
    dlg_error *err;
} listener;

double __real_dlg_objective_evaluate(dlg_objective *, const dlg_soft_labels *, const dlg_real *, dlg_real *);
double __wrap_dlg_objective_evaluate(dlg_objective *, const dlg_soft_labels *, const dlg_real *, dlg_real *);

double __wrap_dlg_objective_evaluate(dlg_objective *objective, const dlg_soft_labels *labels, const dlg_real *x,
                                     dlg_real *dx)
{
    const double distance = __real_dlg_objective_evaluate(objective, labels, x, dx);
    record *r = listener.record;
    if (!r || listener.status) return distance;
    if (listener.pending < INFINITY) {
        listener.lowest = listener.pending;
        listener.status = put_point(r, listener.iteration, listener.pending, listener.err);
    }
    listener.pending = distance < descent_factor * listener.lowest ? distance : INFINITY;
    if (listener.pending == INFINITY) return distance;
    memcpy(r->real_share, labels->share, r->h.n_predicted * r->h.n_labels * sizeof *r->real_share);
    memcpy(r->real_x, x, r->h.n_numbers * sizeof *r->real_x);
    memcpy(r->real_dx, dx, r->h.n_numbers * sizeof *r->real_dx);
    return distance;
}

static void count_iteration(void *payload, const dlg_attack_state *state)
{
    (void)payload;
    listener.iteration = state->iterations + 1;
    listener.pending = INFINITY;
}

static bool is_broken(void *payload)
{
    (void)payload;
    return listener.status != DLG_OK;
}

/* From the last point that was put. */
static dlg_status follow_line(record *r, const scene *s, dlg_error *err)
{
    const dlg_real *table = dlg_model_word_embeddings(s->model);
    const size_t H = s->model->config.hidden_size;
    dlg_status status = DLG_OK;
    take_point(r);
    for (size_t k = 0; k < LINE_POINTS && !status; k++) {
        for (size_t i = 0; i < s->truth.n_rows; i++)
            for (size_t j = 0; j < H; j++) {
                const dlg_real end = table[s->truth.fed[i] * H + j];
                dlg_real *x = &r->real_x[i * H + j];
                *x = end + (dlg_real)line_factor * (*x - end);
            }
        const double distance = evaluate(r);
        status = put_point(r, 0, distance, err);
    }
    return status;
}

static dlg_status attack(record *r, dlg_analysis *analysis, const dlg_knowledge *knowledge, dlg_error *err)
{
    dlg_attack_options options = {.minimiser = &dlg_lbfgs, .max_iterations = 150, .max_starts = 1};
    const dlg_attack_observer observer = {.iteration = count_iteration, .interrupted = is_broken};
    dlg_attack_result result = {0};
    const dlg_attack_class *class = NULL;
    dlg_status status = dlg_distance_find(&options.distance, "l2", err);
    if (!status) status = dlg_attack_find(&class, "dlg", err);
    listener.record = r;
    listener.iteration = 1;
    listener.lowest = listener.pending = INFINITY;
    listener.err = err;
    if (!status) status = dlg_attack_class_run(class, &result, analysis, knowledge, &options, &observer, err);
    listener.record = NULL;
    if (!status) status = listener.status;
    dlg_attack_result_release(&result);
    return status;
}

static dlg_status copy_indices(size_t **out, const size_t *from, size_t n, dlg_error *err)
{
    *out = dlg_allocate(n, sizeof **out);
    if (!*out) return dlg_fail(err, DLG_ENOMEM, "points: no memory");
    memcpy(*out, from, n * sizeof **out);
    return DLG_OK;
}

static dlg_status record_attack(record *r, const scene *s, dlg_error *err)
{
    dlg_knowledge knowledge = {.n_sentences = s->truth.n_sentences};
    dlg_analysis *analysis;
    dlg_status status = dlg_analysis_create(&analysis, &s->gradient, dlg_tokenizer_special(s->model->tokenizer), err);
    if (!status) status = dlg_knowledge_infer(&knowledge, analysis, err);
    r->h = (header){s->n_numbers, knowledge.n_rows, knowledge.n_labels};
    if (!status) status = copy_indices(&r->rows, knowledge.rows, knowledge.n_rows, err);
    if (!status) status = copy_indices(&r->labels, knowledge.labels, knowledge.n_labels, err);
    if (!status) status = create(r, s, err);
    if (!status) status = put(r, &r->h, 1, sizeof r->h, err);
    if (!status) status = put(r, r->rows, r->h.n_predicted, sizeof *r->rows, err);
    if (!status) status = put(r, r->labels, r->h.n_labels, sizeof *r->labels, err);
    if (!status) status = attack(r, analysis, &knowledge, err);
    if (!status) status = follow_line(r, s, err);
    dlg_knowledge_release(&knowledge);
    dlg_analysis_free(analysis);
    return status;
}

/* ---- compare ---- */

static dlg_status get(record *r, void *items, size_t n, size_t item_bytes, dlg_error *err)
{
    return fread(items, item_bytes, n, r->file) == n ? DLG_OK
                                                     : dlg_fail(err, DLG_EFORMAT, "%s: ends too early", r->path);
}

/* ||a - b|| / ||b|| */
static double relative_error(size_t n, const double *a, const dlg_real *b)
{
    double ee = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = a[i] - (double)b[i];
        ee += e * e;
        bb += (double)b[i] * (double)b[i];
    }
    return sqrt(ee / bb);
}

static dlg_status compare_point(record *r, const point *p, dlg_error *err)
{
    const size_t n_share = r->h.n_predicted * r->h.n_labels;
    dlg_status status = get(r, r->share, n_share, sizeof *r->share, err);
    if (!status) status = get(r, r->x, r->h.n_numbers, sizeof *r->x, err);
    if (!status) status = get(r, r->dx, r->h.n_numbers, sizeof *r->dx, err);
    if (status) return status;
    take_point(r);
    const double distance = evaluate(r);
    printf("{\"iteration\":%" PRIu64
           ",\"relative_distance\":%.9g,\"distance\":%.17g,\"recorded_distance\":%.17g,\"distance_error\":%.9g,"
           "\"derivative_error\":%.9g,\"precision\":\"" DLG_REAL_NAME "\"}\n",
           p->iteration, sqrt(distance / dlg_objective_scale(r->objective)), distance, p->distance,
           fabs(p->distance - distance) / distance, relative_error(r->h.n_numbers, r->dx, r->real_dx));
    return DLG_OK;
}

static dlg_status compare(record *r, const scene *s, dlg_error *err)
{
    dlg_status status = get(r, &r->h, 1, sizeof r->h, err);
    if (!status &&
        (r->h.n_numbers != s->n_numbers || r->h.n_predicted > s->truth.n_rows || r->h.n_labels > s->truth.n_rows))
        status = dlg_fail(err, DLG_ESHAPE, "%s: want points of %zu numbers, found other ones", r->path, s->n_numbers);
    if (status) return status;
    r->rows = dlg_allocate(r->h.n_predicted, sizeof *r->rows);
    r->labels = dlg_allocate(r->h.n_labels, sizeof *r->labels);
    if (!r->rows || !r->labels) return dlg_fail(err, DLG_ENOMEM, "points: no memory");
    status = get(r, r->rows, r->h.n_predicted, sizeof *r->rows, err);
    if (!status) status = get(r, r->labels, r->h.n_labels, sizeof *r->labels, err);
    if (!status) status = create(r, s, err);
    for (point p; !status && fread(&p, sizeof p, 1, r->file) == 1;) status = compare_point(r, &p, err);
    return status;
}

/* ---- the program ---- */

int main(int argc, char **argv)
{
    scene s = {0};
    record r = {0};
    dlg_error err;
    dlg_wait_briefly(argv);
    const size_t n_threads = argc == 7 ? positive(argv[6]) : 0;
    const bool records = argc == 7 && !strcmp(argv[1], "record"), compares = argc == 7 && !strcmp(argv[1], "compare");
    if (!n_threads || n_threads > 1024 || (!records && !compares)) {
        fprintf(stderr, "usage: bench_precision record|compare MODEL GRADIENT TRUTH POINTS THREADS\n");
        return EXIT_FAILURE;
    }
    dlg_blas_start((int)n_threads);
    r.path = argv[5];
    r.file = fopen(r.path, records ? "wb" : "rb");
    dlg_status status = r.file ? DLG_OK : dlg_fail(&err, DLG_EIO, "%s: %s", r.path, strerror(errno));
    if (!status) status = scene_open(&s, argv[2], argv[3], argv[4], &err);
    if (!status) status = records ? record_attack(&r, &s, &err) : compare(&r, &s, &err);
    if (!status && records && fflush(r.file)) status = dlg_fail(&err, DLG_EIO, "%s: %s", r.path, strerror(errno));
    if (status) fprintf(stderr, "bench_precision: %s\n", err.message);
    release(&r);
    scene_close(&s);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
