#include "math/row_space.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"
#include "math/simd.h"
#include "math/tolerance.h"

#include <float.h>
#include <math.h>

/* Columns of the sketch beyond the expected rank. */
enum { OVERSAMPLING = 8 };

/* A block of no larger norm has numbers that single precision holds with few digits or none (denormal ones), and
 * nothing to say. */
static const double least_norm = (double)FLT_MIN / FLT_EPSILON;

/* The blocks' rows meet a matrix (n_out, k) block by block; block i has the factor 1 / its norm. */
static dlg_real factor(const dlg_stack *stack, size_t i)
{
    const size_t n = stack->n_rows[i] * stack->n_in;
    const double norm = sqrt(dlg_dot(n, stack->blocks[i], stack->blocks[i]));
    return norm > least_norm ? (dlg_real)(1 / norm) : 0;
}

/* sketch (in, k): orthonormal columns that span the rows as sum over blocks of block^T omega sees them */
static dlg_status make_sketch(const dlg_stack *stack, size_t n_out, size_t k, double *sketch, dlg_error *err)
{
    const size_t in = stack->n_in;
    dlg_real *omega = dlg_allocate(n_out * k, sizeof *omega), *product = dlg_allocate(in * k, sizeof *product);
    dlg_status status = DLG_OK;
    if (!omega || !product) {
        status = dlg_fail(err, DLG_ENOMEM, "row space of a gradient: no memory");
        goto out;
    }
    /* Uniform numbers find as much as normal ones, and are cheaper; mere signs are not enough where there are few
     * rows. */
    dlg_random_uniform_fill(omega, n_out * k, 0, dlg_random_stream("sketch"));
    for (size_t i = 0, row = 0; i < stack->n_blocks; row += stack->n_rows[i++])
        dlg_gemm(DLG_TRANSPOSED, DLG_PLAIN, in, k, stack->n_rows[i], factor(stack, i), stack->blocks[i], in,
                 omega + row * k, k, i > 0, product, k);
    for (size_t i = 0; i < in * k; i++) sketch[i] = (double)product[i];
    status = dlg_orthonormalise(in, k, sketch, err);
out:
    dlg_free(omega);
    dlg_free(product);
    return status;
}

/* gram (k, k) += a^T a in double, a (n, k) */
DLG_SIMD static void add_gram(size_t n, size_t k, const dlg_real *a, double *restrict gram)
{
    for (size_t row = 0; row < n; row++, a += k)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++) gram[i * k + j] += (double)a[i] * (double)a[j];
}

/* gram (k, k) = (S q)^T (S q), S the scaled stack, q (in, k) */
static dlg_status gram_of_image(const dlg_stack *stack, size_t n_out, size_t k, const double *sketch, double *gram,
                                dlg_error *err)
{
    const size_t in = stack->n_in;
    dlg_real *q = dlg_allocate(in * k, sizeof *q), *image = dlg_allocate(n_out * k, sizeof *image);
    dlg_status status = DLG_OK;
    if (!q || !image) {
        status = dlg_fail(err, DLG_ENOMEM, "row space of a gradient: no memory");
        goto out;
    }
    for (size_t i = 0; i < in * k; i++) q[i] = (dlg_real)sketch[i];
    for (size_t i = 0, row = 0; i < stack->n_blocks; row += stack->n_rows[i++])
        dlg_gemm(DLG_PLAIN, DLG_PLAIN, stack->n_rows[i], k, in, factor(stack, i), stack->blocks[i], in, q, k, 0,
                 image + row * k, k);
    add_gram(n_out, k, image, gram);
out:
    dlg_free(q);
    dlg_free(image);
    return status;
}

/* basis (rank, in): the sketch's columns (in, k) combined by the eigenvectors of the largest eigenvalues, which stand
 * last. sums (k) is scratch. */
DLG_SIMD static void combine(size_t in, size_t k, size_t rank, const double *sketch, const double *vectors,
                             double *restrict sums, dlg_real *restrict basis)
{
    for (size_t i = 0; i < in; i++) {
        for (size_t r = 0; r < k; r++) sums[r] = 0;
        for (size_t j = 0; j < k; j++)
            for (size_t r = 0; r < k; r++) sums[r] += sketch[i * k + j] * vectors[j * k + r];
        for (size_t r = 0; r < rank; r++) basis[r * in + i] = (dlg_real)sums[k - 1 - r];
    }
}

/* What the sketch of k directions shows. */
typedef struct {
    size_t k;
    double *sketch;  /* (in, k) */
    double *vectors; /* (k, k) in its columns */
    double *values;  /* (k) squares of the singular values, ascending */
} decomposition;

static void release(decomposition *d)
{
    dlg_free(d->sketch);
    dlg_free(d->vectors);
    dlg_free(d->values);
}

static dlg_status decompose(decomposition *d, const dlg_stack *stack, size_t most, dlg_error *err)
{
    const size_t in = stack->n_in, n_out = dlg_stack_height(stack);
    size_t k = most + OVERSAMPLING;
    k = k < in ? k : in;
    k = k < n_out ? k : n_out;
    *d = (decomposition){k, dlg_allocate(in * k, sizeof *d->sketch), dlg_allocate(k * k, sizeof *d->vectors),
                         dlg_allocate(k, sizeof *d->values)};
    if (!d->sketch || !d->vectors || !d->values) return dlg_fail(err, DLG_ENOMEM, "row space of a gradient: no memory");
    dlg_status status = make_sketch(stack, n_out, k, d->sketch, err);
    if (!status) status = dlg_check_interrupt(err);
    if (!status) status = gram_of_image(stack, n_out, k, d->sketch, d->vectors, err);
    if (!status) status = dlg_check_interrupt(err);
    if (!status) status = dlg_symmetric_eigen(k, d->vectors, d->values, err);
    return status;
}

dlg_status dlg_row_space_find(dlg_row_space *out, const dlg_stack *stack, size_t max_rank, dlg_error *err)
{
    decomposition d;
    *out = (dlg_row_space){0};
    dlg_status status = decompose(&d, stack, max_rank, err);
    if (status) goto out;
    const double *values = d.values, smallest = dlg_tolerance_direction(DLG_GRAM_ROUNDOFF);
    while (out->rank < d.k && out->rank < max_rank &&
           values[d.k - 1 - out->rank] > smallest * smallest * values[d.k - 1])
        out->rank++;
    out->basis = dlg_allocate(out->rank * stack->n_in, sizeof *out->basis);
    if (out->basis) combine(stack->n_in, d.k, out->rank, d.sketch, d.vectors, d.values, out->basis);
    else status = dlg_fail(err, DLG_ENOMEM, "row space of a gradient: no memory");
out:
    release(&d);
    return status;
}

dlg_status dlg_singular_values(size_t *n, double *values, const dlg_stack *stack, size_t most, dlg_error *err)
{
    decomposition d;
    const dlg_status status = decompose(&d, stack, most, err);
    *n = status ? 0 : most < d.k ? most : d.k;
    for (size_t i = 0; i < *n; i++) values[i] = sqrt(fmax(0, d.values[d.k - 1 - i]));
    release(&d);
    return status;
}
