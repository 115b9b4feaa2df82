#include "math/row_rounding.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* image (height, rank) := V G_j, left2 (height) := |R_j|^2 */
static void project(const dlg_stack *stack, size_t rank, const double *basis, double *row, double *image, double *left2)
{
    const size_t n = stack->n_in;
    for (size_t b = 0; b < stack->n_blocks; b++) {
        const dlg_real *block = stack->blocks[b];
        const double norm = sqrt(dlg_dot(stack->n_rows[b] * n, block, block));
        for (size_t j = 0; j < stack->n_rows[b]; j++, image += rank) {
            for (size_t i = 0; i < n; i++) row[i] = norm > 0 ? (double)block[j * n + i] / norm : 0;
            const double left = dlg_take_out(rank, n, basis, row, image);
            *left2++ = left * left;
        }
    }
}

dlg_status dlg_row_rounding_find(double *form, const dlg_stack *stack, size_t rank, const double *basis, dlg_error *err)
{
    const size_t m = dlg_stack_height(stack);
    assert(rank < m);
    double *row = dlg_allocate(stack->n_in, sizeof *row), *left2 = dlg_allocate(m, sizeof *left2);
    double *image = dlg_allocate(m * rank + 1, sizeof *image), *value2 = dlg_allocate(rank + 1, sizeof *value2);
    dlg_status status = DLG_OK;
    if (!row || !left2 || !image || !value2) {
        status = dlg_fail(err, DLG_ENOMEM, "rounding of rows: no memory");
        goto out;
    }
    project(stack, rank, basis, row, image, left2);
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < rank; k++) value2[k] += image[j * rank + k] * image[j * rank + k];
    memset(form, 0, rank * rank * sizeof *form);
    for (size_t j = 0; j < m; j++) { /* a = along . image / value2 */
        double *a = image + j * rank;
        for (size_t k = 0; k < rank; k++) a[k] /= value2[k];
        for (size_t k = 0; k < rank; k++)
            for (size_t l = 0; l < rank; l++)
                form[k * rank + l] += left2[j] * a[k] * a[l] * (double)m / (double)(m - rank);
    }
out:
    dlg_free(value2);
    dlg_free(image);
    dlg_free(left2);
    dlg_free(row);
    return status;
}

double dlg_row_rounding(size_t rank, const double *form, const double *along, double of_row, double norm2)
{
    double sum = of_row * of_row * norm2;
    for (size_t k = 0; k < rank; k++)
        for (size_t l = 0; l < rank; l++) sum += along[k] * form[k * rank + l] * along[l];
    return sum;
}
