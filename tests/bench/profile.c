/*
 * bench_profile MODEL GRADIENT TRUTH EVALUATIONS THREADS: where the time of an evaluation goes. Prints one JSON object:
 * the seconds of an evaluation, and those of each kind of operator in each sweep, means. MODEL - is the preset that the
 * gradient's metadata name.
 *
 * The evaluations are the library's own. The linker puts the classes and functions below in place of the library's
 * (--wrap, in CMakeLists.txt); each takes the time and calls what it stands for. What was spent on products inside an
 * operator is counted as those, not as the operator's. In sweeps that run several operators at a time each gets its
 * share of the sweep's seconds.
 */
#include "scene.h"

#include "base/memory.h"
#include "cli/waiting.h"
#include "math/blas.h"
#include "math/random.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/cross_entropy.h"
#include "ops/embeddings.h"
#include "ops/layernorm.h"
#include "ops/select.h"

#include <stdio.h>
#include <stdlib.h>

#define WRAPPED_CLASS(name)                                                                                            \
    extern const dlg_op_class __real_dlg_##name##_class;                                                               \
    extern dlg_op_class __wrap_dlg_##name##_class;                                                                     \
    dlg_op_class __wrap_dlg_##name##_class

WRAPPED_CLASS(activation);
WRAPPED_CLASS(attention);
WRAPPED_CLASS(cross_entropy);
WRAPPED_CLASS(embeddings);
WRAPPED_CLASS(layernorm);
WRAPPED_CLASS(linear);
WRAPPED_CLASS(select);

typedef enum { FORWARD, BACKWARD, GRADIENT, RSTART, RFORWARD, RBACKWARD, N_SWEEPS } sweep;

static const char *const sweep_names[] = {"forward", "backward", "gradient", "rstart", "rforward", "rbackward"};

/* From a sweep's beginning to its end; R-forward's have R-start in them. */
static double sweep_s[N_SWEEPS];

/* What is counted: each kind of operator, and inside it the two kinds of products. */
static struct {
    dlg_op_class *timed;
    const dlg_op_class *real;
    double own_s[N_SWEEPS], packed_s[N_SWEEPS], other_s[N_SWEEPS];
} kinds[] = {
    {.timed = &__wrap_dlg_activation_class, .real = &__real_dlg_activation_class},
    {.timed = &__wrap_dlg_attention_class, .real = &__real_dlg_attention_class},
    {.timed = &__wrap_dlg_cross_entropy_class, .real = &__real_dlg_cross_entropy_class},
    {.timed = &__wrap_dlg_embeddings_class, .real = &__real_dlg_embeddings_class},
    {.timed = &__wrap_dlg_layernorm_class, .real = &__real_dlg_layernorm_class},
    {.timed = &__wrap_dlg_linear_class, .real = &__real_dlg_linear_class},
    {.timed = &__wrap_dlg_select_class, .real = &__real_dlg_select_class},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* Products of the operator that this thread is running. */
static _Thread_local double packed_s, other_s;

static size_t kind_of(const dlg_op *op)
{
    size_t k = 0;
    while (op->class != kinds[k].timed) k++;
    return k;
}

static void time_op(dlg_op *op, sweep which)
{
    const size_t k = kind_of(op);
    const dlg_op_class *real = kinds[k].real;
    void (*const runs[])(dlg_op *) = {real->forward, real->backward, real->gradient,
                                      real->rstart,  real->rforward, real->rbackward};
    packed_s = other_s = 0;
    const double start_s = now_s();
    runs[which](op);
    const double own_s = now_s() - start_s - packed_s - other_s;
#pragma omp critical
    {
        kinds[k].own_s[which] += own_s;
        kinds[k].packed_s[which] += packed_s;
        kinds[k].other_s[which] += other_s;
    }
}

static void forward(dlg_op *op)
{
    time_op(op, FORWARD);
}
static void backward(dlg_op *op)
{
    time_op(op, BACKWARD);
}
static void gradient(dlg_op *op)
{
    time_op(op, GRADIENT);
}
static void rstart(dlg_op *op)
{
    time_op(op, RSTART);
}
static void rforward(dlg_op *op)
{
    time_op(op, RFORWARD);
}
static void rbackward(dlg_op *op)
{
    time_op(op, RBACKWARD);
}

static void start_timing(void)
{
    for (size_t k = 0; k < N_KINDS; k++) {
        *kinds[k].timed = *kinds[k].real;
        kinds[k].timed->forward = forward;
        kinds[k].timed->backward = backward;
        kinds[k].timed->gradient = kinds[k].real->gradient ? gradient : NULL;
        kinds[k].timed->rstart = kinds[k].real->rstart ? rstart : NULL;
        kinds[k].timed->rforward = rforward;
        kinds[k].timed->rbackward = rbackward;
    }
}

#define WRAPPED_SWEEP(name, which)                                                                                     \
    void __real_dlg_tape_##name(dlg_tape *);                                                                           \
    void __wrap_dlg_tape_##name(dlg_tape *);                                                                           \
    void __wrap_dlg_tape_##name(dlg_tape *tape)                                                                        \
    {                                                                                                                  \
        const double start_s = now_s();                                                                                \
        __real_dlg_tape_##name(tape);                                                                                  \
        sweep_s[which] += now_s() - start_s;                                                                           \
    }

WRAPPED_SWEEP(forward, FORWARD)
WRAPPED_SWEEP(backward, BACKWARD)
WRAPPED_SWEEP(gradient, GRADIENT)
WRAPPED_SWEEP(rforward, RFORWARD)
WRAPPED_SWEEP(rbackward, RBACKWARD)

static double sum_of_ops(sweep which)
{
    double sum_s = 0;
    for (size_t k = 0; k < N_KINDS; k++)
        sum_s += kinds[k].own_s[which] + kinds[k].packed_s[which] + kinds[k].other_s[which];
    return sum_s;
}

/* Turn the operators' seconds, of however many threads, into their shares of the sweeps'. */
static void share_out(void)
{
    sweep_s[RSTART] = sweep_s[RFORWARD] - sum_of_ops(RFORWARD);
    sweep_s[RFORWARD] -= sweep_s[RSTART];
    for (sweep w = 0; w < N_SWEEPS; w++) {
        const double sum_s = sum_of_ops(w), share = sum_s > 0 ? sweep_s[w] / sum_s : 0;
        for (size_t k = 0; k < N_KINDS; k++) {
            kinds[k].own_s[w] *= share;
            kinds[k].packed_s[w] *= share;
            kinds[k].other_s[w] *= share;
        }
    }
}

static void forget_times(void)
{
    for (sweep w = 0; w < N_SWEEPS; w++) sweep_s[w] = 0;
    for (size_t k = 0; k < N_KINDS; k++)
        for (sweep w = 0; w < N_SWEEPS; w++) kinds[k].own_s[w] = kinds[k].packed_s[w] = kinds[k].other_s[w] = 0;
}

/* ---- products ---- */

void __real_dlg_products_times(const dlg_products *, const dlg_real *, dlg_real, dlg_real *);
void __wrap_dlg_products_times(const dlg_products *, const dlg_real *, dlg_real, dlg_real *);
void __real_dlg_products_times_transpose(const dlg_products *, const dlg_real *, dlg_real, dlg_real *);
void __wrap_dlg_products_times_transpose(const dlg_products *, const dlg_real *, dlg_real, dlg_real *);
void __real_dlg_gemm(dlg_orientation, dlg_orientation, size_t, size_t, size_t, dlg_real, const dlg_real *, size_t,
                     const dlg_real *, size_t, dlg_real, dlg_real *, size_t);
void __wrap_dlg_gemm(dlg_orientation, dlg_orientation, size_t, size_t, size_t, dlg_real, const dlg_real *, size_t,
                     const dlg_real *, size_t, dlg_real, dlg_real *, size_t);

void __wrap_dlg_products_times(const dlg_products *w, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    const double start_s = now_s();
    __real_dlg_products_times(w, dy, beta, dx);
    packed_s += now_s() - start_s;
}

void __wrap_dlg_products_times_transpose(const dlg_products *w, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    const double start_s = now_s();
    __real_dlg_products_times_transpose(w, x, beta, y);
    packed_s += now_s() - start_s;
}

void __wrap_dlg_gemm(dlg_orientation a_is, dlg_orientation b_is, size_t m, size_t n, size_t k, dlg_real alpha,
                     const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb, dlg_real beta, dlg_real *c,
                     size_t ldc)
{
    const double start_s = now_s();
    __real_dlg_gemm(a_is, b_is, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    other_s += now_s() - start_s;
}

/* ---- the program ---- */

static void print_row(const char *name, const double *seconds, double n)
{
    double sum_s = 0;
    for (sweep w = 0; w < N_SWEEPS; w++) sum_s += seconds[w];
    if (sum_s <= 0) return;
    printf(",{\"operator\":\"%s\"", name);
    for (sweep w = 0; w < N_SWEEPS; w++) printf(",\"%s\":%.9g", sweep_names[w], seconds[w] / n);
    printf("}");
}

static void print_profile(const scene *s, double seconds, double n)
{
    double rest_s = seconds;
    printf("{\"seconds_per_evaluation\":%.9g,\"tokens\":%zu,\"threads\":%d,\"parts\":[{\"operator\":\"all\"",
           seconds / n, s->truth.n_rows, dlg_blas_threads());
    share_out();
    for (sweep w = 0; w < N_SWEEPS; w++) {
        rest_s -= sweep_s[w];
        printf(",\"%s\":%.9g", sweep_names[w], sweep_s[w] / n);
    }
    printf("}");
    for (size_t k = 0; k < N_KINDS; k++) {
        char name[64];
        print_row(kinds[k].real->name, kinds[k].own_s, n);
        snprintf(name, sizeof name, "%s: packed products", kinds[k].real->name);
        print_row(name, kinds[k].packed_s, n);
        snprintf(name, sizeof name, "%s: other products", kinds[k].real->name);
        print_row(name, kinds[k].other_s, n);
    }
    printf("],\"between_sweeps\":%.9g}\n", rest_s / n);
}

static dlg_status profile(const scene *s, size_t n_evaluations, dlg_error *err)
{
    const dlg_soft_labels labels = {s->n, s->label, s->share, NULL, NULL, false};
    dlg_objective *objective = NULL;
    dlg_real *x = dlg_allocate(s->n_numbers, sizeof *x), *dx = dlg_allocate(s->n_numbers, sizeof *dx);
    dlg_status status = x && dx ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "dummy embeddings: no memory");
    if (!status) status = scene_objective(&objective, s, s->n, s->rows, s->n, err);
    if (status) goto out;
    dlg_random_normal_fill(x, s->n_numbers, 0.02, 0, dlg_random_stream("dummy embeddings"));
    dlg_objective_evaluate(objective, &labels, x, dx);
    forget_times();
    const double start_s = now_s();
    for (size_t i = 0; i < n_evaluations; i++) dlg_objective_evaluate(objective, &labels, x, dx);
    print_profile(s, now_s() - start_s, (double)n_evaluations);
out:
    dlg_objective_free(objective);
    dlg_free(x);
    dlg_free(dx);
    return status;
}

int main(int argc, char **argv)
{
    scene s = {0};
    dlg_error err;
    dlg_wait_briefly(argv);
    const size_t n_evaluations = argc == 6 ? positive(argv[4]) : 0, n_threads = argc == 6 ? positive(argv[5]) : 0;
    if (!n_evaluations || !n_threads || n_threads > 1024) {
        fprintf(stderr, "usage: bench_profile MODEL GRADIENT TRUTH EVALUATIONS THREADS\n");
        return EXIT_FAILURE;
    }
    dlg_blas_start((int)n_threads);
    start_timing();
    dlg_status status = scene_open(&s, argv[1], argv[2], argv[3], &err);
    if (!status) status = profile(&s, n_evaluations, &err);
    if (status) fprintf(stderr, "bench_profile: %s\n", err.message);
    scene_close(&s);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
