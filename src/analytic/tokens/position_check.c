#include "analytic/tokens/position_check.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "analytic/noise/noise_model.h"
#include "math/blas.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

/* A token is admitted when it misses orthogonality by at most so many standard deviations of the noise: one in 150,000
 * is lost. */
static const double admitted_deviations = 4.5;

/* Vocabulary entries at a time. */
enum { BLOCK = 1024 };

struct dlg_position_check {
    size_t length, n_vocabulary;
    unsigned char *admitted; /* (length, n_vocabulary) one byte each */
    size_t *count;           /* (length) */
    uint32_t *best;          /* (length) */
};

/* ---- the equations ---- */

typedef struct {
    size_t T, H, V;
    const dlg_real *table;
    dlg_real *fixed;          /* (T, H) P[t] + S[type], without its mean */
    dlg_real *normal;         /* (T, H) du[t] without its mean, divided by its noise */
    double *fixed_along;      /* (T) <fixed, normal> */
    double *fixed_norm2;      /* (T) */
    double *by_noise;         /* (T) mean square of du[t]'s entries by that of their noise */
    double eps;               /* of the layer norm */
    dlg_real *along, *across; /* (T, BLOCK) <E[v], normal>, <E[v], fixed> */
} equations;

static void centre(size_t n, dlg_real *a)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i];
    for (size_t i = 0; i < n; i++) a[i] -= (dlg_real)(sum / (double)n);
}

static dlg_status allocate(equations *eq, dlg_error *err)
{
    eq->fixed = dlg_allocate(eq->T * eq->H, sizeof *eq->fixed);
    eq->normal = dlg_allocate(eq->T * eq->H, sizeof *eq->normal);
    eq->fixed_along = dlg_allocate(eq->T, sizeof *eq->fixed_along);
    eq->fixed_norm2 = dlg_allocate(eq->T, sizeof *eq->fixed_norm2);
    eq->by_noise = dlg_allocate(eq->T, sizeof *eq->by_noise);
    eq->along = dlg_allocate(eq->T * BLOCK, sizeof *eq->along);
    eq->across = dlg_allocate(eq->T * BLOCK, sizeof *eq->across);
    const bool all =
        eq->fixed && eq->normal && eq->fixed_along && eq->fixed_norm2 && eq->by_noise && eq->along && eq->across;
    if (all) return DLG_OK;
    return dlg_fail(err, DLG_ENOMEM, "position check: no memory");
}

static void release(equations *eq)
{
    dlg_free(eq->fixed);
    dlg_free(eq->normal);
    dlg_free(eq->fixed_along);
    dlg_free(eq->fixed_norm2);
    dlg_free(eq->by_noise);
    dlg_free(eq->along);
    dlg_free(eq->across);
}

static void set_up(equations *eq, const dlg_gradient *gradient, const size_t *types)
{
    const dlg_parameter *positions = gradient->model->roles.positions;
    size_t n_types;
    const dlg_real *of_types = dlg_model_types(gradient->model, &n_types);
    const dlg_real *g = dlg_gradient_at(gradient, positions);
    const size_t H = eq->H;
    const double off = dlg_gradient_rounding_at(gradient, positions);
    const dlg_noise_model e =
        off > 0 ? (dlg_noise_model){.behind = off * off} : dlg_noise_model_of(g, eq->T, positions->n_rows, H);
    for (size_t t = 0; t < eq->T; t++) {
        dlg_real *fixed = eq->fixed + t * H, *normal = eq->normal + t * H;
        const dlg_real *type = of_types + (types ? types[t] : 0) * H;
        const double deviation = sqrt(dlg_noise_model_variance(&e, H, g + t * H, gradient->roundoff));
        for (size_t i = 0; i < H; i++) {
            fixed[i] = positions->value[t * H + i] + type[i];
            normal[i] = deviation > 0 ? (dlg_real)((double)g[t * H + i] / deviation) : 0;
        }
        centre(H, fixed);
        centre(H, normal);
        eq->fixed_along[t] = dlg_dot(H, fixed, normal);
        eq->fixed_norm2[t] = dlg_dot(H, fixed, fixed);
        eq->by_noise[t] = dlg_dot(H, normal, normal) / (double)H;
    }
}

/* Judge the tokens first .. first+width-1 at every position; least (T) is the best so far. */
static void judge(const equations *eq, dlg_position_check *check, size_t first, size_t width, double *least)
{
    const dlg_real *table = eq->table + first * eq->H;
    const size_t H = eq->H, T = eq->T;
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, T, width, H, 1, eq->normal, H, table, H, 0, eq->along, BLOCK);
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, T, width, H, 1, eq->fixed, H, table, H, 0, eq->across, BLOCK);
    for (size_t v = 0; v < width; v++) {
        const dlg_real *word = table + v * H;
        double sum = 0;
        for (size_t i = 0; i < H; i++) sum += (double)word[i];
        const double norm2 = dlg_dot(H, word, word) - sum * sum / (double)H;
        for (size_t t = 0; t < T; t++) {
            const double u2 = norm2 + 2 * (double)eq->across[t * BLOCK + v] + eq->fixed_norm2[t];
            const double eps = dlg_tolerance_position_row_epsilon(eq->eps, u2 / (double)H),
                         blur2 = u2 * (1 + eps * eps * eq->by_noise[t]);
            const double off = fabs((double)eq->along[t * BLOCK + v] + eq->fixed_along[t]) / sqrt(fmax(blur2, 1e-300));
            if (off <= admitted_deviations) {
                check->admitted[t * eq->V + first + v] = 1;
                check->count[t]++;
            }
            if (off < least[t]) {
                least[t] = off;
                check->best[t] = (uint32_t)(first + v);
            }
        }
    }
}

/* @return NULL without memory */
static dlg_position_check *create(size_t length, size_t n_vocabulary)
{
    dlg_position_check *check = dlg_allocate(1, sizeof *check);
    if (!check) return NULL;
    *check = (dlg_position_check){.length = length, .n_vocabulary = n_vocabulary};
    check->admitted = dlg_allocate(length * n_vocabulary, sizeof *check->admitted);
    check->count = dlg_allocate(length, sizeof *check->count);
    check->best = dlg_allocate(length, sizeof *check->best);
    if (check->admitted && check->count && check->best) return check;
    dlg_position_check_free(check);
    return NULL;
}

dlg_status dlg_position_check_create(dlg_position_check **out, const dlg_gradient *gradient, size_t length,
                                     const size_t *types, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const size_t V = config->vocabulary_size;
    equations eq = {.T = length,
                    .H = config->hidden_size,
                    .V = V,
                    .table = dlg_model_word_embeddings(gradient->model),
                    .eps = config->layer_norm_eps};
    *out = NULL;
    dlg_position_check *check = create(length, V);
    double *least = dlg_allocate(length, sizeof *least);
    dlg_status status = allocate(&eq, err);
    if (!status && !(check && least)) status = dlg_fail(err, DLG_ENOMEM, "position check: no memory");
    if (status) goto out;
    set_up(&eq, gradient, types);
    for (size_t t = 0; t < length; t++) least[t] = INFINITY;
    for (size_t first = 0; first < V && !status; first += BLOCK) {
        judge(&eq, check, first, V - first < BLOCK ? V - first : BLOCK, least);
        status = dlg_check_interrupt(err);
    }
out:
    release(&eq);
    dlg_free(least);
    if (status) dlg_position_check_free(check);
    else *out = check;
    return status;
}

dlg_status dlg_position_check_copy(dlg_position_check **out, const dlg_position_check *from, dlg_error *err)
{
    dlg_position_check *check = *out = create(from->length, from->n_vocabulary);
    if (!check) return dlg_fail(err, DLG_ENOMEM, "position check: no memory");
    memcpy(check->admitted, from->admitted, from->length * from->n_vocabulary * sizeof *check->admitted);
    memcpy(check->count, from->count, from->length * sizeof *check->count);
    memcpy(check->best, from->best, from->length * sizeof *check->best);
    return DLG_OK;
}

void dlg_position_check_free(dlg_position_check *check)
{
    if (!check) return;
    dlg_free(check->admitted);
    dlg_free(check->count);
    dlg_free(check->best);
    dlg_free(check);
}

size_t dlg_position_check_length(const dlg_position_check *check)
{
    return check->length;
}

bool dlg_position_check_admits(const dlg_position_check *check, uint32_t token, size_t position)
{
    return check->admitted[position * check->n_vocabulary + token];
}

bool dlg_position_check_allows(const dlg_position_check *check, uint32_t token, size_t position)
{
    return !check || !check->count[position] || dlg_position_check_admits(check, token, position);
}

size_t dlg_position_check_count(const dlg_position_check *check, size_t position)
{
    return check->count[position];
}

uint32_t dlg_position_check_best(const dlg_position_check *check, size_t position)
{
    return check->best[position];
}

void dlg_position_check_name(dlg_position_check *check, size_t position, uint32_t token)
{
    unsigned char *admitted = check->admitted + position * check->n_vocabulary;
    memset(admitted, 0, check->n_vocabulary);
    admitted[token] = 1;
    check->count[position] = 1;
    check->best[position] = token;
}
