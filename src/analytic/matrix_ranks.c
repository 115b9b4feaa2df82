#include "analytic/matrix_ranks.h"

#include "base/memory.h"
#include "math/blas.h"

static bool is_decoder(const dlg_model *model, const dlg_parameter *p)
{
    return model->roles.loss_rows != DLG_FIRST_ROWS && p == model->roles.decoder.weight;
}

/* The matrices, whose ranks are still to be found */
static dlg_status list(dlg_matrix_rank **out, size_t *n, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    size_t n_parts = 0;
    for (size_t l = 0; l < model->n_linears; l++) n_parts += model->linears[l].n_parts;
    dlg_matrix_rank *ranks = dlg_allocate(n_parts, sizeof *ranks);
    *out = ranks;
    *n = 0;
    if (!ranks) return dlg_fail(err, DLG_ENOMEM, "ranks: no memory");
    for (size_t l = 0; l < model->n_linears; l++)
        for (size_t part = 0; part < model->linears[l].n_parts; part++) {
            const dlg_parameter *p = &model->parameters[model->linears[l].weight[part]];
            if (!is_decoder(model, p))
                ranks[(*n)++] = (dlg_matrix_rank){.parameter = p, .is_frozen = !dlg_gradient_at(gradient, p)};
        }
    return DLG_OK;
}

static dlg_status find(dlg_matrix_rank *matrix, const dlg_gradient *gradient, size_t most, dlg_error *err)
{
    const dlg_parameter *p = matrix->parameter;
    const dlg_stack stack = {1, p->n_cols, {gradient->values[p - gradient->model->parameters]}, {p->n_rows}};
    return dlg_rank_find(&matrix->rank, &stack, most, err);
}

dlg_status dlg_matrix_ranks_find(dlg_matrix_rank **out, size_t *n, const dlg_gradient *gradient, size_t most,
                                 dlg_error *err)
{
    dlg_status status = list(out, n, gradient, err);
    dlg_matrix_rank *ranks = *out;
    const size_t n_ranks = *n;
#pragma omp parallel for schedule(dynamic) num_threads(dlg_blas_threads())
    for (size_t i = 0; i < n_ranks; i++) {
        dlg_error found;
        if (ranks[i].is_frozen) continue;
        const dlg_status its_status = find(&ranks[i], gradient, most, &found);
        if (!its_status) continue;
#pragma omp critical
        {
            status = its_status;
            if (err) *err = found;
        }
    }
    if (status) {
        dlg_free(ranks);
        *out = NULL;
        *n = 0;
    }
    return status;
}
