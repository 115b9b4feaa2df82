#include "analytic/sequences/attention_parts.h"

#include "base/memory.h"
#include "math/svd.h"
#include "math/threads.h"

static const dlg_real *query_of(const dlg_gradient *gradient)
{
    return dlg_gradient_at(gradient, gradient->model->roles.blocks[0].query.weight);
}

static const dlg_real *key_of(const dlg_gradient *gradient)
{
    return dlg_gradient_at(gradient, gradient->model->roles.blocks[0].key.weight);
}

bool dlg_attention_parts_are_there(const dlg_gradient *gradient)
{
    return query_of(gradient) && key_of(gradient);
}

static void project(double *out, dlg_linear_role role, size_t n, const double *rows, size_t first)
{
    const dlg_real *weight = role.weight->value, *bias = role.bias->value;
    const size_t H = role.weight->n_rows;
#pragma omp parallel for num_threads(dlg_blas_threads())
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < H; i++) {
            double sum = r >= first ? (double)bias[i] : 0;
#pragma omp simd reduction(+ : sum)
            for (size_t k = 0; k < H; k++) sum += rows[r * H + k] * (double)weight[i * H + k];
            out[r * H + i] = sum;
        }
}

void dlg_attention_project(double *out, const dlg_model *model, size_t n, const double *rows, size_t first)
{
    const dlg_block_roles *block = &model->roles.blocks[0];
    project(out, block->query, n, rows, first);
    project(out + n * model->config.hidden_size, block->key, n, rows, first);
}

dlg_status dlg_attention_parts_find(double *parts, const dlg_gradient *gradient, size_t n, const double *rows,
                                    double smallest, dlg_error *err)
{
    const size_t H = gradient->model->config.hidden_size;
    const dlg_real *q = query_of(gradient), *k = key_of(gradient);
    double *a = dlg_allocate(H * n, sizeof *a), *b = dlg_allocate(H * 2 * H, sizeof *b);
    dlg_status status = a && b ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "attention's parts: no memory");
    for (size_t i = 0; !status && i < H; i++) {
        for (size_t r = 0; r < n; r++) a[i * n + r] = rows[r * H + i];
        for (size_t j = 0; j < H; j++) {
            b[i * 2 * H + j] = (double)q[j * H + i];
            b[i * 2 * H + H + j] = (double)k[j * H + i];
        }
    }
    if (!status) status = dlg_least_squares(H, n, 2 * H, a, b, smallest, parts, err);
    dlg_free(b);
    dlg_free(a);
    return status;
}
