/*
 * A target in factors, or formed, against dense arithmetic in double: residuals, x c^T and dy c for random directions,
 * whatever the rank of the shared gradient is. And near the solution, where single precision has something to lose.
 */
#include "matching/target_kinds.h"

#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IS_DOUBLE = sizeof(dlg_real) == sizeof(double) };

/* What a shared gradient t can look like. */
typedef enum { LOW_RANK, NOISY, PRUNED, ZERO } looks;

typedef struct {
    const char *name;
    looks looks;
    size_t n_rows; /* of x and dy */
    size_t rank;   /* of the clean t */
    size_t n_in, n_parts, rows[DLG_STACK_MOST];
    double scale[DLG_STACK_MOST]; /* of each part's dy */
    bool is_dense;                /* whether a remainder must be kept */
} shape;

typedef struct {
    size_t n, in, out;
    bool by_number;
    dlg_real *x, *dy, *t, *ry, *rdx; /* (n,in) (n,out) (out,in) (n,out) (n,in) */
    double *c;                       /* (out,in): e, then the direction */
    dlg_target *target;
} scene;

enum { MEASURED = 6 };
static double worst[MEASURED];
static const char *const measured[MEASURED] = {"<t,t>", "<t,e>", "<e,e>", "x c^T", "dy c", "|e|"};

/* Note how far off the k-th kind of number is. @return whether that is allowed */
static bool note(const char *name, uint64_t seed, size_t k, double off, double allowed)
{
    if (!(off <= worst[k])) worst[k] = off;
    if (off <= allowed) return true;
    printf("%s, seed %d: %s is off by %.2e, want at most %.0e\n", name, (int)seed, measured[k], off, allowed);
    return false;
}

static dlg_real *draw(size_t n, double std, uint64_t seed, const char *stream)
{
    dlg_real *numbers = malloc((n ? n : 1) * sizeof *numbers);
    assert_non_null(numbers);
    dlg_random_normal_fill(numbers, n, std, seed, dlg_random_stream(stream));
    return numbers;
}

/* dy's columns are as large as their part's scale. */
static void scale_parts(const shape *s, size_t n, size_t out, dlg_real *dy)
{
    for (size_t i = 0; i < n; i++)
        for (size_t part = 0, j = 0; part < s->n_parts; part++)
            for (size_t end = j + s->rows[part]; j < end; j++) dy[i * out + j] *= (dlg_real)s->scale[part];
}

/* t (out,in) = dy^T x summed in double */
static void product(size_t n, size_t out, size_t in, const dlg_real *dy, const dlg_real *x, double *t)
{
    memset(t, 0, out * in * sizeof *t);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < out; j++)
            for (size_t k = 0; k < in; k++) t[j * in + k] += (double)dy[i * out + j] * (double)x[i * in + k];
}

/* The shared gradient as the shape says. */
static void make_target(const shape *s, scene *v, uint64_t seed)
{
    dlg_real *x = draw(s->rank * v->in, 1, seed, "shared x"), *dy = draw(s->rank * v->out, 1, seed, "shared dy");
    scale_parts(s, s->rank, v->out, dy);
    product(s->rank, v->out, v->in, dy, x, v->c);
    dlg_real *noise = draw(v->out * v->in, 0.01, seed, "noise");
    for (size_t part = 0, j = 0; part < s->n_parts; part++)
        for (size_t end = (j / v->in + s->rows[part]) * v->in; j < end; j++) {
            const double size = s->scale[part] * sqrt((double)s->rank), clean = v->c[j];
            v->t[j] = (dlg_real)(s->looks == NOISY                          ? clean + size * (double)noise[j]
                                 : s->looks == ZERO                         ? 0
                                 : s->looks == PRUNED && fabs(clean) < size ? 0
                                                                            : clean);
        }
    free(x);
    free(dy);
    free(noise);
}

static void open_scene(scene *v, const shape *s, bool by_number, uint64_t seed)
{
    *v = (scene){.n = s->n_rows, .in = s->n_in, .by_number = by_number};
    for (size_t i = 0; i < s->n_parts; i++) v->out += s->rows[i];
    v->x = draw(v->n * v->in, 1, seed, "x");
    v->dy = draw(v->n * v->out, 1, seed, "dy");
    scale_parts(s, v->n, v->out, v->dy);
    v->t = malloc(v->out * v->in * sizeof *v->t);
    v->c = malloc(v->out * v->in * sizeof *v->c);
    make_target(s, v, seed);
}

static void close_scene(scene *v)
{
    dlg_target_free(v->target);
    free(v->x);
    free(v->dy);
    free(v->t);
    free(v->ry);
    free(v->rdx);
    free(v->c);
}

static void create_target(scene *v, const shape *s)
{
    dlg_stack stack = {.n_blocks = s->n_parts, .n_in = v->in};
    for (size_t i = 0, row = 0; i < s->n_parts; row += s->rows[i++]) {
        stack.blocks[i] = v->t + row * v->in;
        stack.n_rows[i] = s->rows[i];
    }
    assert_int_equal(dlg_target_create(&v->target, &stack, v->n, v->by_number, NULL), DLG_OK);
}

/* tt, te, ee and, by number, e1 of every part; on return c holds e. */
static bool check_residuals(const scene *v, const shape *s, uint64_t seed, double allowed_tt, double allowed)
{
    bool ok = true;
    product(v->n, v->out, v->in, v->dy, v->x, v->c);
    for (size_t part = 0, j = 0; part < s->n_parts; part++) {
        double tt = 0, te = 0, ee = 0, e1 = 0;
        for (size_t end = j + s->rows[part] * v->in; j < end; j++) {
            const double t = (double)v->t[j], e = v->c[j] -= t;
            tt += t * t, te += t * e, ee += e * e, e1 += fabs(e);
        }
        const dlg_residual found = dlg_target_residual(v->target, part);
        ok &= note(s->name, seed, 0, fabs(found.tt - tt) / (tt > 0 ? tt : 1), allowed_tt);
        ok &= note(s->name, seed, 1, fabs(found.te - te) / (tt > 0 ? sqrt(tt * ee) : 1), allowed);
        ok &= note(s->name, seed, 2, fabs(found.ee - ee) / ee, allowed);
        ok &= note(s->name, seed, 5, fabs(found.e1 - (v->by_number ? e1 : 0)) / e1, allowed);
    }
    return ok;
}

/* Steer with random a and b, and by number s; c becomes the direction. */
static void steer(const scene *v, const shape *s, uint64_t seed, double b_scale)
{
    for (size_t part = 0, j = 0; part < s->n_parts; part++) {
        /* Each part's direction of the size of 1 / its gradient, as a relative distance would have it. */
        const double a = dlg_random_normal_at(seed, dlg_random_stream("a"), part) / s->scale[part];
        const double b = b_scale * dlg_random_normal_at(seed, dlg_random_stream("b"), part) / s->scale[part];
        const double sign = v->by_number ? dlg_random_normal_at(seed, dlg_random_stream("s"), part) : 0;
        dlg_target_steer(v->target, part, (dlg_distance_part){0, a, b, sign});
        for (size_t end = j + s->rows[part] * v->in; j < end; j++)
            v->c[j] = a * v->c[j] + b * (double)v->t[j] + (v->c[j] > 0 ? sign : -sign);
    }
}

/* ||found - before - want|| / ||want|| */
static double off_by(size_t n, const dlg_real *found, const dlg_real *before, const double *want)
{
    double off = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = (double)found[i] - (double)before[i] - want[i];
        off += difference * difference;
        scale += want[i] * want[i];
    }
    return isnan(off) ? INFINITY : sqrt(off / (scale > 0 ? scale : 1));
}

/* x c^T and dy c, part by part of x c^T because the parts' sizes differ; both are added to what was there. */
static bool check_products(scene *v, const shape *s, uint64_t seed, double allowed, dlg_real there)
{
    const size_t n = v->n, in = v->in, out = v->out;
    bool ok = true;
    v->ry = malloc(n * out * sizeof *v->ry);
    v->rdx = malloc(n * in * sizeof *v->rdx);
    dlg_real *ry = malloc(n * out * sizeof *ry), *rdx = malloc(n * in * sizeof *rdx);
    dlg_real *part_found = malloc(2 * n * out * sizeof *part_found);
    double *want_ry = calloc(n * out, sizeof *want_ry), *want_rdx = calloc(n * in, sizeof *want_rdx);
    for (size_t i = 0; i < n * out; i++) v->ry[i] = ry[i] = there * (dlg_real)(i % 7);
    for (size_t i = 0; i < n * in; i++) v->rdx[i] = rdx[i] = there * (dlg_real)(i % 5);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < out; j++)
            for (size_t k = 0; k < in; k++) {
                want_ry[i * out + j] += (double)v->x[i * in + k] * v->c[j * in + k];
                want_rdx[i * in + k] += (double)v->dy[i * out + j] * v->c[j * in + k];
            }
    dlg_weight_direction *direction = dlg_target_direction(v->target);
    direction->rstart(direction, n, v->x, v->dy, v->ry, there != 0, v->rdx);
    if (direction->rbackward) direction->rbackward(direction, n, v->dy, v->rdx);
    for (size_t part = 0, first = 0; part < s->n_parts; first += s->rows[part++]) {
        double *want = malloc(n * s->rows[part] * sizeof *want);
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = first; j < first + s->rows[part]; j++, m++) {
                want[m] = want_ry[i * out + j];
                part_found[m] = v->ry[i * out + j];
                part_found[n * out + m] = ry[i * out + j];
            }
        ok &= note(s->name, seed, 3, off_by(m, part_found, part_found + n * out, want), allowed);
        free(want);
    }
    ok &= note(s->name, seed, 4, off_by(n * in, v->rdx, rdx, want_rdx), allowed);
    free(ry);
    free(rdx);
    free(part_found);
    free(want_ry);
    free(want_rdx);
    return ok;
}

static void print_worst(void)
{
    for (size_t k = 0; k < MEASURED; k++) printf("%-6s off by %.1e at most\n", measured[k], worst[k]);
}

/* The same with larger weights: of small ones the gradient is formed, of large ones it is held in factors. */
static shape magnified(shape s, size_t times)
{
    s.n_in *= times;
    for (size_t i = 0; i < s.n_parts; i++) s.rows[i] *= times;
    return s;
}

static void agrees_with_dense_arithmetic(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"fewer rows than the rank", LOW_RANK, 4, 9, 20, 1, {30}, {1}, true},
        {"as many rows as the rank", LOW_RANK, 9, 9, 20, 1, {30}, {1}, false},
        {"more rows than the rank", LOW_RANK, 12, 5, 20, 1, {30}, {1}, false},
        {"one row", LOW_RANK, 1, 1, 20, 1, {30}, {1}, false},
        {"more rows than inputs", LOW_RANK, 12, 12, 8, 1, {30}, {1}, false},
        {"more rows than outputs", LOW_RANK, 12, 12, 20, 1, {3}, {1}, false},
        {"three parts", LOW_RANK, 7, 7, 24, 3, {16, 16, 16}, {1, 1, 1}, false},
        {"three parts of different norm", LOW_RANK, 7, 7, 24, 3, {16, 16, 16}, {1e-3, 1, 1e3}, false},
        {"three parts of different height", LOW_RANK, 7, 7, 24, 3, {5, 16, 9}, {1, 1e-2, 1}, false},
        {"noisy", NOISY, 6, 6, 24, 1, {32}, {1}, true},
        {"noisy parts of different norm", NOISY, 6, 6, 24, 3, {16, 16, 16}, {1e-3, 1, 1e3}, true},
        {"pruned", PRUNED, 6, 6, 24, 1, {32}, {1}, true},
        {"pruned parts of different norm", PRUNED, 6, 6, 24, 3, {16, 16, 16}, {1e-3, 1, 1e3}, true},
        {"zero", ZERO, 6, 6, 24, 1, {32}, {1}, false},
        {"zero parts", ZERO, 6, 6, 24, 3, {8, 8, 8}, {1, 1, 1}, false},
    };
    bool ok = true;
    memset(worst, 0, sizeof worst);
    for (size_t i = 0; i < 4 * (sizeof shapes / sizeof *shapes); i++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            const shape larger = magnified(shapes[i / 4], 8), *s = i % 2 ? &larger : &shapes[i / 4];
            scene v;
            open_scene(&v, s, i / 2 % 2, seed);
            create_target(&v, s);
            dlg_weight_direction *direction = dlg_target_direction(v.target);
            if (direction->backward) direction->backward(direction, v.n, v.x, v.dy);
            direction->gradient(direction, v.n, v.x, v.dy);
            const double allowed = IS_DOUBLE ? 1e-12 : 2e-5;
            ok &= check_residuals(&v, s, seed, allowed, allowed);
            steer(&v, s, seed, 1);
            ok &= check_products(&v, s, seed, allowed, 1);
            if (dlg_target_is_dense(v.target) != s->is_dense || v.target->rank > v.n) {
                printf("%s: found rank %zu%s\n", s->name, v.target->rank,
                       dlg_target_is_dense(v.target) ? " and a remainder" : "");
                ok = false;
            }
            close_scene(&v);
        }
    print_worst();
    assert_true(ok);
}

/*
 * One layer at ||g - t|| / ||t|| = 1e-4, in the sizes of a real one. Nothing cancels in <e,e>, where ||g||^2 - 2 <g,t>
 * + ||t||^2 in single precision would be off by several times its value. The direction inherits the rounding of P = x
 * B^T and A = t B^T, which are as large as x and t: one part in a hundred of x c^T, half of that of dy c. Forming g
 * loses a tenth of that.
 */
static void near_the_solution(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"near the solution", LOW_RANK, 26, 26, 256, 1, {1024}, {1}, false},
        {"near the solution, three parts", LOW_RANK, 26, 26, 256, 3, {256, 256, 256}, {1e-2, 1, 10}, false},
        {"near the solution, noisy", NOISY, 26, 26, 256, 1, {256}, {1}, true},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        const uint64_t seed = 1;
        scene v;
        memset(worst, 0, sizeof worst);
        open_scene(&v, s, false, seed);
        free(v.x);
        free(v.dy);
        v.x = draw(v.n * v.in, 1, seed, "shared x");
        v.dy = draw(v.n * v.out, 1, seed, "shared dy");
        scale_parts(s, v.n, v.out, v.dy);
        dlg_real *dx = draw(v.n * v.in, 1e-4, seed, "away x");
        for (size_t k = 0; k < v.n * v.in; k++) v.x[k] *= 1 + dx[k];
        free(dx);
        create_target(&v, s);
        dlg_weight_direction *direction = dlg_target_direction(v.target);
        if (direction->backward) direction->backward(direction, v.n, v.x, v.dy);
        direction->gradient(direction, v.n, v.x, v.dy);
        ok &= check_residuals(&v, s, seed, 1e-12, IS_DOUBLE ? 1e-11 : 1e-3);
        steer(&v, s, seed, 0);
        ok &= check_products(&v, s, seed, IS_DOUBLE ? 1e-10 : 2e-2, 0);
        printf("%s:\n", s->name);
        print_worst();
        close_scene(&v);
    }
    assert_true(ok);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_dense_arithmetic),
                                       cmocka_unit_test(near_the_solution)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
